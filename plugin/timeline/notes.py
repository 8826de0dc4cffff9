"""Notes on what is on record and cannot be counted, and on lesions that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fhir_profiles.records import LabResult, Sighting
from plugin.timeline.identity import Register
from plugin.timeline.model import Lesion, Note


def not_counted(sightings: Iterable[Sighting], labs: Iterable[LabResult]) -> Iterator[Note]:
    """Gives a note for every size, measure and laboratory value on record that has no usable number."""
    for each in sightings:
        if each.size_rejected is not None:
            yield Note(source=each.source, reason="size-not-counted", detail=each.size_rejected)
        elif each.size_text is not None:
            yield Note(source=each.source, reason="size-not-counted", detail="text")
        for name in each.unusable:
            yield Note(source=each.source, reason="measure-not-counted", detail=name)
    for lab in labs:
        if lab.rejected is not None:
            yield Note(source=lab.source, reason="laboratory-value-not-counted", detail=lab.rejected)


def without_place(lesions: Sequence[Lesion], register: Register) -> Iterator[Note]:
    """Gives a note for every lesion that is tracked although nothing on record places it in the liver."""
    for lesion in lesions:
        entry = register.entry(lesion.id)
        if entry.liver is None and not entry.segments and not lesion.segments:
            yield Note(source=lesion.id, reason="place-not-on-record")


def relations(lesions: Sequence[Lesion]) -> Iterator[Note]:
    """Gives a note for every lesion that merged into another or split off one."""
    for lesion in lesions:
        if lesion.merged_into is not None:
            yield Note(source=lesion.id, reason="merged-into", detail=lesion.merged_into)
        if lesion.split_from is not None:
            yield Note(source=lesion.id, reason="split-from", detail=lesion.split_from)
