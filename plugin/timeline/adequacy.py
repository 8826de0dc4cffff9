"""What readers say of the quality of one examination, put together; where they differ, the worse counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from fhir_profiles.records import ExamAdequacy

T = TypeVar("T")

_WORSE = {
    "adequacy": ("non-diagnostic", "limited", "adequate"),
    "hbp_quality": ("poor", "good"),
    "coverage": ("partial", "whole-liver"),
    "artefact": ("present", "none"),
    "reticulation": ("diffuse", "segments", "none"),
}
_ALL_YES = ("hbp", "hbp_delayed", "dwi", "lesion_map")
_SEGMENTS = ("covered_segments", "excluded_segments", "artefact_segments", "reticulation_segments")


def together(records: Sequence[ExamAdequacy]) -> ExamAdequacy | None:
    """Gives one statement out of several on one examination; None for none."""
    if len(records) <= 1:
        return records[0] if records else None
    ordered = sorted(records, key=lambda record: record.source)
    merged: dict[str, Any] = {
        name: _first_of(scale, [getattr(record, name) for record in ordered])
        for name, scale in _WORSE.items()
    }
    for name in _ALL_YES:
        said = [value for record in ordered if (value := getattr(record, name)) is not None]
        merged[name] = all(said) if said else None
    for name in _SEGMENTS:
        merged[name] = tuple(sorted({each for record in ordered for each in getattr(record, name)}))
    agents = {record.agent for record in ordered if record.agent is not None}
    merged["agent"] = agents.pop() if len(agents) == 1 else None
    merged["max_b"] = _extreme(min, [record.max_b for record in ordered])
    merged["slice_mm"] = _extreme(max, [record.slice_mm for record in ordered])
    return replace(ordered[0], **merged)


def _first_of(scale: tuple[str, ...], values: list[str | None]) -> str | None:
    return next((each for each in scale if each in values), None)


def _extreme(choose: Callable[[list[T]], T], values: Sequence[T | None]) -> T | None:
    known = [value for value in values if value is not None]
    return choose(known) if known else None
