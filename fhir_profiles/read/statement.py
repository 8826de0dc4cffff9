"""Local Observations on plans and lasting properties, pathology and response."""

from __future__ import annotations

from typing import Any

from fhir_profiles.codes import (
    BIOPSY_OF,
    REASON_OF,
    Attribute,
    AttributeValue,
    BiopsyResult,
    Coded,
    Disposition,
    Feature,
    FeatureValue,
    Reason,
    Response,
    Topic,
)
from fhir_profiles.read.common import Context, Refused, stated, when
from fhir_profiles.read.element import (
    Json,
    member,
    members,
    number,
    obj,
    parts,
    values,
    whole,
    yes_no,
)
from fhir_profiles.read.feature import nature_of
from fhir_profiles.read.quantity import length, percent
from fhir_profiles.read.reference import lesion_of, lesions_of, tokens
from fhir_profiles.read.sighting import method_of, studies_for
from fhir_profiles.records import (
    Biopsy,
    LesionAttribute,
    LesionRef,
    NewLesionStatement,
    PathologyNodule,
    PlanMembership,
    Record,
    ResponseStatement,
)
from fhir_profiles.records import (
    Disposition as DispositionRecord,
)

DISPOSITION_OF: dict[Disposition, str] = {
    Disposition.RESECT: "resect",
    Disposition.ABLATE: "ablate",
    Disposition.WATCH_AND_WAIT: "watch-and-wait",
    Disposition.LEFT_IN_SITU: "left-in-situ",
    Disposition.UNDECIDED: "undecided",
    Disposition.WATCHFUL_WAITING: "watch-and-wait",
    Disposition.ACTIVE_SURVEILLANCE: "watch-and-wait",
}
PATIENT_LEVEL = {Disposition.WATCHFUL_WAITING, Disposition.ACTIVE_SURVEILLANCE}
_EXTRA = {
    AttributeValue.NONE: "none",
    AttributeValue.WEDGE: "wedge",
    AttributeValue.SEGMENTECTOMY: "segmentectomy",
    AttributeValue.SECTIONECTOMY: "sectionectomy",
    AttributeValue.HEMIHEPATECTOMY: "hemihepatectomy",
}
_CHARACTERISED = {AttributeValue.DEFINITE: "definite", AttributeValue.PRESUMED: "presumed"}
_ROLE = {FeatureValue.TARGET: "target", FeatureValue.NON_TARGET: "non-target"}
_MAX_DEPTH = 150
_CATEGORY = {
    Response.TARGET_CR: "CR",
    Response.TARGET_PR: "PR",
    Response.TARGET_PD: "PD",
    Response.TARGET_SD: "SD",
    Response.NON_TARGET_CR: "non-target-CR",
    Response.NON_TARGET_SD: "non-target-SD",
    Response.NON_TARGET_PD: "non-target-PD",
}
_CRITERION = {Response.RECIST_1_1: "recist11", Response.RECIST_1_0: "recist10"}


def _codes(*kinds: Coded) -> set[tuple[str, str]]:
    return {(kind.system, kind.code) for kind in kinds}


DISPOSITION_CODES = _codes(Topic.DISPOSITION)
ATTRIBUTE_CODES = _codes(Topic.ATTRIBUTE, Attribute.DEPTH, Attribute.MARKER, Attribute.MARKER_MIGRATED)
MEMBERSHIP_CODES = _codes(Topic.MEMBERSHIP)
NEW_LESION_CODES = _codes(Feature.NEW_LESION)
PATHOLOGY_CODES = _codes(Topic.PATHOLOGY)
BIOPSY_CODES = _codes(Topic.BIOPSY)
RESPONSE_CODES = _codes(Response.CURRENT)


def _shared(resource: Json, ctx: Context) -> dict[str, Any]:
    day, flags = when(resource, ctx)
    return stated(resource, ctx, day=day, flags=flags)


def _lesion(resource: Json, ctx: Context) -> LesionRef:
    lesions = lesions_of(resource, ctx.base)
    if len(lesions) != 1:
        raise Refused("no-lesion", "Observation.focus")
    return lesions[0]


def reason_of(concept: object) -> str | None:
    """Coded reason of a disposition."""
    found = member(concept, Reason)
    return REASON_OF[found] if found is not None else None


