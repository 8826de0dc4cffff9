"""Draft orders a clinician may accept, and the reasons for not following the advice (R-108)."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_profiles import write
from fhir_profiles.records import LesionRef
from plugin.advice.card import Group
from plugin.advice.missing import mri_barred
from plugin.advice.text import Texts
from plugin.decision import Decision, OverrideReason, Suggestion

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


def suggestions(group: Group, decision: Decision, texts: Texts) -> tuple[Suggestion, ...]:
    """Returns at most three draft orders, none for what is ordered already; never a change or deletion."""
    rules = set(group.rules())
    made: list[Suggestion] = []
    if rules & _IOUS:
        made.append(_ious(group, decision, texts))
    if rules & _MRI and _mri_possible(decision):
        made.append(_mri(group, decision, texts))
    if rules & _MDT and not _ordered("mdt", decision):
        made.append(_mdt(group, decision, texts))
    return tuple(made[:MOST])


def override_reasons(texts: Texts) -> tuple[OverrideReason, ...]:
    """Returns the reasons offered for not following the advice."""
    reasons = texts.data.get("override", {})
    return tuple(
        OverrideReason(code=str(code), display=str(display), system=OVERRIDE_SYSTEM)
        for code, display in reasons.items()
    )


def _ordered(kind: str, decision: Decision) -> bool:
    return any(fact.kind == "order" and fact.values.get("type") == kind for fact in decision.facts)


def _mri_possible(decision: Decision) -> bool:
    pregnant = decision.fact("patient").get("pregnant") == "yes"
    ordered = decision.fact("plan").get("hbMri", "unknown") != "unknown" or _ordered("liver-mri", decision)
    return not (mri_barred(decision) or pregnant or ordered)


def _ious(group: Group, decision: Decision, texts: Texts) -> Suggestion:
    contrast = decision.fact("site").get("ceiousAvailable") == "yes"
    label = texts.word("suggestions", "ceious" if contrast else "ious")
    lesions = _refs(group.subjects(), decision)
    resource = write.ious(decision.patient, lesions=lesions, contrast=contrast, authored=decision.today)
    return Suggestion(label=label, description=label, resource=resource, recommended=group.family == "F3")


def _mri(group: Group, decision: Decision, texts: Texts) -> Suggestion:
    label = texts.word("suggestions", "mri")
    resource = write.liver_mri(
        decision.patient, lesions=_refs(group.subjects(), decision), authored=decision.today
    )
    return Suggestion(label=label, description=label, resource=resource, recommended=False)


def _mdt(group: Group, decision: Decision, texts: Texts) -> Suggestion:
    label = texts.word("suggestions", "mdt")
    resource = write.mdt_review(
        decision.patient, lesions=_refs(group.subjects(), decision), authored=decision.today
    )
    return Suggestion(label=label, description=label, resource=resource, recommended=False)


def _refs(lesions: Sequence[str], decision: Decision) -> list[LesionRef]:
    """Returns the lesions as references, where the record holds one that another system can follow."""
    known = {lesion.id: lesion for lesion in decision.timeline.lesions}
    return [
        LesionRef(body=lesion, label=known[lesion].label)
        for lesion in lesions
        if lesion in known and lesion.startswith("BodyStructure/")
    ]
