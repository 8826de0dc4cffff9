"""Patient, Condition, and what speaks against magnetic resonance imaging."""

from __future__ import annotations

from fhir_profiles.codes import (
    CONDITION_OF,
    ICD10,
    ICD10_CONDITION_OF_PREFIX,
    Contrast,
    Device,
    Diagnosis,
    Severity,
)
from fhir_profiles.read.common import Context, Refused, stated
from fhir_profiles.read.element import Json, codings, day, flag, members, text, timed
from fhir_profiles.records import ConditionRecord, PatientFact, PatientRecord, Record

_INACTIVE = {"inactive", "resolved", "remission"}
_UNCERTAIN = {"unconfirmed", "provisional", "differential"}
_TABLE = {(kind.system, kind.code): kind for kind in Diagnosis}
_GRADES = {Severity.MILD: "mild", Severity.MODERATE: "moderate", Severity.SEVERE: "severe"}


def read_patient(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """Birth date and death; no name, no identifier."""
    died = timed(resource, "deceased", ctx.timezone)
    deceased = flag(resource.get("deceasedBoolean"))
    shared = stated(resource, ctx) | {"identifiers": ()}
    return (
        PatientRecord(
            **shared,
            birth=day(resource.get("birthDate"), ctx.timezone),
            deceased=True if died is not None else deceased,
        ),
    )


def conditions_of(concept: object) -> tuple[str, ...]:
    """Kinds of condition a code stands for."""
    found: list[str] = []
    for system, code in codings(concept):
        kind = _TABLE.get((system, code))
        if kind in CONDITION_OF:
            found.append(CONDITION_OF[kind])
        elif system == ICD10:
            bare = code.replace(".", "").upper()
            prefixes = [prefix for prefix in ICD10_CONDITION_OF_PREFIX if bare.startswith(prefix)]
            found += [ICD10_CONDITION_OF_PREFIX[max(prefixes, key=len)]] if prefixes else []
    return tuple(dict.fromkeys(found))


def read_condition(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """Conditions that bear on scope, on the liver, or on imaging; nothing for the rest."""
    kinds = conditions_of(resource.get("code"))
    if not kinds:
        return ()
    verification = {code for _, code in codings(resource.get("verificationStatus"))}
    if "refuted" in verification or "entered-in-error" in verification:
        reason = "refuted" if "refuted" in verification else "entered-in-error"
        raise Refused(reason, "Condition.verificationStatus")
    clinical = {code for _, code in codings(resource.get("clinicalStatus"))}
    abated = any(name.startswith("abatement") for name in resource)
    onset = timed(resource, "onset", ctx.timezone)
    recorded = timed(resource, "recordedDate", ctx.timezone)
    grades = {_GRADES[one] for one in members(resource.get("severity"), Severity)}
    shared = stated(resource, ctx, day=onset, flags=() if onset else ("no-date",))
    return tuple(
        ConditionRecord(
            **shared,
            kind=kind,
            active=False if abated or clinical & _INACTIVE else (True if clinical else None),
            certain=False if verification & _UNCERTAIN else (True if verification else None),
            grade=grades.pop() if len(grades) == 1 else None,
            recorded=recorded,
        )
        for kind in kinds
    )


def read_allergy(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A contrast allergy, when the substance is a coded contrast agent."""
    if not members(resource.get("code"), Contrast):
        return ()
    verification = {code for _, code in codings(resource.get("verificationStatus"))}
    clinical = {code for _, code in codings(resource.get("clinicalStatus"))}
    if verification & {"refuted", "entered-in-error"} or clinical & _INACTIVE:
        raise Refused("refuted", "AllergyIntolerance.verificationStatus")
    noted = timed(resource, "recordedDate", ctx.timezone) or timed(resource, "onset", ctx.timezone)
    return (PatientFact(**stated(resource, ctx, day=noted), kind="mri-contra", value="contrast-allergy"),)


def read_device(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A device that speaks against MRI, when its type says so; liver markers and others give nothing."""
    concept = resource.get("type")
    if not members(concept, Device) and Diagnosis.PACEMAKER not in members(concept, Diagnosis):
        return ()
    if text(resource.get("status")) not in (None, "active"):
        raise Refused("not-active", "Device.status")
    return (PatientFact(**stated(resource, ctx), kind="mri-contra", value="device"),)
