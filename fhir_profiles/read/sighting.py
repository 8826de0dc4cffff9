"""Observations on one lesion in one study: visibility, size, measures, features and groups of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec.structs import replace

from fhir_profiles.codes import (
    CLASS_OF_METHOD,
    VISIBILITY_OF,
    Coded,
    Feature,
    Measure,
    Size,
    Topic,
)
from fhir_profiles.read.common import Context, Refused, shared, stated, when
from fhir_profiles.read.element import Json, Pair, codings, lookup, number, obj, objs, text, values
from fhir_profiles.read.feature import describe
from fhir_profiles.read.quantity import Length, length, measure
from fhir_profiles.read.reference import lesions_at, operations_of, studies_of, tokens
from fhir_profiles.read.site import place_among, segment_among
from fhir_profiles.records import PathologyNodule, Record, Sighting, StudyRef


def _pairs(*kinds: Coded) -> set[tuple[str, str]]:
    return {(kind.system, kind.code) for kind in kinds}


_LONGEST = _pairs(Size.LONGEST, Size.LONG_AXIS)
_OTHER = _pairs(Size.OTHER, Size.SHORT_AXIS)
_SIZE = _pairs(Size.TUMOUR_SIZE)
_VISIBILITY = _pairs(Topic.VISIBILITY)
_VISIBILITY_ALONE = codings(Topic.VISIBILITY.concept)
GROUP = _pairs(Topic.TIMEPOINT, Topic.MEASUREMENT_GROUP, Topic.FEATURE)
_PROPERTIES = set(lookup([Feature, Measure])) | _pairs(Size.TTSM)
_DESCRIBED = _PROPERTIES - _pairs(Feature.NEW_LESION, Size.TTSM)
_CLASSES = {(method.system, method.code): name for method, name in CLASS_OF_METHOD.items()}
_VISIBILITIES = {(value.system, value.code): said for value, said in VISIBILITY_OF.items()}
_KINDS_OF = (
    dict.fromkeys(_PROPERTIES, ("property",))
    | dict.fromkeys(_LONGEST | _SIZE, ("longest",))
    | dict.fromkeys(_OTHER, ("other",))
)
CODES = _SIZE | _LONGEST | _OTHER | _VISIBILITY | GROUP | _DESCRIBED


def method_of(resource: Json) -> str | None:
    """CT, MRI, US, PET, IOUS or CEIOUS from Observation.method; None when unknown or contradictory."""
    pairs = codings(resource.get("method"))
    if len(pairs) <= 1:
        return _CLASSES.get(pairs[0]) if pairs else None
    found = {name for pair in pairs if (name := _CLASSES.get(pair)) is not None}
    if "CEIOUS" in found:
        return "CEIOUS"
    if "IOUS" in found and found <= {"IOUS", "US"}:
        return "IOUS"
    return found.pop() if len(found) == 1 else None


def studies_for(resource: Json, ctx: Context, method: str | None) -> tuple[StudyRef, ...]:
    """The studies an Observation belongs to; the operation itself for an intraoperative one without a
    study."""
    found = studies_of(resource, ctx.base, "partOf", "derivedFrom")
    if not found and method in ("IOUS", "CEIOUS"):
        return operations_of(resource, ctx.base)
    return found


def read_sighting(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A Sighting, or a PathologyNodule where the size was taken on a specimen."""
    fields = _fields(resource, ctx.code)
    day, flags = when(resource, ctx)
    site = codings(resource.get("bodySite"))
    lesions = lesions_at(resource, ctx.base, segment_among(site) if site else None)
    if len(lesions) > 1:
        flags = (*flags, "several-lesions")
    lesion = lesions[0] if len(lesions) == 1 else None
    if resource.get("specimen") is not None:
        carried = stated(resource, ctx, day=day, flags=flags)
        return (PathologyNodule(**carried, lesion=lesion, mm=fields.get("mm")),)
    said = shared(resource, ctx, day, flags)
    if "hasMember" in resource and (group := tokens(resource["hasMember"], ctx.base, "Observation")):
        fields["members"] = group
    if not fields:
        raise Refused("value-not-accepted" if values(resource) else "no-value", "Observation.value[x]")
    if said.replaces:
        fields["replaces"] = said.replaces
    implied = fields.pop("implied", None)
    method = method_of(resource)
    record = Sighting(  # with more than 15 names the call makes a dict of them, and takes twice the time
        source=said.source,
        status=said.status,
        subject=said.subject,
        day=said.day,
        version=said.version,
        updated=said.updated,
        identifiers=said.identifiers,
        flags=said.flags,
        lesion=lesion,
        studies=studies_for(resource, ctx, method),
        method=method,
        region=place_among(site),
        visibility=fields.pop("visibility", None),
        explicit=fields.pop("explicit", False),
        mm=fields.pop("mm", None),
    )
    if fields:
        record = replace(record, **fields)
    if record.visibility == "not-visible" and implied == "visible":
        return _contradiction(record)
    return (record,)


def _contradiction(record: Sighting) -> tuple[Record, ...]:
    """Not seen, and yet measured: both statements, so that neither wins by being read last."""
    claim = replace(record, mm=None, other_mm=(), size_comparator=None, size_rejected=None)
    return claim, replace(record, visibility="visible", explicit=False)


