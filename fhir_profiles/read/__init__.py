"""Reads one FHIR resource, of R4, R4B or R5, into records; what cannot be used becomes a Rejected with
its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from fhir_profiles.read import (
    adequacy,
    fact,
    laboratory,
    lesion,
    medication,
    patient,
    plan,
    procedure,
    sighting,
    statement,
    study,
)
from fhir_profiles.read.bundle import unbundle, with_medications, with_selections
from fhir_profiles.read.common import Context, Refused, rejected, subject_of, token, when
from fhir_profiles.read.element import Pair, codings, is_object, text, values
from fhir_profiles.read.reference import lesions_of, normalise, shortened
from fhir_profiles.records import FINAL_STATUSES, VOID_STATUSES, Record, Rejected

__all__ = ["normalise", "read", "subject_of", "token", "unbundle", "with_medications", "with_selections"]

Reader = Callable[[Mapping[str, Any], Context], tuple[Record, ...]]

_READERS: dict[str, Reader] = {
    "BodyStructure": lesion.read_body,
    "ImagingStudy": study.read_study,
    "DiagnosticReport": study.read_report,
    "MedicationAdministration": medication.read_administration,
    "MedicationStatement": medication.read_statement,
    "MedicationUsage": medication.read_statement,
    "MedicationRequest": medication.read_request,
    "Procedure": procedure.read_procedure,
    "Encounter": procedure.read_encounter,
    "ServiceRequest": plan.read_request,
    "Appointment": plan.read_appointment,
    "CarePlan": plan.read_care_plan,
    "Patient": patient.read_patient,
    "Condition": patient.read_condition,
    "AllergyIntolerance": patient.read_allergy,
    "Device": patient.read_device,
}
_OBSERVATIONS: tuple[tuple[set[tuple[str, str]], Reader], ...] = (
    (adequacy.CODES, adequacy.read_adequacy),
    (laboratory.CODES, laboratory.read_cea),
    (statement.DISPOSITION_CODES, statement.read_disposition),
    (statement.ATTRIBUTE_CODES, statement.read_attribute),
    (statement.MEMBERSHIP_CODES, statement.read_membership),
    (statement.NEW_LESION_CODES, statement.read_new_lesion),
    (statement.PATHOLOGY_CODES, statement.read_pathology),
    (statement.BIOPSY_CODES, statement.read_biopsy),
    (statement.RESPONSE_CODES, statement.read_response),
    (fact.CODES, fact.read_fact),
    (sighting.CODES, sighting.read_sighting),
)
_RANK = {pair: rank for rank, (known, _) in reversed(list(enumerate(_OBSERVATIONS))) for pair in known}
_READER_OF = {pair: _OBSERVATIONS[rank][1] for pair, rank in _RANK.items()}
# A cancelled order or appointment is itself a fact; of these, only entered-in-error voids it.
_CANCELLATION_TELLS = {"Appointment", "ServiceRequest", "CarePlan", "MedicationRequest", "Encounter"}
_FAULTS = (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, RecursionError)


def read(resource: Mapping[str, Any], *, base: str | None = None, timezone: ZoneInfo) -> tuple[Record, ...]:
    """The records one resource gives: none when it does not bear on liver metastases, a Rejected when it
    cannot be used; it never raises on bad content.

    base: the FHIR server's base URL, by which absolute references are recognised as its own.
    timezone: the site's; a time written in UTC is turned into its calendar day.
    """
    if type(resource) is not dict and not is_object(resource):
        return (Rejected(source="?/?", resource_type="?", reason="not-an-object"),)
    try:
        return _read(resource, base, timezone)
    except Refused as refused:
        return (rejected(resource, refused.reason, refused.detail, base),)
    except _FAULTS as fault:
        return (
            Rejected(
                source=token(resource),
                resource_type=text(resource.get("resourceType")) or "?",
                reason="unreadable",
                detail=f"the reader failed with {type(fault).__name__}",
            ),
        )


def _read(resource: Mapping[str, Any], base: str | None, timezone: ZoneInfo) -> tuple[Record, ...]:
    kind = text(resource.get("resourceType"))
    if kind is None:
        raise Refused("no-type", "resourceType")
    code: tuple[Pair, ...] = ()
    if kind == "Observation":
        code = codings(resource.get("code"))
        reader = _observation_reader(resource, code)
    else:
        reader = _READERS.get(kind)
    if reader is None or (kind == "DiagnosticReport" and not study.is_imaging_report(resource)):
        return ()
    own = text(resource.get("id"))
    if own is None:
        raise Refused("no-id", f"{kind}.id")
    status = text(resource.get("status"))
    if status in VOID_STATUSES and not (status == "cancelled" and kind in _CANCELLATION_TELLS):
        raise Refused(status, f"{kind}.status")
    if resource.get("modifierExtension"):
        raise Refused("modifier-extension", f"{kind}.modifierExtension")
    ctx = Context(base, timezone, f"{kind}/{shortened(own)}", status, code)
    try:
        return reader(resource, ctx)
    except Refused as refused:
        if kind != "Observation" or refused.reason != "no-value":
            raise
        return (_of_lesions(rejected(resource, refused.reason, refused.detail, base), resource, ctx),)


def _observation_reader(resource: Mapping[str, Any], code: tuple[Pair, ...]) -> Reader | None:
    # Most Observations of a patient do not bear on liver metastases: they must cost next to nothing.
    if len(code) == 1:
        reader = _READER_OF.get(code[0])
        if reader is not None:
            return reader
    else:
        ranks = [rank for pair in code if (rank := _RANK.get(pair)) is not None]
        if ranks:
            return _OBSERVATIONS[min(ranks)][1]
    imaging = False
    for pair in codings(resource.get("category")):
        if pair in sighting.GROUP:
            return sighting.read_sighting
        imaging = imaging or pair[1] == "imaging"
    if imaging and values(resource) == ("valueString",):
        return _narrative
    return _unknown if "focus" in resource or "bodyStructure" in resource else None


def _unknown(resource: Mapping[str, Any], ctx: Context) -> tuple[Record, ...]:
    """A refusal where an unknown code says something of a lesion that may be a sighting; else nothing."""
    if not sighting.may_tell(resource) or not (ctx.status is None or ctx.status in FINAL_STATUSES):
        return ()
    refused = _of_lesions(rejected(resource, "code-not-known", "Observation.code", ctx.base), resource, ctx)
    return (refused,) if refused.lesions else ()


def _of_lesions(refused: Rejected, resource: Mapping[str, Any], ctx: Context) -> Rejected:
    """The refusal with the lesions that the Observation is about, and its day."""
    return replace(refused, lesions=lesions_of(resource, ctx.base), day=when(resource, ctx)[0])


def _narrative(_resource: Mapping[str, Any], _ctx: Context) -> tuple[Record, ...]:
    raise Refused("text-only", "Observation.valueString")
