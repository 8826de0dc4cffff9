"""The patients of the cohort of 2023 as FHIR Bundles, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any, Literal

from fhir_profiles.codes import Disposition, Drug, Operation, Protocol, ProtocolValue, Reason
from fhir_profiles.samples.person import Resource, component
from fhir_profiles.samples.story import Story, every
from plugin.validation.studies import TripleModality

Gap = Literal["none", "silent-report", "motion", "no-protocol", "no-doses"]
Part = Literal["complete", "gaps", "follow-up"]

GAPS: dict[Gap, int] = {"silent-report": 10, "motion": 10, "no-protocol": 10, "no-doses": 5}
"""What is missing from the records with gaps: percent of the patients. Assumed; no source gives these."""

SEGMENTS = ("II", "III", "IVa", "IVb", "V", "VI", "VII", "VIII")
BASELINE, FIRST_DOSE, RESTAGING, DECISION = "2026-02-02", "2026-02-16", "2026-05-18", date(2026, 5, 26)
OPERATION, FOLLOW_UP, LATER = "2026-06-10", "2026-11-16", date(2026, 11, 23)
CYCLES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One patient on one day."""

    number: int
    bundle: dict[str, Any]
    today: date


@dataclass(slots=True, kw_only=True)
class _Lesion:
    label: str
    segment: str
    before: int
    after: int | None
    """Size in mm; None: not seen."""
    watched: bool = False
    regrows: bool = False
    resource: Resource = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Patient:
    number: int
    lesions: list[_Lesion]
    three_modalities: bool
    restaged_mri: bool
    gap: Gap = "none"

    @property
    def vanished(self) -> list[_Lesion]:
        return [lesion for lesion in self.lesions if lesion.after is None]


def triple_modality_cases(study: TripleModality, seed: int, part: Part = "complete") -> Iterator[Case]:
    """Yields the patients on the day of the decision, or those with watched lesions half a year later.

    `gaps` takes something from some of the records; the patients are the same.
    """
    for patient in _triple_modality(study, Random(seed)):  # noqa: S311 - repeatable, not secret
        if part == "follow-up" and not patient.vanished:
            continue
        bundle = _told(patient, followed=part == "follow-up", gap=patient.gap if part == "gaps" else "none")
        yield Case(number=patient.number, bundle=bundle, today=LATER if part == "follow-up" else DECISION)


