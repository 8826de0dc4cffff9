"""Bundles: their resources, with references between entries turned into "Type/id"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_profiles.read.element import is_object, obj, objs, text
from fhir_profiles.read.reference import normalise, with_references


def unbundle(bundle: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The resources of a Bundle (nested ones too), urn references resolved; entries without a resource
    are left out.

    Entries of search mode outcome, and OperationOutcomes, are not resources of the patient and are left
    out.
    """
    entries = list(_entries(bundle))
    names = {}
    for url, resource in entries:
        kind, given = text(resource.get("resourceType")), text(resource.get("id"))
        if url is not None and url.startswith("urn:") and kind is not None:
            names[url] = f"{kind}/{given or url.rsplit(':', 1)[-1]}"
    found = []
    for url, resource in entries:
        named = with_references(resource, lambda url: names.get(url, url)) if names else dict(resource)
        if url in names and text(named.get("id")) is None:
            named["id"] = names[url].split("/", 1)[1]
        found.append(named)
    return tuple(found)


def _entries(bundle: Mapping[str, Any]) -> Iterable[tuple[str | None, Mapping[str, Any]]]:
    for entry in objs(bundle.get("entry")):
        resource = obj(entry.get("resource"))
        kind = resource.get("resourceType")
        if kind == "Bundle":
            yield from _entries(resource)
        elif resource and kind != "OperationOutcome" and obj(entry.get("search")).get("mode") != "outcome":
            yield text(entry.get("fullUrl")), resource


def with_medications(
    resources: Iterable[Mapping[str, Any]], base: str | None = None
) -> tuple[Mapping[str, Any], ...]:
    """The same resources, each Medication that is referred to copied into the resource that refers to it."""
    given = tuple(resources)
    medications = {
        f"Medication/{item.get('id')}": item
        for item in given
        if (type(item) is dict or is_object(item)) and item.get("resourceType") == "Medication"
    }
    if not medications:
        return given
    return tuple(_with_medication(item, medications, base) if is_object(item) else item for item in given)


def _with_medication(
    resource: Mapping[str, Any], medications: Mapping[str, Mapping[str, Any]], base: str | None
) -> Mapping[str, Any]:
    reference = obj(resource.get("medicationReference"))
    found = medications.get(normalise(reference.get("reference"), base) or "")
    if found is None:
        return resource
    inner = dict(found) | {"id": "medication"}
    others = list(objs(resource.get("contained")))
    return dict(resource) | {
        "contained": [*others, inner],
        "medicationReference": {"reference": "#medication"},
    }
