"""The 25 resected patients as FHIR Bundles, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from fhir_profiles.codes import Disposition, Drug, Intent, Operation
from fhir_profiles.samples.story import Story, every
from plugin.validation.cohort import BASELINE, DECISION, FIRST_DOSE, OPERATION, RESTAGING, SEGMENTS, Case
from plugin.validation.studies import Resected


def resected_cases(study: Resected, seed: int) -> Iterator[Case]:
    """Yields the patients of the cohort on the day of the decision, all with a liver operation planned."""
    rng = Random(seed)  # noqa: S311 - repeatable, not secret
    several = [_dealt(study.numbers, rng), _dealt(study.sizes, rng), _dealt(study.sites, rng)]
    regimens, responses = _dealt(study.regimens, rng), _dealt(study.responses, rng)
    for index in range(study.patients):
        count = (1, 2, rng.randint(3, 5))[several[0][index]]
        largest = rng.randint(*((15, 39), (40, 75))[several[1][index]])
        yield _resected_case(
            study,
            index,
            rng,
            count=count,
            largest=largest,
            rectum=several[2][index] == 0,
            regimen=regimens[index],
            response=responses[index],
        )


def _dealt(counts: Sequence[int], rng: Random) -> list[int]:
    dealt = [place for place, count in enumerate(counts) for _ in range(count)]
    rng.shuffle(dealt)
    return dealt


_REGIMENS: tuple[tuple[Drug, ...], ...] = (
    (Drug.OXALIPLATIN, Drug.CAPECITABINE),
    (Drug.IRINOTECAN, Drug.FLUOROURACIL),
    (Drug.OXALIPLATIN, Drug.FLUOROURACIL, Drug.BEVACIZUMAB),
    (),
)


def _resected_case(
    study: Resected,
    index: int,
    rng: Random,
    *,
    count: int,
    largest: int,
    rectum: bool,
    regimen: int,
    response: int,
) -> Case:
    age = (study.youngest, study.oldest)[index] if index < 2 else rng.randint(study.youngest, study.oldest)
    story = Story(
        2001 + index,
        f"Resected-{index + 1}",
        "Vestige-Synthetic",
        birth=f"{DECISION.year - age}-01-01",
        gender="male" if index < study.men else "female",
    )
    story.colorectal("2026-01-12", rectum=rectum)
    story.intent("2026-02-09", Intent.CURATIVE)
    lesions = [story.lesion(f"L{place}", rng.choice(SEGMENTS)) for place in range(1, count + 1)]
    sizes = [largest, *(rng.randint(12, largest) for _ in lesions[1:])]
    scan = story.ct(BASELINE, "CT liver, baseline")
    for lesion, mm in zip(lesions, sizes, strict=True):
        story.seen(lesion, scan, mm)
    story.targets(BASELINE, lesions[:2], lesions[2:])
    cycles = rng.randint(study.fewest_cycles, study.most_cycles)
    story.cycles(every(max(10, 88 // cycles), FIRST_DOSE, cycles), *_REGIMENS[regimen])
    percent = (rng.randint(50, 88), rng.randint(92, 108), rng.randint(112, 160))[response]
    late = story.ct(RESTAGING, "CT liver, restaging")
    for lesion, mm in zip(lesions, sizes, strict=True):
        story.seen(lesion, late, max(6, mm * percent // 100))
    for lesion in lesions:
        story.disposition(lesion, DECISION.isoformat(), Disposition.RESECT)
    story.order(
        Operation.PARTIAL_HEPATECTOMY,
        Operation.HEPATECTOMY,
        lesions=lesions,
        occurrenceDateTime=OPERATION,
        authoredOn=DECISION.isoformat(),
    )
    return Case(number=index + 1, bundle=story.bundle(), today=DECISION)
