"""Facts on studies and on what they say, or do not say, of each lesion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from operator import attrgetter

from fhir_profiles.records import DayRange, ExamAdequacy
from plugin.facts.index import adequacy_of, index_study
from plugin.facts.statement import Given, fact, yes
from plugin.timeline import Lesion, LesionSighting, Study, Timeline
from plugin.timeline.days import first_of, last_of
from plugin.timeline.segments import WHOLE, overlap
from rules.facts import Fact

_NOTHING = ExamAdequacy(source="")
_quality_of = attrgetter("artefact", "coverage", "reticulation")
_NO_QUALITY = _quality_of(_NOTHING)
_described_of = attrgetter(
    "ttsm",
    "zero_size",
    "unit_rejected",
    "remnant",
    "conspicuity",
    "rim",
    "rim_mm",
    "morph_group",
    "hu",
    "hbp_signal",
    "pet_avid",
    "new_statement",
)
_NOTHING_DESCRIBED = _described_of(
    LesionSighting(id="", lesion="", study="", day=None, modality=None, visibility=None)
)
"""Most sightings state a visibility and a size, and most readers nothing that bears on one site alone."""
_SAYS_NOTHING = (None, "not-assessed")


def exam_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each study of one class."""
    index = index_study(timeline)
    return [_exam(study, is_index=study is index) for study in timeline.studies]


def _exam(study: Study, *, is_index: bool) -> Fact:
    said = study.adequacy or _NOTHING
    return fact(
        "exam",
        study.sources,
        {
            "id": study.id,
            "label": study.label,
            "day": first_of(study.day),
            "class": study.modality,
            "final": study.final,
            "liver": study.liver,
            "readerAdequacy": said.adequacy,
            "agent": said.agent,
            "hbp": said.hbp,
            "dwi": said.dwi,
            "hbpDelayed": said.hbp_delayed,
            "hbpQuality": said.hbp_quality,
            "maxB": said.max_b,
            "sliceMm": said.slice_mm,
            "coverage": said.coverage,
            "artefact": said.artefact,
            "artefactPlaced": yes(said.artefact_segments),
            "hbpReticulation": said.reticulation,
            "lesionMap": said.lesion_map,
            "unmatched": study.unmatched,
            "index": is_index,
        },
    )


def sighting_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each sighting, with what the study's quality means at the site of the lesion."""
    lesions = {lesion.id: lesion for lesion in timeline.lesions}
    studies = {study.id: study for study in timeline.studies}
    return [_sighting(each, lesions[each.lesion], studies[each.study]) for each in timeline.sightings]


def _sighting(each: LesionSighting, lesion: Lesion, study: Study) -> Fact:
    said = study.adequacy
    values: dict[str, Given] = {
        "id": each.id,
        "lesion": each.lesion,
        "exam": each.study,
        "day": sighting_day(each),
        "class": each.modality,
        "visibility": each.visibility,
        "mm": each.mm,
    }
    if _described_of(each) != _NOTHING_DESCRIBED:
        values |= _described(each)
    if said is None:
        return fact("sighting", each.sources, values)
    if _quality_of(said) != _NO_QUALITY:
        values["artefactAtSite"] = artefact_at(said, lesion)
        values["coveredSite"] = covered(said, lesion)
        values["reticulationAtSite"] = reticulation_at(said, lesion)
    return fact("sighting", (*each.sources, said.source), values)


def _described(each: LesionSighting) -> dict[str, Given]:
    return {
        "ttsm": each.ttsm,
        "zeroSize": yes(each.zero_size),
        "unitRejected": yes(each.unit_rejected),
        "remnant": each.remnant,
        "conspicuity": each.conspicuity,
        "rim": each.rim,
        "rimMm": each.rim_mm,
        "morphGroup": each.morph_group,
        "hu": each.hu,
        "hbpSignal": each.hbp_signal,
        "petAvid": each.pet_avid,
        "newStatement": each.new_statement,
    }


def sighting_day(each: LesionSighting) -> date | None:
    """Gives the last possible day of a visible sighting and the first possible one of every other."""
    return last_of(each.day) if each.visibility == "visible" else first_of(each.day)


def artefact_at(said: ExamAdequacy, lesion: Lesion) -> bool | None:
    """Says whether a recorded artefact lies in the lesion's segment; yes where the segment is not known."""
    if said.artefact is None:
        return None
    if said.artefact == "none":
        return False
    return _at(said.artefact_segments, lesion)


def reticulation_at(said: ExamAdequacy, lesion: Lesion) -> bool | None:
    """Says whether hepatobiliary reticulation lies in the lesion's segment, or is diffuse."""
    if said.reticulation in (None, "none"):
        return None if said.reticulation is None else False
    return True if said.reticulation == "diffuse" else _at(said.reticulation_segments, lesion)


def covered(said: ExamAdequacy, lesion: Lesion) -> bool | None:
    """Says no when the recorded coverage leaves the lesion's segment out."""
    site = _site(lesion)
    if said.coverage != "partial":
        return True if said.coverage == "whole-liver" else None
    if not site:
        return None
    if overlap(site, said.excluded_segments):
        return False
    if said.covered_segments:
        return overlap(site, said.covered_segments)
    return True if said.excluded_segments else None


def _at(segments: tuple[str, ...], lesion: Lesion) -> bool | None:
    if not segments:
        return None
    site = _site(lesion)
    return overlap(site, segments) if site else True


def _site(lesion: Lesion) -> tuple[str, ...]:
    return tuple(segment for segment in lesion.segments if segment != WHOLE)


def silence_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each lesion and final study of the liver that states nothing on it.

    A sighting without a visibility, a size of 0 mm and "not assessed" are no statement.
    """
    said = {(each.lesion, each.study) for each in timeline.sightings if each.visibility not in _SAYS_NOTHING}
    return [
        fact(
            "silence",
            study.sources,
            {
                "id": f"{lesion.id}/{study.id}/silence",
                "lesion": lesion.id,
                "exam": study.id,
                "day": last_of(study.day),
                "class": study.modality,
                "readerAdequacy": adequacy_of(study),
                "unmatched": study.unmatched,
            },
        )
        for study in timeline.studies
        if study.final is True and study.liver
        for lesion in timeline.lesions
        if (lesion.id, study.id) not in said
    ]


def aside_facts(timeline: Timeline) -> Iterator[Fact]:
    """Gives what may show a lesion and decides nothing: statements that are not final, uptake without a word.

    The day is the last possible one.
    """
    said: list[tuple[str, str, DayRange | None, str, tuple[str, ...]]] = [
        (each.source, each.lesion, each.day, "not-final", (each.source,)) for each in timeline.aside
    ]
    said += [
        (each.id, each.lesion, each.day, "uptake", each.sources)
        for each in timeline.sightings
        if each.visibility is None and (each.pet_avid or each.sul or "sul" in each.unusable)
    ]
    for own, lesion, day, what, sources in sorted(said, key=lambda row: (row[0], row[1])):
        values: dict[str, Given] = {"id": f"{own}/{lesion}/{what}", "lesion": lesion, "what": what}
        yield fact("set_aside", sources, {**values, "day": last_of(day) or timeline.today})
