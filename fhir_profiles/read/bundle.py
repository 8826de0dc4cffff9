"""Bundles: their resources, with references between entries turned into "Type/id"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_profiles.read.element import is_object, obj, objs, text
from fhir_profiles.read.reference import normalise, with_references

_SELECTION = "ImagingSelection"


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
    """The resource with the Medication it refers to, in R4 form or, as a CodeableReference, in R5 form."""
    for name, holder in (("medicationReference", resource), ("reference", obj(resource.get("medication")))):
        reference = obj(holder.get(name))
        found = medications.get(normalise(reference.get("reference"), base) or "")
        if found is not None:
            local = {"reference": "#medication"}
            changed = {name: local} if holder is resource else {"medication": {**holder, name: local}}
            # In front: another contained resource may have the same id.
            inner = dict(found) | {"id": "medication"}
            return dict(resource) | changed | {"contained": [inner, *objs(resource.get("contained"))]}
    return resource


def with_selections(
    resources: Iterable[Mapping[str, Any]], base: str | None = None
) -> tuple[Mapping[str, Any], ...]:
    """The same resources, each ImagingSelection (R5) that an Observation derives from copied into it.

    One that was entered in error, or is there in versions that differ, names no study.
    """
    given = tuple(resources)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for item in given:
        if (type(item) is dict or is_object(item)) and item.get("resourceType") == _SELECTION:
            found.setdefault(f"{_SELECTION}/{item.get('id')}", []).append(item)
    selections = {
        key: versions[0]
        for key, versions in found.items()
        if versions[0].get("status") != "entered-in-error" and all(one == versions[0] for one in versions)
    }
    if not selections:
        return given
    return tuple(_with_selections(item, selections, base) for item in given)


def _with_selections(
    resource: Mapping[str, Any], selections: Mapping[str, Mapping[str, Any]], base: str | None
) -> Mapping[str, Any]:
    if not is_object(resource) or resource.get("resourceType") != "Observation":
        return resource
    links: list[Mapping[str, Any]] = []
    inner: list[Mapping[str, Any]] = []
    for link in objs(resource.get("derivedFrom")):
        selection = selections.get(normalise(link.get("reference"), base) or "")
        if selection is not None:
            name = f"selection-{len(inner) + 1}"
            inner.append(dict(selection) | {"id": name})
            link = {"reference": f"#{name}"}
        links.append(link)
    if not inner:
        return resource
    return dict(resource) | {
        "derivedFrom": links,
        "contained": [*inner, *objs(resource.get("contained"))],
    }
