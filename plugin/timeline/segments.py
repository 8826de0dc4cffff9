"""Couinaud segments: which of them overlap."""

from __future__ import annotations

from collections.abc import Collection

WHOLE = "liver"
_PART_OF = {"IVa": "IV", "IVb": "IV"}
ORDER = ("I", "II", "III", "IV", "IVa", "IVb", "V", "VI", "VII", "VIII", WHOLE)


def overlap(some: Collection[str], others: Collection[str]) -> bool:
    """Says whether two sets of segments share a place; IV holds IVa and IVb, the whole liver holds all."""
    if not some or not others:
        return False
    if WHOLE in some or WHOLE in others:
        return True
    return any(_same(one, other) for one in some for other in others)


def in_order(segments: Collection[str]) -> tuple[str, ...]:
    """Gives the segments in anatomical order."""
    return tuple(sorted(segments, key=lambda each: ORDER.index(each) if each in ORDER else len(ORDER)))


def _same(one: str, other: str) -> bool:
    return one == other or _PART_OF.get(one) == other or _PART_OF.get(other) == one
