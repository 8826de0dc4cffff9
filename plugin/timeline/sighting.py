"""Sightings: the statements of one study on one lesion, put together where they agree.

Visible and not-visible in one study stay two sightings: the contradiction is for the rules (R-11).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from fhir_profiles.read.quantity import measured
from fhir_profiles.records import DayRange, NewLesionStatement, Sighting
from plugin.timeline.days import days_between
from plugin.timeline.examination import is_late
from plugin.timeline.model import LesionSighting, Note

T = TypeVar("T")

_FEATURES = ("remnant", "conspicuity", "rim", "morph_group", "hu", "hbp_signal", "pet_avid", "sul", "adc")
_OTHERS = ("ttsm", "zero_size", "size_rejected", "size_text", "rim_mm", "new_statement", "unusable")
_source_of = attrgetter("source")
_properties_of = attrgetter(*_FEATURES, *_OTHERS)
_NOTHING_DESCRIBED = _properties_of(Sighting(source=""))
_ORDER = ("visible", "indeterminate", "not-visible", "not-assessed")
WRITTEN_WITHIN_DAYS = 7
"""A statement may carry the day it was written instead of that of the study."""
_BOUND_BELOW = (">", ">=")
_UNSEEN = ("not-visible", "not-assessed")
_ZERO = Decimal(0)


class Place(Struct, frozen=True, gc=False):
    """Where statements belong: a lesion and a study of one class, and when the study was made."""

    lesion: str
    study: str
    modality: str | None
    day: DayRange | None


def inherit(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Gives the sightings with lesion, studies, method and day taken from the group that holds them.

    A group without a statement of its own is left out.
    """
    parents: dict[str, list[Sighting]] = defaultdict(list)
    for group in sightings:
        for member in group.members:
            parents[member].append(group)
    if not parents:
        return list(sightings)
    said = [each for each in sightings if _says_something(each)]
    return [_completed(each, parents.get(each.key, [])) for each in said]


def _says_something(sighting: Sighting) -> bool:
    if not sighting.members:
        return True
    stated = (sighting.visibility, sighting.mm, sighting.size_rejected, sighting.size_text)
    described = [getattr(sighting, name) for name in _FEATURES]
    recorded = sighting.zero_size or bool(sighting.unusable)
    return recorded or any(each is not None for each in (*stated, *described, sighting.ttsm))


def _completed(sighting: Sighting, groups: list[Sighting]) -> Sighting:
    changes: dict[str, Any] = {}
    for name in ("lesion", "studies", "method", "day"):
        if not getattr(sighting, name):
            found = {value for group in groups if (value := getattr(group, name))}
            if len(found) == 1:
                changes[name] = found.pop()
    return replace(sighting, **changes) if changes else sighting


def put_together(
    place: Place, statements: Sequence[Sighting], novelty: Sequence[NewLesionStatement]
) -> tuple[list[LesionSighting], list[Note]]:
    """Gives one sighting for each visibility that the study states of the lesion, and what was left out."""
    ordered = sorted(statements, key=_source_of)
    notes: list[Note] = []
    by_visibility = _by_visibility(ordered)
    silent = by_visibility.pop(None, [])
    misdated = [each for each in ordered if each.day != place.day and _misdated(place, each)]
    if not by_visibility:
        return [_one(place, None, silent, novelty, misdated, notes)], notes
    first, *others = [each for each in _ORDER if each in by_visibility]
    # What is said without a visibility belongs to the first.
    found = [_one(place, first, [*by_visibility[first], *silent], novelty, misdated, notes)]
    found += [_one(place, each, by_visibility[each], (), misdated, notes) for each in others]
    notes += [Note(source=each.source, reason="day-differs") for each in misdated]
    return found, notes


def _by_visibility(ordered: Sequence[Sighting]) -> dict[str | None, list[Sighting]]:
    """The statements on each visibility; a size beside "not visible" states both, one in words a doubt."""
    found: dict[str | None, list[Sighting]] = {}
    stated = {each.visibility for each in ordered}
    if written := _in_words(ordered, stated):
        found["indeterminate"] = written
        ordered = [each for each in ordered if each.visibility is not None or each not in written]
    elif len(stated) == 1 and (stated.isdisjoint(_UNSEEN) or not any(map(_measured, ordered))):
        return {stated.pop(): list(ordered)}
    unclear = {each.visibility for each in ordered if each.explicit} == {"indeterminate"}
    for each in ordered:
        # A size alone means visible, but not against the reader's own word that it is unclear.
        said = "indeterminate" if unclear and each.visibility == "visible" else each.visibility
        found.setdefault(said, []).append(each)
        if said in _UNSEEN and _measured(each):
            found.setdefault("visible", []).append(each)
    return found


