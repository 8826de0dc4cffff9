"""The laws L1 to L6 of the status (R-12) as changes to a history and what they may not bring about."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.rules.crlm.histories import Exam, History, Sighting

IN_SIGHT = {"VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED"}
PROVEN = {"CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"}
VANISHED = PROVEN | {"APPARENT_DLM"}

RANK = {"void": 0, "weak": 1, "strong": 2}

Statuses = dict[str, str]
Decide = Callable[[History], Statuses]
"""The status of each lesion, by the lesion's id."""
Grades = Callable[[History], dict[str, str]]
"""The grade of each negative that is used, by the sighting's id."""

FAVOURABLE = {
    "adequacy": ("adequate",),
    "agent": ("gadoxetate", "gadobenate"),
    "hbp": ("yes",),
    "dwi": ("yes",),
    "delayed": ("yes",),
    "hbp_quality": ("good",),
    "coverage": ("whole-liver",),
    "artefact": ("none",),
    "reticulation": ("none",),
    "lesion_map": ("yes",),
}


def without_negative(history: History, rng: random.Random) -> Iterator[History]:
    """Yields the history without one negative sighting, and with it made indeterminate, unassessed or void (L2)."""
    contradicted = {(s.lesion, s.exam) for s in history.sightings if s.visibility == "visible"}
    for number, sighting in enumerate(history.sightings):
        if sighting.visibility != "not-visible" or (sighting.lesion, sighting.exam) in contradicted:
            continue
        rest = history.sightings[:number] + history.sightings[number + 1 :]
        yield replace(history, sightings=rest)
        for change in (
            {"visibility": "indeterminate"},
            {"visibility": "not-assessed"},
            {"artefact_at_site": "yes"},
            {"reticulation_at_site": "yes"},
        ):
            yield replace(history, sightings=(*rest, replace(sighting, **change)))


def without_dose(history: History, rng: random.Random) -> Iterator[History]:
    """Yields the history without each of its doses, and without any (L3)."""
    for number in range(len(history.doses)):
        yield replace(history, doses=history.doses[:number] + history.doses[number + 1 :])
    yield replace(history, doses=())


def with_later_sighting(history: History, rng: random.Random) -> Iterator[History]:
    """Yields the history with a later study that shows the first lesion (L4)."""
    last = max((e.day for e in history.exams if e.day is not None), default=0)
    treated = max((t.day for t in history.treatments if t.day is not None), default=0)
    day = max(last, treated) + rng.choice((29, 60, 300))
    class_ = rng.choice(("CT", "MRI", "US", "PET", "IOUS", "CEIOUS"))
    exam = Exam(
        "later", day, class_=class_, adequacy=rng.choice(("adequate", "limited", "non-diagnostic", None))
    )
    shown = Sighting("later", history.lesions[0].id, "later", day, "visible")
    yield replace(history, exams=(*history.exams, exam), sightings=(*history.sightings, shown))


def with_strong_negative(history: History, rng: random.Random) -> Iterator[tuple[History, bool]]:
    """Yields the history with an adequate negative MRI, and whether a dose may lie before it (L5)."""
    lesion = history.lesions[0].id
    shown = [
        s.day
        for s in history.sightings
        if s.lesion == lesion and s.visibility == "visible" and s.day is not None
    ]
    if not shown:
        return
    day = max(shown) + rng.choice((0, 1, 20, 29, 90))
    exam = Exam("strong", day)
    denied = Sighting("strong", lesion, "strong", day, "not-visible")
    between = any(dose.last < day and dose.first >= min(shown) for dose in history.doses)
    yield replace(history, exams=(*history.exams, exam), sightings=(*history.sightings, denied)), between


def with_unknown_quality(history: History, rng: random.Random) -> Iterator[History]:
    """Yields the history with one favourable quality of one study taken away (L6)."""
    for number, exam in enumerate(history.exams):
        for name, values in FAVOURABLE.items():
            if getattr(exam, name) in values:
                changed = replace(exam, **{name: None})
                yield replace(
                    history, exams=history.exams[:number] + (changed,) + history.exams[number + 1 :]
                )


def broken(history: History, decide: Decide, grades: Grades, rng: random.Random) -> str | None:
    """Returns which law a history breaks, or None."""
    before = decide(history)
    for changed in without_negative(history, rng):
        if _new(before, decide(changed), PROVEN):
            return f"L2: {changed}"
    for changed in without_dose(history, rng):
        after = decide(changed)
        if _new(before, after, PROVEN):
            return f"L3: {changed}"
        if not changed.doses and VANISHED & set(after.values()):
            return f"L3: vanished without any dose: {changed}"
    for changed in with_later_sighting(history, rng):
        lesion = changed.lesions[0].id
        undated = any(t.lesion == lesion and t.day is None for t in changed.treatments)
        if not undated and decide(changed)[lesion] not in IN_SIGHT:
            return f"L4: {decide(changed)[lesion]} {changed}"
    for changed, between in with_strong_negative(history, rng):
        lesion = changed.lesions[0].id
        if not between and before[lesion] in IN_SIGHT and decide(changed)[lesion] in VANISHED:
            return f"L5: {changed}"
    graded = grades(history)
    for changed in with_unknown_quality(history, rng):
        if any(RANK[grade] > RANK[graded[id_]] for id_, grade in grades(changed).items()):
            return f"L6: {changed}"
        if _new(before, decide(changed), PROVEN):
            return f"L6, status: {changed}"
    return None


def shuffled(history: History, rng: random.Random) -> History:
    """Returns the same history in another order (L1)."""

    def mix(items: tuple) -> tuple:
        return tuple(rng.sample(items, len(items)))

    return replace(
        history,
        exams=mix(history.exams),
        sightings=mix(history.sightings),
        doses=mix(history.doses),
        treatments=mix(history.treatments),
    )


def _new(before: Statuses, after: Statuses, values: set[str]) -> bool:
    return any(after[lesion] in values and before[lesion] not in values for lesion in after)
