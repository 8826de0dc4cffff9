"""Histories of one patient, and the facts that stand for them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rules.facts import Fact, Value

START = datetime.date(2026, 1, 1)
TODAY = 400

Day = int | None


@dataclass(frozen=True)
class Exam:
    """One study; a property of None is not recorded."""

    id: str
    day: Day
    class_: str = "MRI"
    final: str = "yes"
    adequacy: str | None = "adequate"
    agent: str | None = "gadoxetate"
    hbp: str | None = "yes"
    dwi: str | None = "yes"
    delayed: str | None = None
    hbp_quality: str | None = None
    max_b: int | None = None
    slice_mm: Decimal | None = None
    coverage: str | None = None
    artefact: str | None = None
    reticulation: str | None = None
    lesion_map: str | None = None
    liver: str = "yes"
    unmatched: int = 0


@dataclass(frozen=True)
class Sighting:
    """What one study says of one lesion; `day` is its own, as imprecise dates differ by what is said."""

    id: str
    lesion: str
    exam: str
    day: Day
    visibility: str
    mm: Decimal | None = None
    ttsm: str | None = None
    zero_size: str | None = None
    remnant: str | None = None
    artefact_at_site: str | None = None
    covered_site: str | None = None
    reticulation_at_site: str | None = None


@dataclass(frozen=True)
class Dose:
    """One dose, between its first and last possible day."""

    first: int
    last: int


@dataclass(frozen=True)
class Treatment:
    """One completed local treatment; without a lesion where the record does not say which."""

    lesion: str | None
    day: Day
    type_: str | None


@dataclass(frozen=True)
class Lesion:
    """One tracked lesion."""

    id: str
    disposition: str | None = None
    nature: str | None = None
    characterised: str | None = None
    clash: str | None = None


@dataclass(frozen=True)
class History:
    """All that the status of the lesions depends on."""

    lesions: tuple[Lesion, ...] = (Lesion("L1"),)
    exams: tuple[Exam, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    doses: tuple[Dose, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    mri_contra: str | None = None
    cut: bool = False
    op_day: Day = None

    def exam(self, id_: str) -> Exam:
        return next(exam for exam in self.exams if exam.id == id_)

    def silent(self, lesion: str) -> Iterator[Exam]:
        """Yields the final studies of the liver that say nothing of the lesion; a size of 0 mm says nothing."""
        stating = {
            s.exam
            for s in self.sightings
            if s.lesion == lesion and s.visibility in ("visible", "not-visible", "indeterminate")
        }
        for exam in self.exams:
            if exam.final == "yes" and exam.liver == "yes" and exam.id not in stating:
                yield exam


def date(day: int) -> datetime.date:
    return START + datetime.timedelta(days=day)


def _fact(kind: str, **values: Value | int | None) -> Fact:
    stated: dict[str, Value] = {}
    for name, value in values.items():
        if value is not None:
            stated[name] = value
    return Fact(kind, stated)


def _day(day: Day) -> datetime.date | None:
    return None if day is None else date(day)


def facts_of(history: History) -> tuple[Fact, ...]:
    """Returns the input facts of a history."""
    return tuple(_facts(history))


def _facts(history: History) -> Iterator[Fact]:
    yield _fact(
        "patient",
        id="P",
        today=date(TODAY),
        mriContra=history.mri_contra,
        trackedLesions=len(history.lesions),
    )
    if history.doses:
        first = min(dose.first for dose in history.doses)
        yield _fact("therapy", known="yes", lineStart=date(first))
    if history.cut:
        yield _fact("gap", id="G", resource="Observation", reason="truncated", decisive="yes")
    if history.op_day is not None:
        yield _fact("plan", hepatic="yes", opDay=date(history.op_day))
    for number, dose in enumerate(history.doses):
        yield _fact("dose", id=f"d{number}", first=date(dose.first), last=date(dose.last))
    for number, treatment in enumerate(history.treatments):
        yield _fact(
            "treatment",
            id=f"t{number}",
            lesion=treatment.lesion,
            day=_day(treatment.day),
            type=treatment.type_,
        )
    for exam in history.exams:
        yield _exam(exam)
    for lesion in history.lesions:
        yield _fact(
            "lesion",
            id=lesion.id,
            label=lesion.id,
            disposition=lesion.disposition,
            nature=lesion.nature,
            characterised=lesion.characterised,
            identityClash=lesion.clash,
        )
        for exam in history.silent(lesion.id):
            yield _fact(
                "silence",
                id=f"{lesion.id}/{exam.id}",
                lesion=lesion.id,
                exam=exam.id,
                day=_day(exam.day),
                **{"class": exam.class_},
                readerAdequacy=exam.adequacy,
                unmatched=exam.unmatched,
            )
    for sighting in history.sightings:
        yield _sighting(history.exam(sighting.exam), sighting)


def _exam(exam: Exam) -> Fact:
    return _fact(
        "exam",
        id=exam.id,
        day=_day(exam.day),
        **{"class": exam.class_},
        final=exam.final,
        liver=exam.liver,
        readerAdequacy=exam.adequacy,
        agent=exam.agent,
        hbp=exam.hbp,
        dwi=exam.dwi,
        hbpDelayed=exam.delayed,
        hbpQuality=exam.hbp_quality,
        maxB=exam.max_b,
        sliceMm=exam.slice_mm,
        coverage=exam.coverage,
        artefact=exam.artefact,
        hbpReticulation=exam.reticulation,
        lesionMap=exam.lesion_map,
        unmatched=exam.unmatched,
    )


def _sighting(exam: Exam, sighting: Sighting) -> Fact:
    return _fact(
        "sighting",
        id=sighting.id,
        lesion=sighting.lesion,
        exam=sighting.exam,
        day=_day(sighting.day),
        **{"class": exam.class_},
        visibility=sighting.visibility,
        mm=sighting.mm,
        ttsm=sighting.ttsm,
        zeroSize=sighting.zero_size,
        remnant=sighting.remnant,
        artefactAtSite=sighting.artefact_at_site,
        coveredSite=sighting.covered_site,
        reticulationAtSite=sighting.reticulation_at_site,
    )
