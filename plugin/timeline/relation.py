"""Lesions that merged into another or split off one: what is said of the whole, and of the parts (R-75)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec.structs import replace

from plugin.timeline.days import first_of
from plugin.timeline.model import Lesion, LesionSighting

MERGED, SPLIT = "/merged", "/split"
"""How the id of a sighting ends that stands for that of the whole, or of a part."""


def related(lesions: Sequence[Lesion], sightings: Sequence[LesionSighting]) -> list[LesionSighting]:
    """Gives the sightings that stand for others, never in a study that says something of the lesion."""
    return [*_of_merged(lesions, sightings), *_of_parts(lesions, sightings), *_of_wholes(lesions, sightings)]


def _of_merged(lesions: Sequence[Lesion], sightings: Sequence[LesionSighting]) -> list[LesionSighting]:
    """Sightings of a lesion stand for those merged into it where a study says nothing of them."""
    if all(lesion.merged_into is None for lesion in lesions):
        return []
    said = {(each.lesion, each.study) for each in sightings}
    return [
        replace(
            each, id=f"{lesion.id}/{each.study}/{each.visibility or 'unstated'}{MERGED}", lesion=lesion.id
        )
        for lesion in lesions
        if lesion.merged_into is not None
        for each in sightings
        if each.lesion == lesion.merged_into and (lesion.id, each.study) not in said
    ]


def _of_parts(lesions: Sequence[Lesion], sightings: Sequence[LesionSighting]) -> Iterator[LesionSighting]:
    """A part was seen wherever the whole was seen before the part was first described: it is not new."""
    for lesion in lesions:
        if lesion.split_from is None:
            continue
        own = [
            day for each in sightings if each.lesion == lesion.id and (day := first_of(each.day)) is not None
        ]
        for each in sightings:
            before = not own or (first_of(each.day) or date.max) < min(own)
            if each.lesion == lesion.split_from and each.visibility == "visible" and before:
                yield _standing_for(each, lesion.id, (each,))


def _of_wholes(lesions: Sequence[Lesion], sightings: Sequence[LesionSighting]) -> Iterator[LesionSighting]:
    """A whole is seen where any of its parts is seen; that parts are not seen says nothing of it."""
    wholes = {lesion.id: lesion.split_from for lesion in lesions if lesion.split_from is not None}
    if not wholes:
        return
    said = {(each.lesion, each.study) for each in sightings}
    seen: dict[tuple[str, str], list[LesionSighting]] = {}
    for each in sightings:
        whole = wholes.get(each.lesion)
        if whole is not None and each.visibility == "visible" and (whole, each.study) not in said:
            seen.setdefault((whole, each.study), []).append(each)
    for (whole, _), parts in seen.items():
        yield _standing_for(parts[0], whole, parts)


def _standing_for(each: LesionSighting, lesion: str, statements: Sequence[LesionSighting]) -> LesionSighting:
    """Seen, and nothing else: the size of a part is not that of the whole."""
    return LesionSighting(
        id=f"{lesion}/{each.study}/visible{SPLIT}",
        lesion=lesion,
        study=each.study,
        day=each.day,
        modality=each.modality,
        visibility="visible",
        sources=tuple(sorted({source for one in statements for source in one.sources})),
    )
