"""What came out of a cohort, as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from plugin.validation.run import QUESTIONS, Outcome

GONE = ("CONFIRMED_DLM", "APPARENT_DLM", "MISSING_IOUS", "MISSING_CEIOUS")
PROVEN = ("CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS")
INDICATORS = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Patients, lesions and cards of a cohort; `weakness` says why a lesion is apparent only."""

    patients: int
    affected: int
    lesions: int
    vanished: int
    confirmed: int
    confirmed_patients: int
    apparent: int
    apparent_patients: int
    weakness: dict[str, int]
    watched: int
    questioned: int
    questioned_by: dict[str, int]
    undecided: int
    undecided_because: dict[str, int]
    responses: dict[str, int]
    cards: int
    most_cards: int
    without_card: int
    indicators: dict[str, int]
    alarms: int
    refused: int


def count(outcomes: Sequence[Outcome]) -> Counts:
    """Returns the numbers of these patients."""
    statuses = [status for each in outcomes for status in each.status.values()]
    watched = [(each, label) for each in outcomes for label in each.watched]
    reasons = undecided_because(outcomes)
    indicators = Counter(indicator for each in outcomes for _, indicator in each.cards)
    return Counts(
        patients=len(outcomes),
        affected=sum(1 for each in outcomes if vanished(each)),
        lesions=len(statuses),
        vanished=sum(len(vanished(each)) for each in outcomes),
        confirmed=statuses.count("CONFIRMED_DLM"),
        confirmed_patients=_patients(outcomes, "CONFIRMED_DLM"),
        apparent=statuses.count("APPARENT_DLM"),
        apparent_patients=_patients(outcomes, "APPARENT_DLM"),
        weakness=dict(_weakness(outcomes)),
        watched=len(watched),
        questioned=sum(1 for each, label in watched if each.questioned[label]),
        questioned_by={
            rule: sum(1 for each, label in watched if rule in each.questioned[label]) for rule in QUESTIONS
        },
        undecided=sum(reasons.values()),
        undecided_because=dict(reasons),
        responses=dict(Counter(each.response or "none" for each in outcomes)),
        cards=sum(len(each.cards) for each in outcomes),
        most_cards=max((len(each.cards) for each in outcomes), default=0),
        without_card=sum(1 for each in outcomes if not each.cards),
        indicators={name: indicators[name] for name in INDICATORS},
        alarms=sum(each.alarms for each in outcomes),
        refused=sum(each.refused for each in outcomes),
    )


def vanished(outcome: Outcome) -> list[str]:
    """Returns the labels of the lesions that are not seen any more, confirmed or not."""
    return [label for label, status in outcome.status.items() if status in GONE]


def undecided_because(outcomes: Sequence[Outcome]) -> Counter[str]:
    """Returns why nothing could be decided on lesions."""
    return Counter(
        each.reasons.get(label, "no reason")
        for each in outcomes
        for label, status in each.status.items()
        if status == "CANNOT_DECIDE"
    )


def _patients(outcomes: Sequence[Outcome], status: str) -> int:
    return sum(1 for each in outcomes if status in each.status.values())


def _weakness(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(
        each.weakness.get(label, "no MRI that counts")
        for each in outcomes
        for label, status in each.status.items()
        if status == "APPARENT_DLM"
    )
