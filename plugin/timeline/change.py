"""How the size of a lesion changed, measured against the baseline of the same class of study."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from plugin.timeline.days import first_of
from plugin.timeline.history import Landmarks, landmarks
from plugin.timeline.model import LesionSighting, Timeline

_HUNDRED = Decimal(100)
_ONE_DECIMAL = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one study says of a size; `percent` is None where there is no plain size, which is never 0."""

    study: str
    day: date | None
    visibility: str | None
    mm: Decimal | None
    percent: Decimal | None
    nadir: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The sizes of one lesion on one class of study from its baseline on, which has a plain size."""

    lesion: str
    modality: str
    baseline: LesionSighting
    points: tuple[Point, ...]


def changes(timeline: Timeline, lesion_id: str) -> tuple[Series, ...]:
    """Gives the changes of a lesion by class of study; a class without a sized baseline has none.

    A study that contradicts itself gives no size. Sizes of two classes are never compared.
    """
    found = []
    for mark in landmarks(timeline, lesion_id):
        if mark.baseline is not None and _sized(mark.baseline):
            found.append(_series(timeline, mark, mark.baseline))
    return tuple(found)


def percent(before: Decimal, now: Decimal) -> Decimal | None:
    """Gives the change in per cent of the size before, to one decimal; None where that is not above 0."""
    return ((now - before) * _HUNDRED / before).quantize(_ONE_DECIMAL) if before > 0 else None


def _series(timeline: Timeline, mark: Landmarks, baseline: LesionSighting) -> Series:
    said = timeline.of_lesion(mark.lesion)
    start = first_of(baseline.day) or date.min
    of_class = [
        one for one in said if one.modality == mark.modality and (first_of(one.day) or date.min) >= start
    ]
    twice = {one.study for one in of_class if sum(other.study == one.study for other in of_class) > 1}
    points = [_point(one, baseline, mark, plain=one.study not in twice) for one in of_class]
    return Series(lesion=mark.lesion, modality=mark.modality, baseline=baseline, points=tuple(points))


def _point(one: LesionSighting, baseline: LesionSighting, mark: Landmarks, *, plain: bool) -> Point:
    sized = plain and one.visibility == "visible" and _sized(one)
    assert baseline.mm is not None
    return Point(
        study=one.study,
        day=first_of(one.day),
        visibility=one.visibility,
        mm=one.mm if sized else None,
        percent=percent(baseline.mm, one.mm) if sized and one.mm is not None else None,
        nadir=mark.nadir is not None and mark.nadir.id == one.id,
    )


def _sized(one: LesionSighting) -> bool:
    return one.mm is not None and one.exact and one.mm > 0
