"""The adequacy Observation of one examination and its protocol."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from fhir_profiles.codes import CONTRAST_OF, Contrast, Protocol, ProtocolValue, Topic
from fhir_profiles.read.common import Context, Refused, shared, when
from fhir_profiles.read.element import Json, member, members, number, obj, parts, unit_of, whole, yes_no
from fhir_profiles.read.quantity import length
from fhir_profiles.read.sighting import method_of, studies_for
from fhir_profiles.read.site import segment_of
from fhir_profiles.records import ExamAdequacy, Record

CODES = {(Topic.ADEQUACY.system, Topic.ADEQUACY.code)}
_ADEQUACY = {
    ProtocolValue.ADEQUATE: "adequate",
    ProtocolValue.LIMITED: "limited",
    ProtocolValue.NON_DIAGNOSTIC: "non-diagnostic",
}
_QUALITY = {ProtocolValue.GOOD: "good", ProtocolValue.POOR: "poor"}
_COVERAGE = {ProtocolValue.WHOLE_LIVER: "whole-liver", ProtocolValue.PARTIAL: "partial"}
_RETICULATION = {
    ProtocolValue.NONE: "none",
    ProtocolValue.DIFFUSE: "diffuse",
    ProtocolValue.SEGMENTS: "segments",
}
_YES_NO = {
    Protocol.HBP: "hbp",
    Protocol.HBP_DELAYED: "hbp_delayed",
    Protocol.DWI: "dwi",
    Protocol.LESION_MAP: "lesion_map",
}
_CODED = {
    Protocol.HBP_QUALITY: ("hbp_quality", _QUALITY),
    Protocol.COVERAGE: ("coverage", _COVERAGE),
    Protocol.RETICULATION: ("reticulation", _RETICULATION),
}
_SEGMENTS = {
    Protocol.COVERED: "covered_segments",
    Protocol.EXCLUDED: "excluded_segments",
    Protocol.ARTEFACT_SEGMENT: "artefact_segments",
    Protocol.RETICULATION_SEGMENT: "reticulation_segments",
}
# Before Python 3.12 each look at a member of an enum takes a call.
_AGENT = Protocol.AGENT
_ARTEFACT = Protocol.ARTEFACT
_SLICE = Protocol.SLICE
_MAX_B = Protocol.MAX_B
_B_UNITS = {"s/mm2", None}
_MAX_SLICE = 20


def read_adequacy(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """The reader's statement on one examination; refused when it states nothing that is understood."""
    fields: dict[str, Any] = {}
    for concept, component in parts(resource):
        for name, value in _component(concept, component).items():
            fields[name] = (*fields.get(name, ()), *value) if isinstance(value, tuple) else value
    if fields.get("artefact_segments") and fields.get("artefact") is None:
        fields["artefact"] = "present"
    found = member(resource.get("valueCodeableConcept"), ProtocolValue)
    adequacy = _ADEQUACY.get(found) if found is not None else None
    if adequacy is None and not fields:
        raise Refused("value-not-accepted", "Observation.value[x]")
    method = method_of(resource)
    day, flags = when(resource, ctx)
    said = shared(resource, ctx, day, flags)
    record = ExamAdequacy(
        source=said.source,
        status=said.status,
        subject=said.subject,
        day=said.day,
        version=said.version,
        updated=said.updated,
        identifiers=said.identifiers,
        replaces=said.replaces,
        flags=said.flags,
        studies=studies_for(resource, ctx, method),
        method=method,
        adequacy=adequacy,
    )
    return (replace(record, **fields) if fields else record,)


def _component(concept: object, component: Json) -> dict[str, Any]:
    kind = member(concept, Protocol)
    value = component.get("valueCodeableConcept")
    if kind in _YES_NO:
        given = yes_no(component)
        return {} if given is None else {_YES_NO[kind]: given}
    if kind in _CODED:
        name, table = _CODED[kind]
        found = member(value, ProtocolValue)
        return {name: table[found]} if found in table else {}
    if kind in _SEGMENTS:
        segment = segment_of(value)
        return {_SEGMENTS[kind]: (segment,)} if segment else {}
    if kind is _AGENT:
        agents = {CONTRAST_OF[agent] for agent in members(value, Contrast)}
        return {"agent": agents.pop()} if len(agents) == 1 else {}
    if kind is _ARTEFACT:
        return _artefact(component)
    return _number(kind, component)


def _artefact(component: Json) -> dict[str, Any]:
    found = set(members(component.get("valueCodeableConcept"), ProtocolValue))
    if found & {ProtocolValue.MOTION, ProtocolValue.INHOMOGENEITY}:
        return {"artefact": "present"}
    given = yes_no(component)
    return {} if given is None else {"artefact": "present" if given else "none"}


def _number(kind: Protocol | None, component: Json) -> dict[str, Any]:
    if kind is _SLICE:
        thickness = length(component.get("valueQuantity")).mm
        return {"slice_mm": thickness} if thickness is not None and thickness <= _MAX_SLICE else {}
    if kind is _MAX_B:
        quantity = obj(component.get("valueQuantity"))
        given = whole(component.get("valueInteger"))
        if given is None and unit_of(quantity) in _B_UNITS and number(quantity.get("value")) is not None:
            given = whole(quantity.get("value"))
        return {"max_b": given} if given is not None and given >= 0 else {}
    return {}
