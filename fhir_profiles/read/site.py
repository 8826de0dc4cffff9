"""Body sites: the segments they name, and whether they hold the liver."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_profiles.codes import REGION_OF, SEGMENT_OF, Organ
from fhir_profiles.read.element import codings

_SEGMENTS = {(site.system, site.code): segment for site, segment in SEGMENT_OF.items()}
_REGIONS = {(site.system, site.code): region for site, region in REGION_OF.items()}
_PLACES = _REGIONS | {(organ.system, organ.code): "other" for organ in Organ}


def segments_of(value: object) -> tuple[str, ...]:
    """Couinaud segments (or "liver") that a body site names."""
    found = [segment for pair in codings(value) if (segment := _SEGMENTS.get(pair)) is not None]
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def segment_of(value: object) -> str | None:
    """The one segment a body site names; the whole liver only where nothing narrower is named."""
    segments = segments_of(value)
    if len(segments) > 1:
        segments = tuple(segment for segment in segments if segment != "liver")
    return segments[0] if len(segments) == 1 else None


def region_of(value: object) -> str | None:
    """The region of an examination: liver, abdomen, whole-body or other; None when its codes are unknown."""
    return _widest(value, _REGIONS)


def place_of(value: object) -> str | None:
    """The place of a lesion in the same words; another organ is "other"."""
    return _widest(value, _PLACES)


def _widest(value: object, table: Mapping[tuple[str, str], str]) -> str | None:
    found = [region for pair in codings(value) if (region := table.get(pair)) is not None]
    if len(found) <= 1:
        return found[0] if found else None
    return next((region for region in ("liver", "abdomen", "whole-body") if region in found), "other")