def may_tell(resource: Json) -> bool:
    """True where an Observation of an unknown code may tell that a lesion is seen: by value or by length."""
    if "specimen" in resource or place_among(codings(resource.get("bodySite"))) == "other":
        return False
    stated = {_VISIBILITIES.get(pair) for pair in codings(resource.get("valueCodeableConcept"))}
    if stated & {"visible", "indeterminate"}:
        return True
    found = [length(element.get("valueQuantity")) for element in (resource, *objs(resource.get("component")))]
    return any(each.mm is not None or (each.positive and each.refused == "implausible") for each in found)


def _fields(resource: Json, own: tuple[Pair, ...]) -> dict[str, Any]:
    if own == _VISIBILITY_ALONE and "component" not in resource:
        return _visibility(resource)
    fields: dict[str, Any] = {}
    shown: list[tuple[str, str]] = []
    longest: list[Length] = []
    other: list[Length] = []
    texts: list[str] = []
    unusable: list[str] = []
    coded = _coded(own, resource)
    for pairs, element in coded:
        found = _kinds(pairs)
        if "property" in found:
            described = describe(pairs, element)
            shown += described.pop("features", ())
            measured = measure(pairs, element)
            unusable += measured.pop("unusable", ())
            fields |= described | measured
        if "longest" in found:
            longest += _lengths(element)
            if (written := text(element.get("valueString"))) is not None:
                texts.append(written)
        elif "other" in found:
            other += _lengths(element)
    if shown:
        fields["features"] = tuple(shown)
    if unusable:
        fields["unusable"] = tuple(dict.fromkeys(unusable))
    if longest or other:
        fields |= _sizes(longest, other)
    if texts:
        fields["size_text"] = "; ".join(texts)
    stating = [element for pairs, element in coded if not _VISIBILITY.isdisjoint(pairs)]
    if stating:
        fields["implied"] = fields.get("visibility")
        fields |= _agreed(stating)
    elif fields.get("visibility") is None and fields.get("ttsm"):
        fields["visibility"] = "visible"
    return fields


def _agreed(stating: list[Json]) -> dict[str, Any]:
    """What the resource and its components state; where they contradict each other, it is refused.

    A resource without a value of its own leaves it to its components.
    """
    own, *parts = stating
    if parts and not values(own) and own.get("dataAbsentReason") is None:
        stating = parts
    said = [_visibility(element) for element in stating]
    if any(other != said[0] for other in said):
        raise Refused("value-not-accepted", "Observation.component.value[x]")
    return said[0]


def _coded(own: tuple[Pair, ...], resource: Json) -> list[tuple[tuple[Pair, ...], Json]]:
    """The resource itself and its components, each with its codes."""
    found = [(own, resource)]
    for component in objs(resource.get("component")):
        found.append((codings(component.get("code")), component))
    return found


def _kinds(pairs: tuple[Pair, ...]) -> Collection[str]:
    """What codes stand for: a property, the longest diameter, another one."""
    if len(pairs) == 1:
        return _KINDS_OF.get(pairs[0], ())
    return {kind for pair in pairs for kind in _KINDS_OF.get(pair, ())}


def _visibility(resource: Json) -> dict[str, Any]:
    """The stated visibility; a value that is no accepted code refuses the Observation rather than be
    guessed."""
    if "dataAbsentReason" not in resource:
        found = {_VISIBILITIES.get(pair) for pair in codings(resource.get("valueCodeableConcept"))}
        found.discard(None)
        if len(found) == 1:
            return {"visibility": found.pop(), "explicit": True}
    if not values(resource) and resource.get("dataAbsentReason") is not None:
        return {"visibility": "not-assessed", "explicit": True}
    raise Refused("value-not-accepted" if values(resource) else "no-value", "Observation.value[x]")


def _sizes(longest: list[Length], other: list[Length]) -> dict[str, Any]:
    if len(longest) == 1 and not other and (only := longest[0]).mm is not None:
        plain = {"visibility": "visible", "mm": only.mm}
        return plain if only.comparator is None else plain | {"size_comparator": only.comparator}
    fields: dict[str, Any] = _longest(longest, other)
    counted = tuple(found.mm for found in other if found.mm is not None)
    if counted:
        fields["other_mm"] = counted
    return fields


def _lengths(element: Json) -> list[Length]:
    if "valueQuantity" in element:
        return [length(element["valueQuantity"])]
    given = obj(element.get("valueRange"))
    if given:
        bounds = [length(given.get("low")), length(given.get("high"))]
        return [Length(positive=any(bound.positive for bound in bounds), refused="range")]
    if "valueInteger" in element:
        value = number(element["valueInteger"])
        return [Length(positive=value is not None and value > 0, zero=value == 0, refused="unit")]
    return []


def _longest(longest: list[Length], other: list[Length]) -> dict[str, Any]:
    """Size fields: the one longest diameter; two different ones refuse the size, never the sighting."""
    counted = [found for found in longest if found.mm is not None]
    refused = next((found.refused for found in longest if found.refused), None)
    if len(counted) > 1 and len({found.mm for found in counted}) > 1:
        refused = "several"
    fields: dict[str, Any] = {}
    if counted or any(found.positive for found in (*longest, *other)):
        fields["visibility"] = "visible"
    elif any(found.zero for found in longest):
        return {"zero_size": True}
    if refused is not None:
        return fields | {"size_rejected": refused}
    if counted:
        fields["mm"] = counted[0].mm
        fields["size_comparator"] = counted[0].comparator
    return fields
