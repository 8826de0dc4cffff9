"""A cohort through the real path: files, chart, timeline, facts, rules, cards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from plugin.advice import advise, shown
from plugin.decide import decide
from plugin.decision import Decision, LesionOutcome, Shown
from plugin.pull.files import chart_from_files
from plugin.settings import Settings
from plugin.validation.cohort import Case
from rules.evaluate import Evaluator

HOOK = "patient-view"
QUESTIONS = ("DA-02", "DA-03", "DA-09", "DA-10", "HN-03")
"""What questions leaving a site: visible, search at operation, second look, MRI first, cannot decide."""

WEAKNESS = {
    "slice": "smaller than two slices of the MRI",
    "limited": "MRI without a statement of its quality",
    "non-diagnostic": "MRI not diagnostic",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was decided and shown for one patient; lesions by label."""

    number: int
    status: dict[str, str]
    reasons: dict[str, str]
    weakness: dict[str, str]
    watched: frozenset[str]
    questioned: dict[str, tuple[str, ...]]
    patient_status: str
    response: str | None
    cards: tuple[tuple[str, str], ...]
    alarms: int
    refused: int


def run(cases: Iterable[Case], evaluator: Evaluator, settings: Settings) -> Iterator[Outcome]:
    """Yields the outcome of one case after the other."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patient.json"
        for case in cases:
            path.write_bytes(msgspec.json.encode(case.bundle))
            decision = decide(chart_from_files([path]), evaluator, today=case.today, settings=settings)
            yield _outcome(case, decision, settings)


def _outcome(case: Case, decision: Decision, settings: Settings) -> Outcome:
    places = shown(decision, HOOK)
    cards = advise(decision, HOOK, settings=settings)
    return Outcome(
        number=case.number,
        status={lesion.label: lesion.status for lesion in decision.lesions},
        reasons={lesion.label: lesion.reasons[0] for lesion in decision.lesions if lesion.reasons},
        weakness={
            lesion.label: WEAKNESS.get(str(reason), str(reason))
            for lesion in decision.lesions
            if (reason := decision.about("weak_mri", lesion.id).get("reason")) is not None
        },
        watched=frozenset(lesion.label for lesion in decision.lesions if _watched(decision, lesion)),
        questioned={lesion.label: _questions(places, lesion.id) for lesion in decision.lesions},
        patient_status=decision.patient_status,
        response=_text(decision.fact("target_response").get("value")),
        cards=tuple((card.family, card.indicator) for card in cards),
        alarms=len(decision.alarms),
        refused=len(decision.evaluation.refused),
    )


def _watched(decision: Decision, lesion: LesionOutcome) -> bool:
    return decision.about("lesion", lesion.id).get("disposition") == "watch-and-wait"


def _questions(places: Iterable[Shown], lesion: str) -> tuple[str, ...]:
    """The rules whose card, or whose line in another card, questions leaving this lesion."""
    asked = {
        place.finding.rule
        for place in places
        if place.finding.subject == lesion
        and place.finding.rule in QUESTIONS
        and (place.shown == "card" or place.merged_into is not None)
    }
    return tuple(sorted(asked))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
