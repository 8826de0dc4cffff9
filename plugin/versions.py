"""Versions of one resource: which is the newest, and which of them cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

_LONGEST = 18
"""Digits of a version number; a longer one is no number that a server counts with."""


def newest(versions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the newest version; several, in an order of their own, where versions cannot be ranked."""
    # The same resource comes by several searches; letter by letter the same, nothing is to be ranked.
    if len(versions) == 1 or len({msgspec.json.encode(each) for each in versions}) == 1:
        return [versions[0]]
    ranks = [_rank(each) for each in versions]
    last = [
        each for own, each in zip(ranks, versions, strict=True) if not any(_older(own, one) for one in ranks)
    ]
    kept: dict[bytes, Mapping[str, Any]] = {}
    # By number and by time at once, versions may seem to follow each other in a circle: none is the newest.
    for each in last or versions:
        kept.setdefault(_content(each), each)
    return [kept[content] for content in sorted(kept)]


def _content(resource: Mapping[str, Any]) -> bytes:
    """What a resource says, written; its narrative and what a server says about it are no content."""
    said = {name: value for name, value in resource.items() if name not in ("text", "meta")}
    return msgspec.json.encode(said, order="sorted")


_Rank: TypeAlias = tuple[int | None, float | None]


def _rank(resource: Mapping[str, Any]) -> _Rank:
    """Returns the number of a version and the time of its last change, where they can be read."""
    meta = resource.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    version = str(meta.get("versionId") or "")
    counted = version.isascii() and version.isdigit() and len(version) <= _LONGEST
    return (int(version) if counted else None, _moment(meta.get("lastUpdated")))


def _older(one: _Rank, other: _Rank) -> bool:
    """Says whether one version is older for certain: by number where both have one, else by time."""
    numbers, times = (one[0], other[0]), (one[1], other[1])
    if None not in numbers and one[0] != other[0]:
        return numbers[0] < numbers[1]  # type: ignore[operator]
    return None not in times and times[0] < times[1]  # type: ignore[operator]


def _moment(text: object) -> float | None:
    try:
        stamp = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    # Taken apart, since the first and the last day of the calendar have no other zone.
    ahead = stamp.utcoffset() or timedelta()
    return stamp.replace(tzinfo=UTC).timestamp() - ahead.total_seconds()
