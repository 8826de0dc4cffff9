"""Dispositions: the one decision in force for each lesion (R-41).

The latest active one counts, on one day watch-and-wait, also where one has no exact day and may be the
latest; a draft in the hook takes the place of what is stored for the same lesion (R-34). A decision on the
patient holds for every lesion not resected or ablated. Surveillance of a site because its lesion disappeared
is watch-and-wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from fhir_profiles.records import DayRange, Disposition, LesionRef
from plugin.timeline.days import first_of, latest, may_be_latest
from plugin.timeline.identity import Register
from plugin.timeline.model import Decided, Held, Lesion, Treated, ordered

_Dated = tuple[Decided, DayRange | None]
_BY_ORDER = {"watch-and-wait": "watch-and-wait", "hepatectomy": "resect", "ablation": "ablate"}


def decided(
    lesions: Sequence[Lesion],
    register: Register,
    stored: Iterable[Disposition],
    drafted: Iterable[Disposition],
    plans: Iterable[Held],
    treatments: Iterable[Treated],
) -> tuple[Decided, ...]:
    """Gives at most one decision for each lesion."""
    done = {
        lesion
        for each in treatments
        if each.treatment.completed and each.treatment.type in ("resected", "ablated")
        for lesion in each.lesions
    }
    untreated = [lesion.id for lesion in lesions if lesion.id not in done]
    known = [lesion.id for lesion in lesions]
    found: dict[str, list[_Dated]] = {lesion_id: [] for lesion_id in known}
    being_ordered = [record for record in drafted if ordered(record.status)]
    for draft, records in ((False, stored), (True, being_ordered)):
        for record in records:
            for lesion in _meant(record.lesions, record.level, register, untreated):
                if lesion in found:
                    found[lesion].append((_of_record(record, lesion, draft), record.day))
    for held in plans:
        for lesion, level in _ordered(held, untreated):
            if lesion in found:
                found[lesion].append((_of_plan(held, lesion, level), held.plan.authored or held.plan.day))
    return tuple(_in_force(each) for each in found.values() if each)


def _meant(refs: tuple[LesionRef, ...], level: str, register: Register, untreated: list[str]) -> list[str]:
    if level == "patient":
        return untreated
    return [lesion for ref in refs if (lesion := register.named(ref)) is not None]


def _ordered(held: Held, untreated: list[str]) -> list[tuple[str, str]]:
    """Lesions an order decides on; one for watch-and-wait that names none speaks for the patient."""
    decision = _by_order(held)
    if decision is None or not held.stands:
        return []
    if held.plan.lesions:
        return [(lesion, "lesion") for lesion in held.lesions]
    return [(lesion, "patient") for lesion in untreated] if decision == "watch-and-wait" else []


def _by_order(held: Held) -> str | None:
    if held.type == "surveillance" and held.plan.reason == "disappeared":
        return "watch-and-wait"
    return _BY_ORDER.get(held.type)


def _of_record(record: Disposition, lesion: str, draft: bool) -> Decided:
    return Decided(
        lesion=lesion,
        disposition=record.disposition,
        reason=record.reason,
        level=record.level,
        day=first_of(record.day),
        draft=draft,
        source=record.source,
    )


def _of_plan(held: Held, lesion: str, level: str) -> Decided:
    return Decided(
        lesion=lesion,
        disposition=_by_order(held) or "undecided",
        reason=held.plan.reason,
        level=level,
        day=first_of(held.plan.authored) or first_of(held.plan.day),
        draft=held.draft,
        source=held.plan.source,
    )


def _in_force(candidates: Sequence[_Dated]) -> Decided:
    drafts = [each for each in candidates if each[0].draft]
    possible = drafts or candidates
    newest = latest(first_of(day) for _, day in possible)
    return max((each for each, day in possible if may_be_latest(day, newest)), key=_precedence)


def _precedence(each: Decided) -> tuple[bool, date, bool, bool, str, str]:
    """Of those that may be the latest the reading that asks for more care."""
    return (
        each.disposition == "watch-and-wait",
        each.day or date.min,
        each.level == "lesion",
        each.reason == "disappeared",
        each.reason or "",
        each.source,
    )
