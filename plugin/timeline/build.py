"""Builds the timeline of one patient from what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from fhir_profiles.records import (
    Biopsy,
    ConditionRecord,
    ContrastDose,
    Disposition,
    Dose,
    Embolisation,
    Exam,
    ExamAdequacy,
    LabResult,
    LesionAttribute,
    LesionRecord,
    MdtReview,
    NewLesionStatement,
    PathologyNodule,
    PatientFact,
    PatientRecord,
    Plan,
    PlanMembership,
    Report,
    ResponseStatement,
    Sighting,
    Stated,
    Treatment,
)
from plugin.chart import Chart
from plugin.timeline.attributes import lesions_of
from plugin.timeline.disposition import decided
from plugin.timeline.examination import Statement
from plugin.timeline.identity import Identity, Register
from plugin.timeline.intake import Intake, take_in
from plugin.timeline.lost import bearing
from plugin.timeline.model import Aside, Held, Lesion, LesionSighting, Note, Sampled, Study, Timeline, Treated
from plugin.timeline.notes import not_counted, relations, without_place
from plugin.timeline.relation import related
from plugin.timeline.sighting import Place, inherit, put_together
from plugin.timeline.study import Studies

RecordT = TypeVar("RecordT", bound=Stated)


class _Said(Struct, frozen=True):
    """What one study says of one lesion."""

    place: Place
    sightings: list[Sighting]
    novelty: list[NewLesionStatement]


def build(chart: Chart, *, today: date, timezone: ZoneInfo) -> Timeline:
    """Gives the timeline of the chart's patient: every record linked, or listed with why it is not used.

    The order of the chart's resources does not matter. Nothing is concluded: days, identities and what was
    said, no more.
    """
    intake = take_in(
        chart.resources,
        chart.drafts,
        patient_id=chart.patient_id,
        base=chart.base,
        today=today,
        timezone=timezone,
    )
    said, fallen = intake.withdrawn.without(inherit(intake.of(Sighting)))
    novelty, dropped = intake.withdrawn.without(intake.of(NewLesionStatement))
    intake.notes += [*fallen, *dropped]
    register = _register(intake.of(LesionRecord), said, novelty)
    lesions = lesions_of(register, intake.of(LesionAttribute), intake.of(PlanMembership), said)
    studies, sightings = _studies(intake, register, lesions, said, novelty)
    intake.notes += [
        *not_counted(said, intake.of(LabResult)),
        *relations(lesions),
        *without_place(lesions, register),
    ]
    unreadable = bearing(intake.unreadable, register, sightings)
    treatments = _treated(register, _ordered(intake.of(Treatment)))
    plans = _held(register, intake)
    return Timeline(
        patient=chart.patient_id,
        today=today,
        record=next(iter(_ordered(intake.of(PatientRecord))), None),
        lesions=lesions,
        studies=studies,
        sightings=sightings,
        aside=tuple(_aside(register, _ordered(intake.preliminary(Sighting)))),
        doses=tuple(_ordered(intake.of(Dose))),
        treatments=treatments,
        embolisations=tuple(_ordered(intake.of(Embolisation))),
        plans=plans,
        decided=decided(
            lesions, register, intake.of(Disposition), intake.drafted(Disposition), plans, treatments
        ),
        labs=tuple(_ordered(intake.of(LabResult))),
        conditions=tuple(_ordered(intake.of(ConditionRecord))),
        patient_facts=tuple(_ordered(intake.of(PatientFact))),
        reviews=tuple(_ordered(intake.of(MdtReview))),
        pathology=tuple(_ordered(intake.of(PathologyNodule))),
        biopsies=tuple(
            Sampled(each, register.resolve(each.lesion).lesion) for each in _ordered(intake.of(Biopsy))
        ),
        responses=tuple(_ordered(intake.of(ResponseStatement))),
        gaps=chart.gaps,
        rejected=tuple(
            sorted(set(intake.rejected), key=lambda each: (each.source, each.reason, each.detail))
        ),
        notes=tuple(sorted(set(intake.notes), key=lambda each: (each.source, each.reason, each.detail))),
        unreadable=tuple(sorted(set(unreadable), key=lambda each: (each.source, each.reason))),
    )


def _register(
    bodies: Sequence[LesionRecord], said: Iterable[Sighting], novelty: Iterable[NewLesionStatement]
) -> Register:
    """The tracked lesions, by what is on record of each and where the statements place it."""
    places = {(each.lesion, each.region) for each in said if each.lesion is not None}
    places |= {(each.lesion, None) for each in novelty if each.lesion is not None}
    return Register(
        bodies,
        {ref for ref, region in places if region != "other"},
        {ref for ref, region in places if region == "other"},
        {ref for ref, region in places if region == "liver"},
    )


def _studies(
    intake: Intake,
    register: Register,
    lesions: Sequence[Lesion],
    said: Sequence[Sighting],
    novelty: Sequence[NewLesionStatement],
) -> tuple[tuple[Study, ...], tuple[LesionSighting, ...]]:
    """The studies with their unmatched statements, and the sightings, merged lesions included."""
    tracked = {lesion.id for lesion in lesions}
    adequacy, fallen = intake.withdrawn.without(intake.of(ExamAdequacy))
    reports, dropped = intake.withdrawn.without(intake.of(Report))
    intake.notes += [*fallen, *dropped]
    statements: list[Statement] = [*said, *novelty, *adequacy]
    waiting: list[Statement] = [
        *intake.withdrawn.without(intake.preliminary(Sighting))[0],
        *intake.withdrawn.without(intake.preliminary(ExamAdequacy))[0],
    ]
    studies = Studies(intake.of(Exam), reports, statements, waiting)
    placed: dict[tuple[str, str], _Said] = {}
    unmatched: Counter[str] = Counter()
    liver: list[Sighting | NewLesionStatement] = [*said, *novelty]
    for each in liver:
        study, modality = studies.of(each)
        match = register.resolve(each.lesion)
        lesion = match.lesion
        if lesion is not None and lesion in tracked:
            here = placed.get((lesion, study))
            if here is None:
                here = _Said(Place(lesion, study, modality, studies.day(study)), [], [])
                placed[lesion, study] = here
            if isinstance(each, NewLesionStatement):
                here.novelty.append(each)
            else:
                here.sightings.append(each)
        elif match.identity is Identity.UNKNOWN and _counts(each):
            unmatched[study] += 1
            intake.notes.append(Note(source=each.source, reason="identity-unknown", detail=study))
    sightings: list[LesionSighting] = []
    for here in placed.values():
        found, notes = put_together(here.place, here.sightings, here.novelty)
        sightings += found
        intake.notes += notes
    sightings += related(lesions, sightings)
    described = {each.study for each in sightings}
    built = studies.built(contrast=intake.of(ContrastDose), unmatched=unmatched, described=described)
    return built, tuple(sorted(sightings, key=_sighting_order))


def _counts(each: Sighting | NewLesionStatement) -> bool:
    """Whether a statement without identity may be on a tracked lesion (R-13): in the liver, not benign."""
    if isinstance(each, NewLesionStatement):
        return each.statement != "not-new"
    return each.region != "other" and each.nature != "benign"


def _treated(register: Register, treatments: Iterable[Treatment]) -> tuple[Treated, ...]:
    found = []
    for each in treatments:
        matches = [register.resolve(ref) for ref in each.lesions]
        known = tuple(sorted({match.lesion for match in matches if match.lesion is not None}))
        unknown = any(match.identity is Identity.UNKNOWN for match in matches)
        found.append(Treated(treatment=each, lesions=known, unplaced=not matches or unknown))
    return tuple(found)


def _held(register: Register, intake: Intake) -> tuple[Held, ...]:
    """Orders and plans; an appointment without a type of its own has that of the order it fulfils."""
    pairs = [(plan, False) for plan in _ordered(intake.of(Plan))]
    pairs += [(plan, True) for plan in _ordered(intake.drafted(Plan))]
    by_key = {plan.key: plan for plan, _ in pairs if plan.type != "other"}
    found = []
    for plan, draft in pairs:
        orders = [by_key[key] for key in plan.based_on if key in by_key]
        meant = orders[0] if plan.type == "other" and orders else plan
        refs = plan.lesions or meant.lesions
        lesions = {lesion for ref in refs if (lesion := register.named(ref)) is not None}
        found.append(
            Held(
                plan=plan,
                type=meant.type,
                draft=draft,
                lesions=tuple(sorted(lesions)),
            )
        )
    return tuple(found)


def _aside(register: Register, waiting: Iterable[Sighting]) -> Iterator[Aside]:
    for each in waiting:
        lesion = register.resolve(each.lesion).lesion
        if lesion is not None and each.visibility == "visible":
            yield Aside(source=each.source, lesion=lesion, day=each.day)


def _ordered(records: Iterable[RecordT]) -> list[RecordT]:
    return sorted(records, key=lambda each: (each.day.first if each.day else date.min, each.source))


def _sighting_order(each: LesionSighting) -> tuple[str, str, str]:
    return (each.lesion, each.day.first.isoformat() if each.day else "", each.id)
