"""Draft orders a clinician may accept, and the reasons for not following the advice (R-108)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fhir_profiles import write
from fhir_profiles.records import LesionRef
from plugin.advice.card import Group, mri_barred, text_case
from plugin.advice.text import Texts
from plugin.advice.theatre import theatre_list
from plugin.decision import Advice, Decision, OverrideReason, Suggestion
from plugin.settings import Codes, OrderCode

OVERRIDE_SYSTEM = "https://vestige.example/fhir/CodeSystem/override-reason"
MOST = 3

_MRI = frozenset({"DA-01", "DA-10", "PT-02"})
_IOUS = frozenset({"DA-03"})
_MDT = frozenset(
    {
        "DA-09", "DA-11", "DA-19", "DC-01", "DC-02", "DC-03", "DC-04", "DC-05", "DC-06", "DC-07", "DC-11",
        "DC-13", "DC-14",
    }
)  # fmt: skip
_NO_ORDER = frozenset({"DA-02", "DA-04", "DA-05", "DA-07"})
"""Cards that offer reasons and no order: what to do there is for the surgeon to write."""
_PLAIN = frozenset({"contrast-allergy", "renal"})
"""Reasons against contrast that leave an MRI without contrast possible (R-82)."""
_AWAITED = frozenset(
    {
        ("DA-01", "mri-unreported"), ("DA-10", "mri-booked"), ("DA-01", "despite-reason"),
        ("DA-10", "despite-reason"), ("DA-10", "despite-reason-cancelled"),
    }
)  # fmt: skip
"""Cases in which an MRI was done or is booked: none is offered (R-92)."""


def suggestions(group: Group, decision: Decision, texts: Texts, codes: Codes) -> tuple[Suggestion, ...]:
    """Returns at most three draft orders, each with one action, none for what is ordered already.

    An order may come from a rule merged into the card, but not a review: what the card is about comes first.
    """
    own = group.own_rules
    if own and own <= _NO_ORDER:
        return ()
    rules = set(group.rules)
    made: list[Suggestion] = []
    if rules & _IOUS:
        made.append(_ious(group, decision, texts, codes))
    if _mri_wanted(group, decision):
        made += _mri(group, decision, texts, codes)
    if own & _MDT and not _ordered("mdt", decision):
        made.append(_mdt(group, decision, texts, codes))
    for one in made:
        if decision.encounter is not None:
            one.resource["encounter"] = {"reference": f"Encounter/{decision.encounter}"}
    return tuple(made[:MOST])


def offered_once(cards: Sequence[Advice]) -> list[Advice]:
    """Returns the cards with each kind of order offered in the first of them only, for the lesions of all.

    Two cards that ask for the same review would else make two orders of it.
    """
    first: dict[str, Suggestion] = {}
    for each in (one for card in cards for one in card.suggestions):
        kind = repr(each.resource["code"])
        known = first.setdefault(kind, each)
        if known is not each:
            first[kind] = _for_both(known, each)
    left: list[Advice] = []
    for card in cards:
        kinds = [repr(one.resource["code"]) for one in card.suggestions]
        offered = tuple(first.pop(kind) for kind in kinds if kind in first)
        left.append(replace(card, suggestions=offered))
    return left


def _for_both(one: Suggestion, other: Suggestion) -> Suggestion:
    """Returns the first suggestion with the lesions that the other names as well."""
    own = list(one.resource.get("extension", ()))
    own += [each for each in other.resource.get("extension", ()) if each not in own]
    resource = {**one.resource, "extension": own} if own else one.resource
    return replace(one, resource=resource, recommended=one.recommended or other.recommended)


def override_reasons(texts: Texts) -> tuple[OverrideReason, ...]:
    """Returns the reasons offered for not following the advice."""
    reasons = texts.data.get("override", {})
    return tuple(
        OverrideReason(code=str(code), display=str(display), system=OVERRIDE_SYSTEM)
        for code, display in reasons.items()
    )


def _ordered(kind: str, decision: Decision) -> bool:
    return any(order.get("type") == kind for order in decision.put_in("order"))


def _mri_wanted(group: Group, decision: Decision) -> bool:
    asking = [one for one in group.findings if one.rule in _MRI]
    ordered = decision.fact("plan").get("hbMri", "unknown") != "unknown" or _ordered("liver-mri", decision)
    return not ordered and any((one.rule, text_case(one, decision)) not in _AWAITED for one in asking)


def _ious(group: Group, decision: Decision, texts: Texts, codes: Codes) -> Suggestion:
    contrast = decision.fact("site").get("ceiousAvailable") == "yes"
    label = texts.word("suggestions", "ceious" if contrast else "ious")
    resource = write.ious(
        decision.patient,
        lesions=_refs(group.subjects, decision),
        contrast=contrast,
        authored=decision.today,
    )
    _note(resource, theatre_list(decision, texts))
    coded = codes.ceious if contrast and codes.ceious else codes.ious
    return _suggestion(label, resource, coded, recommended=group.family == "F3")


def _mri(group: Group, decision: Decision, texts: Texts, codes: Codes) -> list[Suggestion]:
    """The MRI that is possible: with hepatobiliary contrast, without contrast, or none (R-72, R-82)."""
    patient = decision.fact("patient")
    reason = str(patient.get("mriContra", "unknown"))
    pregnant = patient.get("pregnant") == "yes"
    plain = pregnant or reason in _PLAIN
    if mri_barred(decision) and reason not in _PLAIN:
        return []
    resource = write.liver_mri(
        decision.patient,
        lesions=_refs(group.subjects, decision),
        authored=decision.today,
        with_contrast=not plain,
    )
    if reason == "unknown":
        _note(resource, [texts.word("situation", "mri_unknown")])
    if plain:
        why = texts.word("situation", "pregnant") if pregnant else texts.word("contra", reason)
        _note(resource, [texts.words("no_contrast").format(reason=why.rstrip("."))])
    elif decision.fact("site").get("gadoxetateAvailable") == "no":
        _note(resource, [texts.word("situation", "no_gadoxetate")])
    label = texts.word("suggestions", "mri_plain" if plain else "mri")
    return [_suggestion(label, resource, codes.liver_mri_plain if plain else codes.liver_mri)]


def _mdt(group: Group, decision: Decision, texts: Texts, codes: Codes) -> Suggestion:
    label = texts.word("suggestions", "mdt")
    resource = write.mdt_review(
        decision.patient, lesions=_refs(group.subjects, decision), authored=decision.today
    )
    return _suggestion(label, resource, codes.mdt_review)


def _suggestion(
    label: str, resource: dict[str, Any], own: Sequence[OrderCode], *, recommended: bool = False
) -> Suggestion:
    """The site's own codes come first: an order system reads the first coding that it knows."""
    coding: Callable[[OrderCode], dict[str, str]] = lambda one: {  # noqa: E731 - one use
        name: text
        for name, text in (("system", one.system), ("code", one.code), ("display", one.display))
        if text
    }
    resource["code"]["coding"] = [*(coding(one) for one in own), *resource["code"]["coding"]]
    return Suggestion(label=label, description=label, resource=resource, recommended=recommended)


def _note(resource: dict[str, Any], lines: Sequence[str]) -> None:
    if lines:
        resource.setdefault("note", []).extend({"text": line} for line in lines)


def _refs(lesions: Sequence[str], decision: Decision) -> list[LesionRef]:
    """Returns the lesions as references, where the record holds one that another system can follow."""
    known = {lesion.id: lesion for lesion in decision.timeline.lesions}
    return [
        LesionRef(body=lesion, label=known[lesion].label)
        for lesion in lesions
        if lesion in known and lesion.startswith("BodyStructure/")
    ]