def read_disposition(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """What is to happen with one lesion, or with all where the patient's level is stated or no lesion
    named."""
    found = member(resource.get("valueCodeableConcept"), Disposition)
    if found is None:
        raise Refused("value-not-accepted" if values(resource) else "no-value", "Observation.value[x]")
    lesions = lesions_of(resource, ctx.base)
    level, reason = None, None
    for concept, component in parts(resource):
        kind, value = member(concept, Attribute), component.get("valueCodeableConcept")
        if kind is Attribute.LEVEL:
            level = member(value, AttributeValue)
        elif kind is Attribute.REASON:
            reason = reason_of(value)
    whole_patient = found in PATIENT_LEVEL or level is AttributeValue.PATIENT or not lesions
    return (
        DispositionRecord(
            **_shared(resource, ctx),
            level="patient" if whole_patient else "lesion",
            disposition=DISPOSITION_OF[found],
            reason=reason,
            lesions=() if whole_patient else lesions,
        ),
    )


def read_attribute(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """Lasting properties of one lesion, from components or from an Observation of one property."""
    fields: dict[str, Any] = {}
    for concept, element in [(resource.get("code"), resource), *parts(resource)]:
        fields |= _attribute(concept, element, ctx)
    if not fields:
        raise Refused("value-not-accepted", "Observation.component")
    return (LesionAttribute(**_shared(resource, ctx), lesion=_lesion(resource, ctx), **fields),)


def _attribute(concept: object, element: Json, ctx: Context) -> dict[str, Any]:
    kind, value = member(concept, Attribute), element.get("valueCodeableConcept")
    answer, term = yes_no(element), member(value, AttributeValue)
    if kind is Attribute.DEPTH:
        depth = length(element.get("valueQuantity"))
        if depth.zero:
            return {"depth_mm": number(0)}
        return {"depth_mm": depth.mm} if depth.mm is not None and depth.mm <= _MAX_DEPTH else {}
    if kind in (Attribute.MARKER, Attribute.MARKER_MIGRATED) and answer is not None:
        return {"marker" if kind is Attribute.MARKER else "marker_migrated": answer}
    if kind is Attribute.EXTRA_RESECTION and term in _EXTRA:
        return {"extra_resection": _EXTRA[term]}
    if kind is Attribute.CHARACTERISED and term in _CHARACTERISED:
        return {"characterised": _CHARACTERISED[term]}
    if kind is Attribute.MERGED_INTO:
        merged = lesion_of(obj(element.get("valueReference")), {}, ctx.base, None)
        return {"merged_into": merged} if merged is not None else {}
    return _role_or_nature(concept, element)


def _role_or_nature(concept: object, element: Json) -> dict[str, Any]:
    kind = member(concept, Feature)
    if kind is Feature.TARGET_ROLE:
        role = member(element.get("valueCodeableConcept"), FeatureValue)
        return {"target_role": _ROLE[role]} if role in _ROLE else {}
    nature = nature_of(element) if kind is Feature.NATURE else None
    return {"nature": nature} if nature is not None else {}


def read_membership(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """Whether the planned specimen, or the future liver remnant, holds the site of one lesion."""
    fields: dict[str, Any] = {}
    inside = yes_no(resource)
    for concept, component in parts(resource):
        kind, answer = member(concept, Attribute), yes_no(component)
        if kind is Attribute.IN_SPECIMEN:
            inside = answer
        elif kind is Attribute.IN_REMNANT and answer is not None:
            fields["in_future_remnant"] = answer
    if inside is None and not fields:
        raise Refused("value-not-accepted", "Observation.component")
    orders = tokens(resource.get("basedOn"), ctx.base)
    record = PlanMembership(
        **_shared(resource, ctx),
        lesion=_lesion(resource, ctx),
        in_specimen=inside,
        plan=orders[0] if orders else None,
        **fields,
    )
    return (record,)


def read_new_lesion(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A reader's statement on novelty; indeterminate or not understood leaves the statement open."""
    found = member(resource.get("valueCodeableConcept"), FeatureValue)
    method = method_of(resource)
    lesions = lesions_of(resource, ctx.base)
    record = NewLesionStatement(
        **_shared(resource, ctx),
        lesion=lesions[0] if len(lesions) == 1 else None,
        statement={FeatureValue.NEW: "new", FeatureValue.NOT_NEW: "not-new"}.get(found) if found else None,
        studies=studies_for(resource, ctx, method),
        method=method,
    )
    return (record,)


def read_pathology(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """Regression grade and viable cells of one nodule, and whether the specimen holds the lesion at all."""
    trg = viable = found = None
    for concept, component in parts(resource):
        kind = member(concept, Attribute)
        if kind is Attribute.TRG:
            grade = whole(component.get("valueInteger"))
            trg = grade if grade is not None and 1 <= grade <= 5 else None
        elif kind is Attribute.VIABLE:
            viable = percent(component)
        elif kind is Attribute.FOUND:
            found = yes_no(component)
    if found is False and (trg is not None or viable):
        raise Refused("value-not-accepted", "Observation.component: not found, and graded")
    if trg is None and viable is None and found is None:
        raise Refused("value-not-accepted", "Observation.component")
    lesions = lesions_of(resource, ctx.base)
    lesion = lesions[0] if len(lesions) == 1 else None
    shared = _shared(resource, ctx)
    return (PathologyNodule(**shared, lesion=lesion, found=found, trg=trg, viable_percent=viable),)


def read_biopsy(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """The result of a biopsy of one lesion."""
    found = member(resource.get("valueCodeableConcept"), BiopsyResult)
    if found is None:
        raise Refused("value-not-accepted" if values(resource) else "no-value", "Observation.value[x]")
    return (Biopsy(**_shared(resource, ctx), lesion=_lesion(resource, ctx), result=BIOPSY_OF[found]),)


def read_response(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A coded response category; its criterion only where the method names it."""
    found = member(resource.get("valueCodeableConcept"), Response)
    if found not in _CATEGORY:
        raise Refused("value-not-accepted", "Observation.value[x]")
    criteria = [_CRITERION[one] for one in members(resource.get("method"), Response) if one in _CRITERION]
    lesions = lesions_of(resource, ctx.base)
    record = ResponseStatement(
        **_shared(resource, ctx),
        category=_CATEGORY[found],
        criterion=criteria[0] if len(criteria) == 1 else None,
        lesion=lesions[0] if len(lesions) == 1 else None,
        studies=studies_for(resource, ctx, None),
    )
    return (record,)