def _in_words(ordered: Sequence[Sighting], stated: set[str | None]) -> list[Sighting]:
    """The sizes that are told in words only, where nothing else says that the lesion was seen.

    Words are not read. They may tell a size, so the study neither passes the lesion over nor denies it; those
    without any number above 0 do not count beside "not visible".
    """
    if not stated.isdisjoint(("visible", "indeterminate")):
        return []
    denied = not stated.isdisjoint(_UNSEEN)
    return [
        each for each in ordered if each.size_text is not None and (measured(each.size_text) or not denied)
    ]


def _measured(each: Sighting) -> bool:
    """A size beside "not visible" is a statement of its own: the record contradicts itself."""
    return bool(each.ttsm) or (each.mm is not None and each.mm > _ZERO)


def _one(
    place: Place,
    visibility: str | None,
    statements: Sequence[Sighting],
    novelty: Sequence[NewLesionStatement],
    misdated: Sequence[Sighting],
    notes: list[Note],
) -> LesionSighting:
    mm, exact = _size(statements, notes)
    sources = {each.source for each in (*statements, *novelty)}
    plain = place.day is not None and not misdated
    sighting = LesionSighting(
        id=f"{place.lesion}/{place.study}/{visibility or 'unstated'}",
        lesion=place.lesion,
        study=place.study,
        day=place.day if plain else _day(place, visibility, statements),
        modality=place.modality,
        visibility=visibility,
        mm=None if visibility in _UNSEEN else mm,
        exact=exact,
        sources=tuple(sorted(sources)),
    )
    described = _described(visibility, mm, statements, novelty, notes)
    return replace(sighting, **described) if described else sighting


def _described(
    visibility: str | None,
    mm: Decimal | None,
    statements: Sequence[Sighting],
    novelty: Sequence[NewLesionStatement],
    notes: list[Note],
) -> dict[str, Any]:
    """What is said beside visibility and size; in most studies that is nothing, and nothing is looked at."""
    rows = [_properties_of(each) for each in statements]
    if not novelty and rows.count(_NOTHING_DESCRIBED) == len(rows):
        return {}
    said = {each.statement for each in novelty if each.statement is not None}
    said |= {each.new_statement for each in statements if each.new_statement is not None}
    described = zip(_FEATURES, *rows, strict=False)
    return {
        "ttsm": True if any(each.ttsm for each in statements) else _first(each.ttsm for each in statements),
        "zero_size": visibility is None and any(each.zero_size for each in statements),
        "unit_rejected": mm is None and any(each.size_rejected for each in statements),
        "size_text": _first(each.size_text for each in statements),
        "rim_mm": _largest(each.rim_mm for each in statements),
        "new_statement": said.pop() if len(said) == 1 else None,
        "unusable": tuple(sorted({name for each in statements for name in each.unusable})),
        **{name: _agreed(name, values, statements, notes) for name, *values in described},
    }


def _day(place: Place, visibility: str | None, statements: Sequence[Sighting]) -> DayRange | None:
    """The day of the study, else that of the statements; a day of issue serves a positive only.

    Statements dated more than a week from their study may be linked to the wrong one: the range then holds
    both days, so that a visible lesion counts late and any other early.
    """
    if place.day is not None:
        far = [each.day for each in statements if each.day is not None and _misdated(place, each)]
        if not far:
            return place.day
        days = [place.day, *far]
    else:
        days = [each.day for each in statements if each.day is not None and not is_late(each)]
    if days:
        return DayRange(min(day.first for day in days), max(day.last for day in days))
    late = [each.day for each in statements if each.day is not None]
    if visibility != "visible" or not late:
        return None
    return DayRange(max(day.last for day in late), max(day.last for day in late))


def _misdated(place: Place, each: Sighting) -> bool:
    """Says whether a statement carries a day more than a week from that of its study."""
    if each.day == place.day or place.day is None or each.day is None or is_late(each):
        return False
    apart = max(days_between(each.day.last, place.day.first), days_between(place.day.last, each.day.first))
    return apart > WRITTEN_WITHIN_DAYS


def _size(statements: Sequence[Sighting], notes: list[Note]) -> tuple[Decimal | None, bool]:
    """The larger of different sizes; "at most" is a bound and "at least" no size at all."""
    sized = [each for each in statements if each.mm is not None and each.mm > _ZERO]
    if not sized:
        return None, True
    if len(sized) == 1 and sized[0].size_comparator is None:
        return sized[0].mm, True
    if any(each.size_comparator in _BOUND_BELOW for each in sized):
        return None, False
    sizes = {each.mm for each in sized if each.mm is not None}
    if len(sizes) > 1:
        notes.extend(Note(source=each.source, reason="sizes-differ") for each in sized)
    return max(sizes), all(each.size_comparator is None for each in sized)


def _agreed(name: str, stated: Iterable[Any], statements: Sequence[Sighting], notes: list[Note]) -> Any:
    values = {value for value in stated if value is not None}
    if len(values) > 1:
        notes.extend(Note(source=each.source, reason="features-differ", detail=name) for each in statements)
    return values.pop() if len(values) == 1 else None


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _largest(values: Iterable[Decimal | None]) -> Decimal | None:
    return max((value for value in values if value is not None), default=None)
