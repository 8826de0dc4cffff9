"""`pick`: which of several rows a derivation takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rules.crosscheck.arithmetic import Row
from rules.language.model import Preference


def chooser(pick: Sequence[Preference], places: Mapping[str, int]) -> Callable[[list[Row]], Row]:
    """Returns a function from rows to the preferred one."""
    steps = [(places[preference.property], preference.order, preference.value) for preference in pick]

    def choose(met: list[Row]) -> Row:
        left = met
        for place, order, value in steps:
            left = _preferred(left, place, order, value)
            if len(left) == 1:
                return left[0]
        return min(left, key=_smallest)

    return choose


def _smallest(row: Row) -> tuple[Any, ...]:
    """Returns what puts the smallest values first, an absent one after every stated one."""
    return tuple([(value is None, value if value is not None else 0) for value in row[1:]])


def _preferred(rows: list[Row], place: int, order: str, value: str | None) -> list[Row]:
    if order == "is":
        return [row for row in rows if row[place] == value] or rows
    stated = [row for row in rows if row[place] is not None]
    if not stated:
        return rows
    choose: Callable[..., Any] = min if order == "ascending" else max
    best = choose([row[place] for row in stated])
    return [row for row in stated if row[place] == best]
