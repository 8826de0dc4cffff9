"""BodyStructure: a tracked lesion."""

from __future__ import annotations

from fhir_profiles.read.common import Context, key, stated
from fhir_profiles.read.element import Json, extensions, flag, obj
from fhir_profiles.read.feature import nature_of
from fhir_profiles.read.reference import (
    LESION_EXTENSION,
    identity,
    lesion_of,
    lesion_of_body,
    structure_sites,
)
from fhir_profiles.read.site import place_of, segments_of
from fhir_profiles.records import LesionRecord, LesionRef, Record

SPLIT_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-split-from"
NATURE_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-nature"


def read_body(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One tracked lesion; a BodyStructure of another organ is told by `liver` False."""
    uids, labels = identity(resource.get("identifier"))
    sites = [site for site in structure_sites(resource) if site is not None]
    segments = tuple(dict.fromkeys(found for site in sites for found in segments_of(site)))
    regions = {place_of(site) for site in sites}
    nature = next((nature_of(item) for item in extensions(resource, NATURE_EXTENSION)), None)
    return (
        LesionRecord(
            **stated(resource, ctx),
            ref=lesion_of_body(resource, key(resource)),
            uids=uids,
            labels=labels,
            segments=segments,
            liver=True if "liver" in regions else (False if regions == {"other"} else None),
            nature=nature,
            active=flag(resource.get("active")),
            merged_into=_named(resource, LESION_EXTENSION, ctx),
            split_from=_named(resource, SPLIT_EXTENSION, ctx),
        ),
    )


def _named(resource: Json, url: str, ctx: Context) -> LesionRef | None:
    """The one lesion that extensions of the URL name; None where they name none, or two."""
    found = {
        lesion_of(obj(each.get("valueReference")), resource, ctx.base, None)
        for each in extensions(resource, url)
    }
    return found.pop() if len(found) == 1 else None
