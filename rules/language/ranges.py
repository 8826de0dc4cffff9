"""Comparisons that exclude each other."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from decimal import Decimal

from rules.language.model import Operator, Ref, Test, Type

Bound = int | Decimal
Terms = tuple[tuple[int | Decimal, Ref], ...]


def possible(type_: Type, tests: Iterable[Test]) -> bool:
    """Returns False where no number or date meets all comparisons.

    Comparisons with constants are looked at together, and those with the same multiple of the same property;
    others are passed over.
    """
    alike: dict[Terms, list[tuple[Operator, Bound]]] = {}
    for test in tests:
        found = _bound(test)
        if found is not None:
            alike.setdefault(found[0], []).append((test.operator, found[1]))
    return all(
        _possible(bounds, whole=type_ == "date" or (type_ == "int" and not terms))
        for terms, bounds in alike.items()
    )


def _possible(bounds: Iterable[tuple[Operator, Bound]], *, whole: bool) -> bool:
    least: tuple[Bound, bool] | None = None
    most: tuple[Bound, bool] | None = None
    for operator, value in bounds:
        if operator in (">", ">=", "="):
            bound = _whole_least(value, operator == ">") if whole else (value, operator == ">")
            least = bound if least is None else max(least, bound)
        if operator in ("<", "<=", "="):
            bound = _whole_most(value, operator == "<") if whole else (value, operator == "<")
            # Of two equal bounds the strict one is the narrower.
            most = bound if most is None else min(most, bound, key=lambda one: (one[0], not one[1]))
    if least is None or most is None:
        return True
    return least[0] < most[0] or (least[0] == most[0] and not least[1] and not most[1])


def _bound(test: Test) -> tuple[Terms, Bound] | None:
    """Returns what a test compares with, in two parts: multiples of properties, and what is added to them."""
    if test.right is None:
        return None
    if test.right.terms:
        return test.right.terms, test.right.constant
    value = test.right.literal
    if isinstance(value, datetime.date):
        return (), value.toordinal()
    return ((), value) if isinstance(value, int | Decimal) else None


def _whole_least(value: Bound, strict: bool) -> tuple[Bound, bool]:
    return (math.floor(value) + 1 if strict else math.ceil(value)), False


def _whole_most(value: Bound, strict: bool) -> tuple[Bound, bool]:
    return (math.ceil(value) - 1 if strict else math.floor(value)), False
