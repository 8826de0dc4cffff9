"""BodyStructure: a tracked lesion."""

from __future__ import annotations

from msgspec.structs import replace

from fhir_profiles.read.common import Context, shared
from fhir_profiles.read.element import Json, extensions, flag, obj
from fhir_profiles.read.feature import nature_of
from fhir_profiles.read.reference import (
    LESION_EXTENSION,
    identity,
    lesion_of,
    lesion_of_body,
    sites_of,
)
from fhir_profiles.read.site import place_among, segments_among
from fhir_profiles.records import LesionRecord, LesionRef, Record

SPLIT_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-split-from"
NATURE_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-nature"


def read_body(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One tracked lesion; a BodyStructure of another organ is told by `liver` False."""
    identifiers = identity(resource.get("identifier"))
    sites = sites_of(resource)
    segments = tuple(dict.fromkeys(found for site in sites for found in segments_among(site)))
    regions = {place_among(site) for site in sites}
    said = shared(resource, ctx)
    record = LesionRecord(
        source=said.source,
        status=said.status,
        subject=said.subject,
        version=said.version,
        updated=said.updated,
        identifiers=said.identifiers,
        replaces=said.replaces,
        flags=said.flags,
        ref=lesion_of_body(identifiers, sites, ctx.key),
        uids=identifiers[0],
        labels=identifiers[1],
        segments=segments,
        liver=True if "liver" in regions else (False if regions == {"other"} else None),
        active=flag(resource.get("active")),
    )
    return (_extended(record, resource, ctx) if "extension" in resource else record,)


def _extended(record: LesionRecord, resource: Json, ctx: Context) -> LesionRecord:
    """The same with its nature, and the lesion it merged into or split off."""
    return replace(
        record,
        nature=next((nature_of(item) for item in extensions(resource, NATURE_EXTENSION)), None),
        merged_into=_named(resource, LESION_EXTENSION, ctx),
        split_from=_named(resource, SPLIT_EXTENSION, ctx),
    )


def _named(resource: Json, url: str, ctx: Context) -> LesionRef | None:
    """The one lesion that extensions of the URL name; None where they name none, or two."""
    found = {
        lesion_of(obj(each.get("valueReference")), resource, ctx.base, None)
        for each in extensions(resource, url)
    }
    return found.pop() if len(found) == 1 else None
