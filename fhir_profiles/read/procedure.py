"""Procedures and encounters: what was done to the liver, cycles of therapy, reviews."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_profiles.codes import Operation
from fhir_profiles.read.common import Context, Refused, stated
from fhir_profiles.read.element import Json, has_timed, members, objs, period, text, timed
from fhir_profiles.read.reference import targets
from fhir_profiles.read.site import segments_of
from fhir_profiles.records import DayRange, Dose, Embolisation, MdtReview, Record, Treatment

RESECTIONS = {
    Operation.LIVER_EXCISION,
    Operation.LESION_EXCISION,
    Operation.SEGMENT_RESECTION,
    Operation.PARTIAL_HEPATECTOMY,
    Operation.HEPATECTOMY,
}
ABLATIONS = {
    Operation.ABLATION: None,
    Operation.ABLATION_OPERATIVE: True,
    Operation.ABLATION_PERCUTANEOUS: False,
}
CYCLES = {
    Operation.CHEMOTHERAPY,
    Operation.CHEMOTHERAPY_COMBINED,
    Operation.CHEMORADIATION,
    Operation.CHEMOTHERAPY_CYCLE,
}
REVIEWS = {Operation.MDT_REVIEW, Operation.LIVER_MDT}
_DONE = {"completed", "finished"}


def day_of(resource: Json, ctx: Context) -> tuple[DayRange | None, tuple[str, ...]]:
    """When it was done: performed in R4, occurrence in R5."""
    for name in ("performed", "occurrence"):
        found = timed(resource, name, ctx.timezone)
        if found is not None:
            return found, ()
        if has_timed(resource, name):
            return None, ("bad-date",)
    return None, ("no-date",)


def read_procedure(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A Treatment of the liver whatever its status, a cycle, an embolisation or a review; nothing for the
    rest."""
    found = set(members(resource.get("code"), Operation)) | set(members(resource.get("category"), Operation))
    day, flags = day_of(resource, ctx)
    shared = stated(resource, ctx, day=day, flags=flags)
    kind = _treatment(found)
    if kind is not None:
        name, operative = kind
        segments = [segment for site in objs(resource.get("bodySite")) for segment in segments_of(site)]
        lesions = targets(resource, ctx.base)
        record = Treatment(
            **shared, type=name, lesions=lesions, segments=tuple(dict.fromkeys(segments)), operative=operative
        )
        return (record,)
    if not found & (CYCLES | REVIEWS | {Operation.EMBOLISATION}):
        return ()
    if text(resource.get("status")) not in _DONE:
        raise Refused("not-done", "Procedure.status")
    if found & CYCLES:
        return (Dose(**shared, agent="other", kind="cycle"),)
    return (MdtReview(**shared),) if found & REVIEWS else (Embolisation(**shared),)


def treats(resource: Json) -> bool:
    """True when a Procedure is a resection or ablation of liver tissue by its codes, whatever its status."""
    found = set(members(resource.get("code"), Operation)) | set(members(resource.get("category"), Operation))
    kind = _treatment(found)
    return kind is not None and kind[0] in ("resected", "ablated")


def _treatment(found: Iterable[Operation]) -> tuple[str, bool | None] | None:
    kinds = set(found)
    if kinds & RESECTIONS:
        return "resected", True
    for code, operative in ABLATIONS.items():
        if code in kinds:
            return "ablated", operative
    return ("other", None) if Operation.OTHER_LOCAL in kinds else None


def read_encounter(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A multidisciplinary review that took place; nothing for any other encounter."""
    concepts = [resource.get(name) for name in ("type", "serviceType", "reasonCode")]
    if not any(set(members(concept, Operation)) & REVIEWS for concept in concepts):
        return ()
    if text(resource.get("status")) not in _DONE:
        raise Refused("not-done", "Encounter.status")
    held = period(resource.get("period") or resource.get("actualPeriod"), ctx.timezone)
    return (MdtReview(**stated(resource, ctx, day=held, flags=() if held else ("no-date",))),)
