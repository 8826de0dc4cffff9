"""What the written functions calculate with: exact numbers, dates, and the extremes of rows."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rules.errors import LimitExceeded
from rules.numbers import fits, tidy
from rules.trace import Way

Row = tuple[Any, ...]
"""A fact's number, then its values in the order of the declaration."""


def exact(number: int | Decimal) -> Decimal:
    """Returns a calculated decimal; refuses one that six places or the range cannot hold."""
    value = Decimal(number)
    if not fits(value):
        raise LimitExceeded("a calculated number is too large or has more than six decimal places")
    return tidy(value)


def whole(number: int) -> int:
    """Returns a calculated whole number; refuses one out of range."""
    if not fits(number):
        raise LimitExceeded("a calculated number is too large")
    return number


def shifted(day: date, days: int) -> date:
    """Returns a date some days later; refuses to leave the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise LimitExceeded("a calculated date leaves the calendar") from None


def minimum(met: list[Row], place: int, support: set[int], decimal: bool = False) -> Any:
    """Returns the least stated value of the rows, and adds the rows that have it to the support."""
    return _extreme(min, met, place, support, decimal)


def maximum(met: list[Row], place: int, support: set[int], decimal: bool = False) -> Any:
    """Returns the greatest stated value of the rows, and adds the rows that have it to the support."""
    return _extreme(max, met, place, support, decimal)


def _extreme(choose: Any, met: list[Row], place: int, support: set[int], decimal: bool) -> Any:
    values = [row[place] for row in met if row[place] is not None]
    if not values:
        return None
    extreme = choose(values) if len(values) > 1 else values[0]
    support.update([row[0] for row in met if row[place] == extreme])
    return Decimal(extreme) if decimal and isinstance(extreme, int) else extreme


SCOPE = {
    "exact": exact,
    "whole": whole,
    "shifted": shifted,
    "minimum": minimum,
    "maximum": maximum,
    "Way": Way,
}