def _triple_modality(study: TripleModality, rng: Random) -> list[_Patient]:
    sizes = vanished_sizes(study, rng)
    counts = _shares(study.vanished, study.affected, rng)
    patients = []
    for number in range(1, study.patients + 1):
        count = counts[number - 1] if number <= study.affected else 0
        gone = [_lesion(index, sizes.pop(), None, rng) for index in range(1, count + 1)]
        seen = rng.randint(0 if count else 1, 3)
        sized = [rng.randint(12, 60) for _ in range(seen)]
        rest = [
            _lesion(count + index, mm, max(6, mm * rng.randint(45, 85) // 100), rng)
            for index, mm in enumerate(sized, start=1)
        ]
        patients.append(
            _Patient(number=number, lesions=gone + rest, three_modalities=False, restaged_mri=False)
        )
    for patient in rng.sample(patients, study.three_modalities):
        patient.three_modalities = True
    affected, others = patients[: study.affected], patients[study.affected :]
    for patient in (*rng.sample(affected, study.restaged_mri), *others):
        patient.restaged_mri = True
    _plan(affected, study, rng)
    _take(patients, rng)
    return patients


def vanished_sizes(study: TripleModality, rng: Random) -> list[int]:
    """Returns the sizes before treatment: exactly the published median, smallest and largest."""
    half = study.vanished // 2
    low, middle, high = study.smallest_mm, study.median_mm, study.largest_mm
    centre = [middle] * (2 - study.vanished % 2)
    below = [low, *(rng.randint(low, middle) for _ in range(half - len(centre)))]
    above = [high, *(min(high, middle + int(rng.expovariate(1 / 8))) for _ in range(half - len(centre)))]
    sizes = [*below, *centre, *above]
    rng.shuffle(sizes)
    return sizes


def _shares(total: int, parts: int, rng: Random) -> list[int]:
    """Returns at least one for each part, the rest dealt out."""
    counts = [1] * parts
    for _ in range(total - parts):
        counts[rng.randrange(parts)] += 1
    return counts


def _lesion(index: int, before: int, after: int | None, rng: Random) -> _Lesion:
    return _Lesion(label=f"L{index}", segment=rng.choice(SEGMENTS), before=before, after=after)


def _plan(affected: Sequence[_Patient], study: TripleModality, rng: Random) -> None:
    """Chooses which vanished lesions are resected, and which of the watched ones come back."""
    vanished = [lesion for patient in affected for lesion in patient.vanished]
    for lesion in rng.sample(vanished, study.watched):
        lesion.watched = True
    for lesion in rng.sample([lesion for lesion in vanished if lesion.watched], study.regrown):
        lesion.regrows = True


def _take(patients: Sequence[_Patient], rng: Random) -> None:
    """Chooses what is missing from whose record."""
    for patient in patients:
        place, passed = rng.randrange(100), 0
        for gap, percent in GAPS.items():
            passed += percent
            if place < passed:
                patient.gap = gap
                break


def _told(patient: _Patient, *, followed: bool, gap: Gap) -> dict[str, Any]:
    story = Story(
        1000 + patient.number,
        f"Cohort-{patient.number}",
        "Vestige-Synthetic",
        birth="1960-01-01",
        gender=("female", "male")[patient.number % 2],
    )
    story.colorectal("2026-01-12")
    story.performance("2026-02-09", 1)
    for lesion in patient.lesions:
        lesion.resource = story.lesion(lesion.label, lesion.segment)
    _baseline(story, patient)
    if gap != "no-doses":
        story.cycles(every(14, FIRST_DOSE, CYCLES), Drug.OXALIPLATIN, Drug.FLUOROURACIL)
    _restaging(story, patient, gap)
    _decision(story, patient, done=followed)
    if followed:
        _follow_up(story, patient)
    return story.bundle()


def _baseline(story: Story, patient: _Patient) -> None:
    studies = [story.ct(BASELINE, "CT liver, baseline")]
    if patient.three_modalities:
        studies += [story.mri(BASELINE, "MRI liver, baseline"), story.pet(BASELINE, "PET, baseline")]
    for study in studies:
        for lesion in patient.lesions:
            story.seen(lesion.resource, study, lesion.before)


def _restaging(story: Story, patient: _Patient, gap: Gap) -> None:
    studies = [story.ct(RESTAGING, "CT liver, restaging")]
    if patient.restaged_mri:
        studies.append(_mri(story, gap))
    else:
        studies.append(story.pet(RESTAGING, "PET, restaging"))
    silent = patient.lesions[0] if gap == "silent-report" else None
    for study in studies:
        for lesion in patient.lesions:
            if lesion is not silent:
                _say(story, lesion, study, lesion.after)


def _mri(story: Story, gap: Gap) -> Resource:
    if gap not in ("motion", "no-protocol"):
        return story.mri(RESTAGING, "MRI liver with gadoxetate, restaging")
    study = story.study(RESTAGING, "MRI", "MRI liver, restaging")
    if gap == "motion":
        motion = component(Protocol.ARTEFACT, valueCodeableConcept=ProtocolValue.MOTION.concept)
        story.adequacy(study, "MRI", ProtocolValue.NON_DIAGNOSTIC, motion)
    return study


def _say(story: Story, lesion: _Lesion, study: Resource, mm: int | None) -> None:
    if mm is None:
        story.gone(lesion.resource, study)
    else:
        story.seen(lesion.resource, study, mm)


def _decision(story: Story, patient: _Patient, *, done: bool) -> None:
    """Watch-and-wait because they are no longer seen, or a liver operation for the others."""
    if not patient.vanished:
        return
    day = DECISION.isoformat()
    resected = [lesion.resource for lesion in patient.lesions if not lesion.watched]
    for lesion in patient.lesions:
        if lesion.watched:
            story.disposition(lesion.resource, day, Disposition.WATCH_AND_WAIT, Reason.DISAPPEARED)
        else:
            story.disposition(lesion.resource, day, Disposition.RESECT)
    if not any(lesion.after is None and not lesion.watched for lesion in patient.lesions):
        return
    order = story.order(
        Operation.PARTIAL_HEPATECTOMY,
        Operation.HEPATECTOMY,
        lesions=resected,
        occurrenceDateTime=OPERATION,
        authoredOn=day,
    )
    if done:
        order["status"] = "completed"
        story.operation(OPERATION, "Partial hepatectomy", Operation.PARTIAL_HEPATECTOMY, resected)


def _follow_up(story: Story, patient: _Patient) -> None:
    study = story.mri(FOLLOW_UP, "MRI liver with gadoxetate, follow-up")
    for lesion in patient.lesions:
        if lesion.watched:
            _say(story, lesion, study, 8 if lesion.regrows else None)
        elif lesion.after is not None and not any(
            other.after is None and not other.watched for other in patient.lesions
        ):
            _say(story, lesion, study, lesion.after)
