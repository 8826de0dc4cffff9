"""Comparisons with constants that exclude each other."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from decimal import Decimal

from rules.language.model import Test, Type

Bound = int | Decimal


def possible(type_: Type, tests: Iterable[Test]) -> bool:
    """Returns False where no number or date meets all comparisons with constants; others are passed over."""
    least: tuple[Bound, bool] | None = None
    most: tuple[Bound, bool] | None = None
    whole = type_ in ("int", "date")
    for test in tests:
        value = _number(test)
        if value is None:
            continue
        if test.operator in (">", ">=", "="):
            bound = _whole_least(value, test.operator == ">") if whole else (value, test.operator == ">")
            least = bound if least is None else max(least, bound)
        if test.operator in ("<", "<=", "="):
            bound = _whole_most(value, test.operator == "<") if whole else (value, test.operator == "<")
            # Of two equal bounds the strict one is the narrower.
            most = bound if most is None else min(most, bound, key=lambda one: (one[0], not one[1]))
    if least is None or most is None:
        return True
    return least[0] < most[0] or (least[0] == most[0] and not least[1] and not most[1])


def _number(test: Test) -> Bound | None:
    value = test.right.literal if test.right is not None else None
    if isinstance(value, datetime.date):
        return value.toordinal()
    return value if isinstance(value, int | Decimal) else None


def _whole_least(value: Bound, strict: bool) -> tuple[Bound, bool]:
    return (math.floor(value) + 1 if strict else math.ceil(value)), False


def _whole_most(value: Bound, strict: bool) -> tuple[Bound, bool]:
    return (math.ceil(value) - 1 if strict else math.floor(value)), False
