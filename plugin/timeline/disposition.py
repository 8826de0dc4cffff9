"""Dispositions: the one decision in force for each lesion (R-41).

The latest active one counts, on one day watch-and-wait; a draft in the hook takes the place of what is stored
for the same lesion (R-34). A decision on the patient holds for every lesion not resected or ablated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from fhir_profiles.records import Disposition, LesionRef
from plugin.timeline.days import first_of
from plugin.timeline.identity import Register
from plugin.timeline.model import Decided, Held, Lesion, Treated

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
    found: dict[str, list[Decided]] = {lesion_id: [] for lesion_id in known}
    for draft, records in ((False, stored), (True, drafted)):
        for record in records:
            for lesion in _meant(record.lesions, record.level, register, untreated):
                if lesion in found:
                    found[lesion].append(_of_record(record, lesion, draft))
    for held in plans:
        for lesion, level in _ordered(held, untreated):
            if lesion in found:
                found[lesion].append(_of_plan(held, lesion, level))
    return tuple(_in_force(each) for each in found.values() if each)


def _meant(refs: tuple[LesionRef, ...], level: str, register: Register, untreated: list[str]) -> list[str]:
    if level == "patient":
        return untreated
    return [lesion for ref in refs if (lesion := register.named(ref)) is not None]


def _ordered(held: Held, untreated: list[str]) -> list[tuple[str, str]]:
    """Lesions an order decides on; one for watch-and-wait that names none speaks for the patient."""
    if held.type not in _BY_ORDER or not held.stands:
        return []
    if held.plan.lesions:
        return [(lesion, "lesion") for lesion in held.lesions]
    return [(lesion, "patient") for lesion in untreated] if held.type == "watch-and-wait" else []


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
        disposition=_BY_ORDER[held.type],
        reason=held.plan.reason,
        level=level,
        day=first_of(held.plan.authored) or first_of(held.plan.day),
        draft=held.draft,
        source=held.plan.source,
    )


def _in_force(candidates: list[Decided]) -> Decided:
    return max(candidates, key=_precedence)


def _precedence(each: Decided) -> tuple[bool, date, bool, bool, bool, str, str]:
    """Drafts, then the later day; on one day the reading that asks for more care."""
    return (
        each.draft,
        each.day or date.min,
        each.disposition == "watch-and-wait",
        each.level == "lesion",
        each.reason == "disappeared",
        each.reason or "",
        each.source,
    )
