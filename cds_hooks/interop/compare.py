"""Compares what was decided with what was to be found, and what the service said with what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cds_hooks.cards import response
from cds_hooks.interop.load import Loaded
from cds_hooks.interop.outcome import Check
from cds_hooks.interop.patients import Subject
from cds_hooks.interop.service import Called
from cds_hooks.wire import pruned
from fhir_profiles.read.reference import identity
from plugin.chart import GapReason
from plugin.decision import Advice, Decision
from plugin.dialects import Dialect

ABSENT = frozenset({"APPARENT_DLM", "CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"})
_DEFAULT_COST = ("CANNOT_DECIDE",)
_SAYS_WHAT_LACKS = ("HN-", "DQ-")


class Excuse:
    """What a server is known to cost, for one decision: the reasons, and what a lesion may then be called."""

    def __init__(self, decision: Decision, dialect: Dialect | None, missing: Sequence[str]) -> None:
        gaps = [one for one in decision.gaps if one.decisive and one.reason is GapReason.UNSUPPORTED]
        kinds = sorted({one.resource for one in gaps} | set(missing))
        self.statuses: set[str] = set()
        self.reasons: list[str] = []
        for kind in kinds:
            quirk = next((one for one in dialect.quirks if kind in one.absent), None) if dialect else None
            if dialect is not None and quirk is not None:
                self.statuses |= set(quirk.costs)
                self.reasons.append(f"{dialect.name}, {quirk.id}: {quirk.says}")
            else:
                self.statuses |= set(_DEFAULT_COST)
                self.reasons.append(f"the server has no usable {kind}")

    def __bool__(self) -> bool:
        return bool(self.reasons)

    @property
    def text(self) -> str:
        """The reasons in one line."""
        return "; ".join(self.reasons)


def decided_as_expected(loaded: Loaded, decision: Decision, dialect: Dialect | None) -> Iterator[Check]:
    """Yields the checks of a decision against the expectation."""
    subject = loaded.subject
    excuse = Excuse(decision, dialect, loaded.missing)
    lesions = list(_lesions(loaded, decision))
    yield _lesion_check(lesions, excuse)
    changed = any(expected != found for _, expected, found in lesions)
    yield _status_check(subject, decision, excuse, changed=changed)
    yield _rule_check(subject, decision, excuse)
    unexplained = [
        f"{one.resource}: {one.reason.value}: {one.detail}"
        for one in decision.gaps
        if one.decisive and one.reason is not GapReason.UNSUPPORTED
    ]
    yield _check("everything was read", unexplained)
    yield _check("both evaluations of the rules agree", [one.message for one in decision.alarms])


def _lesions(loaded: Loaded, decision: Decision) -> Iterator[tuple[str, str, str]]:
    """Yields (label, expected status, status found); lesions are known by label, else by reference."""
    named = {}
    # What could not be loaded is still referred to, under the id it was to have.
    for one in (*loaded.told.resources, *loaded.subject.resources):
        if one["resourceType"] == "BodyStructure":
            _, labels = identity(one.get("identifier"))
            named[f"BodyStructure/{one['id']}"] = labels[0] if labels else str(one["id"])
    found = {named.get(one.id, one.label): one.status for one in decision.lesions}
    expected = loaded.subject.expected.lesions
    for label in sorted({*found, *expected}):
        yield label, expected.get(label, "no lesion"), found.get(label, "not found")


def _lesion_check(lesions: Sequence[tuple[str, str, str]], excuse: Excuse) -> Check:
    wrong: list[str] = []
    excused: list[str] = []
    for label, expected, found in lesions:
        if expected == found:
            continue
        text = f"{label}: expected {expected}, is {found}"
        # Whatever a server lacks, it never makes a lesion vanish.
        fit = found in excuse.statuses and found not in ABSENT
        (excused if fit else wrong).append(text)
    return _check("lesion statuses", wrong, excused, excuse)


def _status_check(subject: Subject, decision: Decision, excuse: Excuse, *, changed: bool) -> Check:
    expected, found = subject.expected.patientStatus, decision.patient_status
    if expected in (None, found):
        return Check(name="patient status", verdict="pass")
    text = [f"expected {expected}, is {found}"]
    excused = changed and bool(excuse)
    return _check("patient status", [] if excused else text, text if excused else [], excuse)


def _rule_check(subject: Subject, decision: Decision, excuse: Excuse) -> Check:
    fired = rules_of(decision)
    wrong: list[str] = []
    excused: list[str] = []
    for rule, said in subject.expected.rules.items():
        wanted = {said} if isinstance(said, str) else set(said)
        if not wanted <= set(fired.get(rule, ())):
            here = ", ".join(fired.get(rule, ())) or "silent"
            text = f"{rule}: expected {', '.join(sorted(wanted))}, is {here}"
            (excused if excuse else wrong).append(text)
    for rule in subject.expected.absent:
        if rule in fired:
            text = f"{rule}: expected silent, is {', '.join(fired[rule])}"
            (excused if excuse and rule.startswith(_SAYS_WHAT_LACKS) else wrong).append(text)
    return _check("rules and indicators", wrong, excused, excuse)


def rules_of(decision: Decision) -> dict[str, list[str]]:
    """Returns the rules that speak, with their indicators."""
    found: dict[str, set[str]] = {}
    for one in decision.findings:
        if one.status == "active":
            found.setdefault(one.rule, set()).add(one.indicator)
    return {rule: sorted(found[rule]) for rule in sorted(found)}


def said_as_decided(
    name: str, called: Called, advices: Sequence[Advice], *, address: str, to_the_letter: bool
) -> Check:
    """Checks that an answer holds the cards that follow from the decision, no more and no less.

    To the letter: with every word; else family, rules and indicator of every card.
    """
    if called.status != 200 or not isinstance(called.document.get("cards"), list):
        why = called.fault or f"HTTP {called.status}"
        return Check(name=name, verdict="fail", detail=f"{why}: no cards in the answer")
    wanted = [pruned(one) for one in response(advices, source_url=address)["cards"]]
    found = [one for one in called.document["cards"] if isinstance(one, dict)]
    differences = list(_differences([_told(one) for one in wanted], [_told(one) for one in found]))
    if not differences and to_the_letter:
        differences = [
            f"card {place}: {member} is not what was decided"
            for place, (one, other) in enumerate(zip(wanted, found, strict=True), start=1)
            for member in ("summary", "detail", "links", "overrideReasons")
            if one.get(member) != other.get(member)
        ]
    return _check(name, differences)


def _told(card: Mapping[str, Any]) -> tuple[str, str]:
    source = card.get("source")
    topic = source.get("topic") if isinstance(source, Mapping) else None
    code = topic.get("code") if isinstance(topic, Mapping) else None
    return str(code), str(card.get("indicator"))


def _differences(wanted: Sequence[tuple[str, str]], found: Sequence[tuple[str, str]]) -> Iterator[str]:
    for topic, indicator in wanted:
        if (topic, indicator) not in found:
            yield f"the card {topic} ({indicator}) is missing"
    for topic, indicator in found:
        if (topic, indicator) not in wanted:
            yield f"the card {topic} ({indicator}) rests on nothing that was read"
    if sorted(wanted) == sorted(found) and list(wanted) != list(found):
        yield "the cards come in another order"
    if len(wanted) != len(found) and set(wanted) == set(found):
        yield f"{len(found)} cards in place of {len(wanted)}"


def _check(
    name: str, wrong: Iterable[str], excused: Iterable[str] = (), excuse: Excuse | None = None
) -> Check:
    faults, known = list(wrong), list(excused)
    if faults:
        return Check(name=name, verdict="fail", detail="; ".join(faults))
    if known and excuse is not None:
        return Check(name=name, verdict="differs", detail=f"{'; '.join(known)} ({excuse.text})")
    return Check(name=name, verdict="pass")
