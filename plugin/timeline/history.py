"""The history of one lesion for people to read: landmarks in each class of study, and named events.

Events name what two statements of one class say one after the other. They decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from plugin.timeline.days import earliest, first_of, last_of
from plugin.timeline.model import LesionSighting, Timeline
from plugin.timeline.relation import MERGED, SPLIT

STABLE_BELOW_MM = Decimal(3)
"""A smaller difference in size is called stable."""


class EventName(StrEnum):
    """Names as radiologists use them; NEW only where a reader coded it."""

    NEW = "new"
    FIRST_SEEN = "first seen"
    SHRINKING = "shrinking"
    STABLE = "stable"
    ENLARGING = "enlarging"
    VANISHED = "vanished"
    REAPPEARED = "reappeared"
    MERGED = "merged"
    SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of one lesion on one class of study, with the study before that it is measured against."""

    lesion: str
    name: EventName
    modality: str | None
    study: str
    day: date | None
    against: str | None = None
    delta_mm: Decimal | None = None
    doses_between: int = 0

    @property
    def text(self) -> str:
        """The event in words; vanishing always names the modality it was looked for with."""
        if self.name in (EventName.VANISHED, EventName.REAPPEARED):
            return f"{self.name} on {self.modality or 'an unknown modality'}"
        return str(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Baseline (last before the first dose), nadir (smallest size since), prior and latest of one class."""

    lesion: str
    modality: str
    baseline: LesionSighting | None
    nadir: LesionSighting | None
    prior: LesionSighting | None
    latest: LesionSighting


def landmarks(timeline: Timeline, lesion_id: str) -> tuple[Landmarks, ...]:
    """Gives the landmarks of a lesion for each class of study that looked for it, in order of class."""
    found = []
    start = _first_dose(timeline, lesion_id)
    for modality, series in _series(timeline, lesion_id).items():
        before = [each for each in series if start is None or _day(each) <= start]
        since = [each for each in series if before and _day(each) >= _day(before[-1])]
        sized = [each for each in since or series if each.mm is not None and each.exact]
        found.append(
            Landmarks(
                lesion=lesion_id,
                modality=modality,
                baseline=before[-1] if before else None,
                nadir=min(sized, key=lambda each: (each.mm or Decimal(0), _day(each))) if sized else None,
                prior=series[-2] if len(series) > 1 else None,
                latest=series[-1],
            )
        )
    return tuple(sorted(found, key=lambda each: each.modality))


def events(timeline: Timeline, lesion_id: str) -> tuple[Event, ...]:
    """Gives the named events of a lesion in order of day."""
    found: list[Event] = []
    for series in _series(timeline, lesion_id).values():
        found += [_first(series[0])] if series[0].visibility == "visible" else []
        for earlier, later in pairwise(series):
            event = _change(timeline, earlier, later)
            if event is not None:
                found.append(event)
    found += _joined(timeline, lesion_id)
    return tuple(sorted(found, key=lambda each: (each.day or date.min, each.study, each.name)))


def _joined(timeline: Timeline, lesion_id: str) -> list[Event]:
    """Merged: from the first study where the whole stands for the lesion. Split: from the first that names a
    part, for the whole and for the part."""
    said = timeline.of_lesion(lesion_id)
    merged = [each for each in said if each.id.endswith(MERGED)]
    found = [_event(EventName.MERGED, merged[0])] if merged else []
    parts = {
        each.id for each in timeline.lesions if lesion_id in (each.id, each.split_from) and each.split_from
    }
    named = [
        each
        for each in timeline.sightings
        if each.lesion in parts and not each.id.endswith(SPLIT) and each.day
    ]
    if named:
        first = min(named, key=lambda each: (_day(each), each.id))
        found.append(replace(_event(EventName.SPLIT, first), lesion=lesion_id))
    return found


def doses_between(timeline: Timeline, earlier: date, later: date) -> int:
    """Gives the number of days with a dose from the earlier day up to, but not on, the later one."""
    days = {dose.day.first for dose in timeline.doses if dose.day is not None and dose.day.exact}
    return sum(earlier <= day < later for day in days)


def _series(timeline: Timeline, lesion_id: str) -> dict[str, list[LesionSighting]]:
    """Sightings that say something, by class and in order; contradicted studies are left out."""
    said = [
        each
        for each in timeline.of_lesion(lesion_id)
        if each.visibility in ("visible", "not-visible", "indeterminate") and each.day is not None
    ]
    twice = {each.study for each in said if sum(other.study == each.study for other in said) > 1}
    series: dict[str, list[LesionSighting]] = {}
    for each in sorted(said, key=lambda one: (_day(one), one.study)):
        if each.study not in twice and each.modality is not None:
            series.setdefault(each.modality, []).append(each)
    return series


def _change(timeline: Timeline, earlier: LesionSighting, later: LesionSighting) -> Event | None:
    doses = doses_between(timeline, _day(earlier), _day(later))
    seen = earlier.visibility == "visible", later.visibility == "visible"
    if seen == (True, False) and later.visibility == "not-visible":
        return _event(EventName.VANISHED, later, earlier, doses=doses)
    if seen == (False, True) and earlier.visibility == "not-visible":
        return _event(EventName.REAPPEARED, later, earlier, doses=doses)
    if seen != (True, True) or earlier.mm is None or later.mm is None or not (earlier.exact and later.exact):
        return None
    delta = later.mm - earlier.mm
    if abs(delta) < STABLE_BELOW_MM:
        return _event(EventName.STABLE, later, earlier, delta, doses)
    name = EventName.ENLARGING if delta > 0 else EventName.SHRINKING
    return _event(name, later, earlier, delta, doses)


def _first(each: LesionSighting) -> Event:
    return _event(EventName.NEW if each.new_statement == "new" else EventName.FIRST_SEEN, each)


def _event(
    name: EventName,
    each: LesionSighting,
    against: LesionSighting | None = None,
    delta: Decimal | None = None,
    doses: int = 0,
) -> Event:
    return Event(
        lesion=each.lesion,
        name=name,
        modality=each.modality,
        study=each.study,
        day=first_of(each.day),
        against=against.study if against is not None else None,
        delta_mm=delta,
        doses_between=doses,
    )


def _first_dose(timeline: Timeline, lesion_id: str) -> date | None:
    """The first dose on or after the day the lesion was first seen."""
    seen = earliest(
        last_of(each.day) for each in timeline.of_lesion(lesion_id) if each.visibility == "visible"
    )
    return earliest(
        dose.day.first
        for dose in timeline.doses
        if dose.day is not None and (seen is None or dose.day.first >= seen)
    )


def _day(each: LesionSighting) -> date:
    return first_of(each.day) or date.min
