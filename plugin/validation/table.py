"""A published table beside ours: lines, checks, and how numbers are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plugin.validation.counts import Counts

NOT_PUBLISHED = "not published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: what, what the source says, and what came out in each column of ours."""

    what: str
    published: str
    ours: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that must hold; a failed one means that the software, or the cohort, is wrong."""

    what: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The result for one study; `columns` head our columns, `counts` are their numbers."""

    name: str
    title: str
    columns: tuple[str, ...]
    counts: tuple[Counts, ...]
    rows: tuple[Row, ...]
    checks: tuple[Check, ...]
    assumptions: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)


def because(columns: Sequence[Mapping[str, int]]) -> list[Row]:
    """Returns one line for each reason."""
    reasons = sorted({reason for one in columns for reason in one})
    return [
        Row(what=f"  because: {reason}", published="", ours=tuple(str(one.get(reason, 0)) for one in columns))
        for reason in reasons
    ]


def undecided_rows(columns: Sequence[Counts]) -> list[Row]:
    """Returns the share of lesions on which nothing can be decided, and why."""
    shares = tuple(of(one.undecided, one.lesions) for one in columns)
    head = Row(what="lesions on which nothing can be decided", published=NOT_PUBLISHED, ours=shares)
    return [head, *because([one.undecided_because for one in columns])]


def card_rows(columns: Sequence[Counts]) -> list[Row]:
    """Returns how many cards a reader would see."""
    return [
        Row(
            what="cards a patient, mean (most)",
            published=NOT_PUBLISHED,
            ours=tuple(f"{one.cards / one.patients:.2f} ({one.most_cards})" for one in columns),
        ),
        Row(
            what="patients without any card",
            published=NOT_PUBLISHED,
            ours=tuple(of(one.without_card, one.patients) for one in columns),
        ),
        Row(
            what="cards: critical / warning / info",
            published=NOT_PUBLISHED,
            ours=tuple(" / ".join(str(number) for number in one.indicators.values()) for one in columns),
        ),
    ]


def engines(columns: Sequence[Counts]) -> Check:
    """Returns the check that both evaluations of the rules agree."""
    alarms, refused = sum(one.alarms for one in columns), sum(one.refused for one in columns)
    return Check(
        what="both evaluations agree on every patient",
        passed=not alarms and not refused,
        detail=f"{alarms} alarms, {refused} refused",
    )


def of(part: int, whole: int) -> str:
    """Returns a share as it is printed."""
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else f"{part} of 0"


def listed(counted: Mapping[str, int]) -> str:
    """Returns counts by name as one line."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counted.items()))
