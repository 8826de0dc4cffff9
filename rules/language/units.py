"""Units of numbers: what may be added to or compared with what, as far as the pack declares it."""

from __future__ import annotations

from collections.abc import Iterable

PURE = "1"
DAYS = "d"
CLASH = "(two units)"
"""Stands for the unit of a sum of different ones."""
_UNSAID = "(unsaid)"


def multiplied(first: str | None, second: str | None) -> str | None:
    """Returns the unit of a product: the only one there is, unsaid where there are two."""
    known = [unit for unit in (first, second) if unit not in (None, PURE)]
    return known[0] if len(known) == 1 else _UNSAID if known else None


def joined(units: Iterable[str | None]) -> str | None:
    """Returns the unit of a sum: None where no part says one, `CLASH` where two parts differ."""
    found = {unit for unit in units if unit is not None}
    if _UNSAID in found:
        return None
    return CLASH if len(found) > 1 else next(iter(found), None)


def differ(first: str | None, second: str | None) -> bool:
    """Tells whether both are said and are not the same."""
    return first is not None and second is not None and first != second
