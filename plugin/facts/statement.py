"""Making facts: what is not stated is left out, yes and no are written as the rules read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from rules.facts import Fact, Value
from rules.numbers import fits

_AS_THEY_ARE = (str, date)
Given = bool | int | Decimal | date | str | None


def fact(kind: str, sources: Iterable[str], values: dict[str, Given]) -> Fact:
    """Gives a fact with the values that are stated; None is left out, a truth value becomes yes or no.

    A number that the rules cannot hold exactly (seven decimal places, a thousand million) is left out too.
    """
    stated: dict[str, Value] = {}
    for name, value in values.items():
        if value is None:
            continue
        if type(value) is str:
            stated[name] = value
        elif isinstance(value, bool):
            stated[name] = "yes" if value else "no"
        elif isinstance(value, _AS_THEY_ARE) or fits(value):
            stated[name] = value
    return Fact(kind, stated, tuple(sorted(set(sources))))


def yes(value: object) -> bool | None:
    """Gives yes for a true value and nothing otherwise: what is not on record is never a no."""
    return True if value else None
