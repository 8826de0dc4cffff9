"""Lasting properties of lesions: the latest statement counts; two that differ on one day leave it unknown.

A statement without a day, or with a part of one, may be the latest: then it counts like one of that day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from fhir_profiles.records import LesionAttribute, LesionRef, PlanMembership, Sighting, Stated
from plugin.timeline.days import first_of, latest, may_be_latest
from plugin.timeline.identity import Entry, Register
from plugin.timeline.model import Lesion
from plugin.timeline.segments import in_order

_ATTRIBUTES = ("depth_mm", "marker", "marker_migrated", "extra_resection", "nature", "characterised")
_role_of = attrgetter("target_role")


def lesions_of(
    register: Register,
    attributes: Sequence[LesionAttribute],
    memberships: Sequence[PlanMembership],
    sightings: Sequence[Sighting],
) -> tuple[Lesion, ...]:
    """Gives every tracked liver lesion with its properties, in order of id."""
    of_attribute = _by_lesion(register, attributes)
    of_membership = _by_lesion(register, memberships)
    of_sighting = _by_lesion(register, sightings)
    return tuple(
        _lesion(register, entry, of_attribute[entry.id], of_membership[entry.id], of_sighting[entry.id])
        for entry in register.entries
        if entry.liver or (entry.liver is None and _described(entry, bool(of_sighting[entry.id])))
    )


def _described(entry: Entry, sighted: bool) -> bool:
    """Whether a structure without a known place is a lesion: it was described, or its identity clashes.

    A BodyStructure of unknown place that no study ever describes may be anything.
    """
    return sighted or entry.tainted or bool(entry.segments)


def _by_lesion(register: Register, records: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        lesion = register.resolve(record.lesion).lesion
        if lesion is not None:
            found[lesion].append(record)
    return found


def _lesion(
    register: Register,
    entry: Entry,
    attributes: list[LesionAttribute],
    memberships: list[PlanMembership],
    sightings: list[Sighting],
) -> Lesion:
    values = {name: latest_value(attributes, attrgetter(name)) for name in _ATTRIBUTES}
    if values["nature"] is None:
        natures = {record.nature for record in entry.records if record.nature is not None}
        values["nature"] = natures.pop() if len(natures) == 1 else None
    role = latest_value(attributes, _role_of) or latest_value(sightings, _role_of)
    segments = entry.segments or {each for one in sightings if (each := one.lesion and one.lesion.segment)}
    merged = [ref for record in entry.records if (ref := record.merged_into) is not None]
    merged += [ref for each in attributes if (ref := each.merged_into) is not None]
    split = [ref for record in entry.records if (ref := record.split_from) is not None]
    records = (*entry.records, *attributes, *memberships)
    return Lesion(
        id=entry.id,
        label=entry.label,
        segments=in_order(segments),
        tainted=entry.tainted,
        merged_into=_other(register, entry, merged),
        split_from=_other(register, entry, split),
        target_role=role,
        in_specimen=latest_value(memberships, lambda each: each.in_specimen),
        in_specimen_before=_before(memberships),
        in_future_remnant=latest_value(memberships, lambda each: each.in_future_remnant),
        sources=tuple(sorted({each.source for each in records or sightings})),
        **values,
    )


def _other(register: Register, entry: Entry, refs: Iterable[LesionRef]) -> str | None:
    """The one other tracked lesion that is named; None where none is, or two."""
    found = {register.resolve(ref).lesion for ref in refs} - {None, entry.id}
    return found.pop() if len(found) == 1 else None


def latest_value(records: Sequence[Stated], value: Callable[[Any], Any]) -> Any:
    """Gives the value of the records that state one and may be the latest; None where these differ."""
    stated = [(each.day, said) for each in records if (said := value(each)) is not None]
    newest = latest(first_of(day) for day, _ in stated)
    values = {said for day, said in stated if may_be_latest(day, newest)}
    return values.pop() if len(values) == 1 else None


def _before(memberships: Sequence[PlanMembership]) -> bool | None:
    """Whether any plan before the latest one had the site in its specimen."""
    stated = [each for each in memberships if each.in_specimen is not None]
    if not stated:
        return None
    newest = max(_when(each) for each in stated)
    earlier = [each.in_specimen for each in stated if _when(each) < newest]
    return any(earlier) if earlier else None


def _when(record: Stated) -> date:
    return date.min if record.day is None else record.day.first
