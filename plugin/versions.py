"""Versions of one resource: which is the newest, and which of them cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

_LONGEST = 18
"""Digits of a version number; a longer one is no number that a server counts with."""


def newest(versions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the newest version; several, in an order of their own, where versions cannot be ranked."""
    # The same resource comes by several searches; letter by letter the same, nothing is to be ranked.
    if len(versions) == 1 or len({msgspec.json.encode(each) for each in versions}) == 1:
        return [versions[0]]
    ranks = [_rank(each) for each in versions]
    top = max(ranks)
    kept: dict[bytes, Mapping[str, Any]] = {}
    for rank, each in zip(ranks, versions, strict=True):
        if rank == top:
            kept.setdefault(_content(each), each)
    return [kept[content] for content in sorted(kept)]


def _content(resource: Mapping[str, Any]) -> bytes:
    """What a resource says, written; its narrative and what a server says about it are no content."""
    said = {name: value for name, value in resource.items() if name not in ("text", "meta")}
    return msgspec.json.encode(said, order="sorted")


def _rank(resource: Mapping[str, Any]) -> tuple[int, float]:
    """Orders versions: by a numeric version, else by the time of the last change."""
    meta = resource.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    version = str(meta.get("versionId") or "")
    counted = version.isascii() and version.isdigit() and len(version) <= _LONGEST
    return (int(version) if counted else -1, _moment(meta.get("lastUpdated")))


def _moment(text: object) -> float:
    try:
        stamp = datetime.fromisoformat(str(text))
        return (stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0
