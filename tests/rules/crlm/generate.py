"""Random histories, drawn from any source of randomness, so that hypothesis and the soak run share them."""

from __future__ import annotations

import random
from decimal import Decimal

from tests.rules.crlm.histories import Dose, Exam, History, Lesion, Sighting, Treatment

CLASSES = ("CT", "CT", "MRI", "MRI", "MRI", "MRI", "US", "PET", "IOUS", "CEIOUS", "unknown")
SIZES = (None, None, "1.4", "4", "5", "6", "8", "9", "10", "10.5", "14", "20", "40", "50")
DAYS = (0, 0, 5, 7, 10, 10, 30, 35, 38, 39, 40, 60, 67, 68, 69, 80, 90, 100, 120, 128, 129, 150, 200)


def history(rng: random.Random) -> History:
    """Returns one history of one to three lesions; two of three begin with a baseline study and a dose."""
    lesions = tuple(_lesion(rng, number) for number in range(rng.choice((1, 1, 1, 2, 3))))
    exams = tuple(_exam(rng, number) for number in range(rng.randint(1, 6)))
    sightings = tuple(s for lesion in lesions for exam in exams for s in _sightings(rng, lesion, exam))
    doses = tuple(_dose(rng) for _ in range(rng.choice((0, 1, 1, 2, 3, 4))))
    if rng.random() < 0.66:
        baseline = Exam("base", 0, class_=rng.choice(("CT", "MRI")))
        exams = (baseline, *exams)
        sightings = (*(_sighting(rng, lesion, baseline, "visible", "") for lesion in lesions), *sightings)
        doses = (Dose(7, 7), *doses) if rng.random() < 0.9 else doses
    return History(
        lesions=lesions,
        exams=exams,
        sightings=sightings,
        doses=doses,
        treatments=tuple(_treatment(rng, lesions) for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 1, 2)))),
        mri_contra=rng.choice((None, None, None, None, "none-known", "device")),
        cut=rng.random() < 0.08,
    )


def _lesion(rng: random.Random, number: int) -> Lesion:
    return Lesion(
        f"L{number + 1}",
        disposition=rng.choice((None, None, None, "watch-and-wait", "left-in-situ")),
        characterised=rng.choice((None, None, "definite", "presumed")),
        clash=_rare(rng, "yes", "no", share=0.1),
    )


def _rare(rng: random.Random, *values: str, share: float = 0.2) -> str | None:
    return rng.choice(values) if rng.random() < share else None


def _exam(rng: random.Random, number: int) -> Exam:
    class_ = rng.choice(CLASSES)
    good = rng.random() < 0.6
    return Exam(
        id=f"e{number}",
        day=None if rng.random() < 0.04 else rng.choice(DAYS),
        class_=class_,
        final="no" if rng.random() < 0.05 else "yes",
        adequacy="adequate" if good else rng.choice(("adequate", "limited", "non-diagnostic", None, None)),
        agent="gadoxetate"
        if good
        else rng.choice(("gadoxetate", "gadobenate", "gadobenate", "gadobutrol", None)),
        hbp="yes" if good else rng.choice(("yes", "yes", "no", None)),
        dwi="yes" if good else rng.choice(("yes", "yes", "no", None)),
        delayed=_rare(rng, "yes", "no", share=0.5),
        hbp_quality=_rare(rng, "good", "good", "good", "poor", share=0.5),
        max_b=rng.choice((None, 800, 400, 399)) if not good else rng.choice((None, 800)),
        slice_mm=rng.choice((None, Decimal(3), Decimal(5), Decimal("5.1"))) if rng.random() < 0.4 else None,
        coverage=_rare(rng, "whole-liver", "whole-liver", "partial", share=0.4),
        artefact=_rare(rng, "none", "none", "present", share=0.4),
        reticulation=_rare(rng, "none", "diffuse", "segments", share=0.15),
        lesion_map=_rare(rng, "yes", "no", share=0.1),
        liver="no" if rng.random() < 0.05 else "yes",
        unmatched=1 if rng.random() < 0.15 else 0,
    )


def _sightings(rng: random.Random, lesion: Lesion, exam: Exam) -> list[Sighting]:
    roll = rng.random()
    if roll < 0.12:
        return []
    if roll < 0.17:
        return [
            _sighting(rng, lesion, exam, "visible", "a"),
            _sighting(rng, lesion, exam, "not-visible", "b"),
        ]
    first = rng.random() < 0.45
    said = (
        rng.choice(("visible", "visible", "not-visible"))
        if first
        else rng.choice(
            (
                "not-visible",
                "not-visible",
                "not-visible",
                "visible",
                "indeterminate",
                "not-assessed",
                "unknown",
            )
        )
    )
    return [_sighting(rng, lesion, exam, said, "")]


def _sighting(rng: random.Random, lesion: Lesion, exam: Exam, said: str, suffix: str) -> Sighting:
    visible = said == "visible"
    size = rng.choice(SIZES) if visible else None
    return Sighting(
        id=f"{lesion.id}-{exam.id}{suffix}",
        lesion=lesion.id,
        exam=exam.id,
        day=exam.day,
        visibility=said,
        mm=None if size is None else Decimal(size),
        ttsm=_rare(rng, "yes", "no", share=0.1) if visible else None,
        zero_size="yes" if said == "unknown" else None,
        remnant=_rare(rng, "ablation-zone", "calcified", "fibrotic", share=0.15) if visible else None,
        artefact_at_site=_rare(rng, "yes", "no", "no", share=0.15),
        covered_site=_rare(rng, "yes", "yes", "no", share=0.15),
        reticulation_at_site=_rare(rng, "yes", "no", "no", share=0.15),
    )


def _dose(rng: random.Random) -> Dose:
    first = rng.choice(DAYS)
    return Dose(first, first + (rng.choice((5, 20, 30)) if rng.random() < 0.15 else 0))


def _treatment(rng: random.Random, lesions: tuple[Lesion, ...]) -> Treatment:
    return Treatment(
        lesion=None if rng.random() < 0.35 else rng.choice(lesions).id,
        day=None if rng.random() < 0.1 else rng.choice(DAYS),
        type_=rng.choice(("resected", "ablated", "ablated", "other", None)),
    )
