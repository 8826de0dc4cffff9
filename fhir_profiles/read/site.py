"""Body sites: the segments they name, and whether they hold the liver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhir_profiles.codes import REGION_OF, SEGMENT_OF, Organ
from fhir_profiles.read.element import Pair, codings

_SEGMENTS = {(site.system, site.code): segment for site, segment in SEGMENT_OF.items()}
_REGIONS = {(site.system, site.code): region for site, region in REGION_OF.items()}
_PLACES = _REGIONS | {(organ.system, organ.code): "other" for organ in Organ}


def segments_of(value: object) -> tuple[str, ...]:
    """Couinaud segments (or "liver") that a body site names."""
    return segments_among(codings(value))


def segments_among(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """The same for the codes of a body site."""
    if len(pairs) == 1:
        only = _SEGMENTS.get(pairs[0])
        return (only,) if only is not None else ()
    return tuple(dict.fromkeys(_SEGMENTS[pair] for pair in pairs if pair in _SEGMENTS))


def segment_of(value: object) -> str | None:
    """The one segment a body site names; the whole liver only where nothing narrower is named."""
    return segment_among(codings(value))


def segment_among(pairs: Sequence[Pair]) -> str | None:
    """The same for the codes of a body site."""
    if len(pairs) == 1:
        return _SEGMENTS.get(pairs[0])
    segments = segments_among(pairs)
    if len(segments) > 1:
        segments = tuple(segment for segment in segments if segment != "liver")
    return segments[0] if len(segments) == 1 else None


def region_of(value: object) -> str | None:
    """The region of an examination: liver, abdomen, whole-body or other; None when its codes are unknown."""
    return _widest(codings(value), _REGIONS)


def place_among(pairs: Sequence[Pair]) -> str | None:
    """The place of a lesion in the same words, by the codes of its site; another organ is "other"."""
    return _PLACES.get(pairs[0]) if len(pairs) == 1 else _widest(pairs, _PLACES)


def _widest(pairs: Sequence[Pair], table: Mapping[Pair, str]) -> str | None:
    if len(pairs) <= 1:
        return table.get(pairs[0]) if pairs else None
    found = [table[pair] for pair in pairs if pair in table]
    if len(found) <= 1:
        return found[0] if found else None
    return next((region for region in ("liver", "abdomen", "whole-body") if region in found), "other")
