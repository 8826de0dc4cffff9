"""The band above the matrix: cycles, operations, ablations, done and planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cds_hooks.timeline_page.values import days
from fhir_profiles.records import DayRange, Dose
from plugin.timeline import Held, Timeline

_DONE = {"resected": "operation", "ablated": "ablation"}
_PLANNED = {"hepatectomy": "operation", "ablation": "ablation", "chemotherapy": "cycle"}


def treatment_band(timeline: Timeline) -> list[dict[str, Any]]:
    """Returns what was done and what is planned, in order of day, undated first."""
    made = [*_cycles(timeline), *_local(timeline), *_planned(timeline)]
    return sorted(made, key=lambda one: (one["day"] or "", one["kind"], one["text"]))


def _cycles(timeline: Timeline) -> Iterator[dict[str, Any]]:
    by_day: dict[DayRange | None, list[Dose]] = {}
    for dose in timeline.doses:
        by_day.setdefault(dose.day, []).append(dose)
    for day, doses in by_day.items():
        numbers = sorted({one.cycle for one in doses if one.cycle is not None})
        yield {
            "kind": "cycle",
            **days(day),
            "text": ", ".join(dict.fromkeys(one.name or one.agent for one in doses)),
            "cycle": numbers[0] if len(numbers) == 1 else None,
            "agents": sorted({one.agent for one in doses}),
            "status": "done",
            "lesions": [],
            "continuous": any(one.continuous for one in doses),
            "draft": False,
            "sources": sorted({one.source for one in doses}),
        }


def _local(timeline: Timeline) -> Iterator[dict[str, Any]]:
    for one in timeline.treatments:
        record = one.treatment
        if record.completed or record.in_progress:
            status = "done" if record.completed else "in-progress"
            yield _entry(
                _DONE.get(record.type, "other"), record.type, record.day, status, one.lesions, record.source
            )
    for embolised in timeline.embolisations:
        yield _entry("embolisation", "embolisation", embolised.day, "done", (), embolised.source)


def _planned(timeline: Timeline) -> Iterator[dict[str, Any]]:
    """What is ordered or booked; an order that an appointment fulfils is told once, with both as sources."""
    standing = [held for held in timeline.plans if held.type in _PLANNED and held.stands]
    # Only an appointment takes the place of an order: two orders that name each other are both told.
    booked = {_key(token) for held in standing if held.plan.booked for token in held.plan.based_on}
    for held in standing:
        if held.plan.booked or held.plan.key not in booked:
            keys = {_key(token) for token in held.plan.based_on if held.plan.booked}
            yield _plan(held, [one for one in standing if one.plan.key in keys])


def _plan(held: Held, fulfils: Sequence[Held]) -> dict[str, Any]:
    lesions = dict.fromkeys((*held.lesions, *(lesion for one in fulfils for lesion in one.lesions)))
    made = _entry(_PLANNED[held.type], held.type, held.plan.day, "planned", tuple(lesions), held.plan.source)
    sources = sorted({held.plan.source, *(one.plan.source for one in fulfils)})
    return {**made, "draft": held.draft, "sources": sources}


def _key(token: str) -> str:
    return token.split("/_history/", 1)[0]


def _entry(
    kind: str, text: str, day: DayRange | None, status: str, lesions: tuple[str, ...], source: str
) -> dict[str, Any]:
    return {
        "kind": kind,
        **days(day),
        "text": text,
        "cycle": None,
        "agents": [],
        "status": status,
        "lesions": list(lesions),
        "continuous": False,
        "draft": False,
        "sources": [source],
    }
