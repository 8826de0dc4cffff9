"""Orders, appointments and care plans: what is to happen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_profiles.codes import Coded, Disposition, Imaging, Method, Operation
from fhir_profiles.read.common import Context, Refused, stated
from fhir_profiles.read.element import (
    Json,
    codings,
    day,
    extensions,
    flag,
    lookup,
    obj,
    objs,
    period,
    text,
    timed,
)
from fhir_profiles.read.procedure import ABLATIONS, CYCLES, RESECTIONS, REVIEWS
from fhir_profiles.read.reference import targets, tokens
from fhir_profiles.read.site import segments_of
from fhir_profiles.read.statement import DISPOSITION_OF, PATIENT_LEVEL, reason_of
from fhir_profiles.read.study import CLASS_OF_IMAGING
from fhir_profiles.records import DayRange, MdtReview, Plan, Record
from fhir_profiles.records import Disposition as DispositionRecord

ENDED_EXTENSION = "https://vestige.example/fhir/StructureDefinition/crlm-ended"
_TABLE = lookup([Operation, Imaging, Method, Disposition])
_LIVER_MRI = {Imaging.MR_LIVER_WO_W, Imaging.MR_LIVER_W, Method.MRI_LIVER_CONTRAST}
_OTHER_IMAGING = {
    Imaging.MR_LIVER_WO,
    Imaging.CT_LIVER,
    Imaging.CT_LIVER_W,
    Method.MRI_LIVER,
    Method.CT_LIVER,
    Method.PET_CT_FDG,
}
_ENDED = {"revoked", "cancelled", "stopped", "noshow"}
_ACTIVITY_STATUS = {
    "not-started": "active",
    "scheduled": "booked",
    "in-progress": "active",
    "on-hold": "on-hold",
    "completed": "completed",
    "cancelled": "revoked",
    "stopped": "revoked",
    "unknown": "unknown",
    "entered-in-error": "entered-in-error",
}
_APPOINTMENT_CODES = ("serviceType", "appointmentType", "reasonCode", "reason")
_APPOINTMENT_DONE = {"fulfilled", "checked-in"}


def kinds_of(*concepts: object) -> tuple[Coded, ...]:
    """The operations, examinations and dispositions that concepts name."""
    pairs = [pair for concept in concepts for pair in codings(concept)]
    return tuple(dict.fromkeys(_TABLE[pair] for pair in pairs if pair in _TABLE))


def types_of(kinds: Iterable[Coded]) -> Iterator[dict[str, Any]]:
    """The plan type each code stands for, with what follows from the code alone."""
    for kind in kinds:
        if kind in RESECTIONS:
            yield {"type": "hepatectomy", "operative": True}
        elif isinstance(kind, Operation) and kind in ABLATIONS:
            yield {"type": "ablation", "operative": ABLATIONS[kind]}
        elif kind in (Method.CEIOUS,):
            yield {"type": "ceious"}
        elif kind in (Method.IOUS, Method.IOUS_LIVER, Method.IOUS_ANY):
            yield {"type": "ious"}
        elif kind in _LIVER_MRI:
            yield {"type": "liver-mri", "modality": "MRI"}
        elif kind in _OTHER_IMAGING:
            yield {"type": "other-liver-imaging", "modality": _modality(kind)}
        elif kind in CYCLES:
            yield {"type": "chemotherapy"}
        elif kind is Operation.STOP_CHEMOTHERAPY:
            yield {"type": "stop-chemotherapy"}
        elif kind in REVIEWS:
            yield {"type": "mdt"}
        elif kind is Operation.SURVEILLANCE:
            yield {"type": "surveillance"}
        elif isinstance(kind, Disposition) and DISPOSITION_OF[kind] == "watch-and-wait":
            yield {"type": "watch-and-wait"}


def _modality(kind: Coded) -> str | None:
    fixed: dict[Coded, str] = {Method.MRI_LIVER: "MRI", Method.CT_LIVER: "CT", Method.PET_CT_FDG: "PET"}
    return fixed.get(kind) or CLASS_OF_IMAGING.get(kind)


def _ended(resource: Json, ctx: Context) -> tuple[DayRange | None, tuple[str, ...]]:
    """When the order was revoked: the stated day, else the resource's last change, which is said in a
    flag."""
    if text(resource.get("status")) not in _ENDED:
        return None, ()
    for item in extensions(resource, ENDED_EXTENSION):
        found = day(item.get("valueDate") or item.get("valueDateTime"), ctx.timezone)
        if found is not None:
            return found, ()
    changed = day(obj(resource.get("meta")).get("lastUpdated"), ctx.timezone)
    return changed, ("ended-from-last-updated",) if changed is not None else ()


def read_request(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """One Plan for each type the order names; a watch-and-wait order is a Disposition as well."""
    kinds = kinds_of(resource.get("code"), resource.get("orderDetail"))
    types = list({found["type"]: found for found in types_of(kinds)}.values())
    if not types and not any(isinstance(kind, Disposition) for kind in kinds):
        return ()
    if flag(resource.get("doNotPerform")):
        if [found["type"] for found in types] != ["chemotherapy"]:
            raise Refused("do-not-perform", "ServiceRequest.doNotPerform")
        types = [{"type": "stop-chemotherapy"}]
    due = timed(resource, "occurrence", ctx.timezone)
    authored = timed(resource, "authoredOn", ctx.timezone)
    ended, flags = _ended(resource, ctx)
    shared = stated(resource, ctx, day=due, flags=flags)
    if text(resource.get("status")) == "completed" and [found["type"] for found in types] == ["mdt"]:
        return (MdtReview(**(shared | {"day": due or authored})),)
    lesions = targets(resource, ctx.base)
    sites = [segment for site in objs(resource.get("bodySite")) for segment in segments_of(site)]
    common: dict[str, Any] = shared | {
        "intent": text(resource.get("intent")),
        "authored": authored,
        "ended": ended,
        "lesions": lesions,
        "segments": tuple(dict.fromkeys(sites)),
        "reason": reason_of(resource.get("reasonCode")),
        "based_on": tokens(resource.get("basedOn"), ctx.base),
    }
    plans = [Plan(**(common | found)) for found in types]
    return (*plans, *_disposition(kinds, resource, shared | {"day": authored or due}, lesions))


def _disposition(
    kinds: Iterable[Coded], resource: Json, shared: dict[str, Any], lesions: tuple[Any, ...]
) -> tuple[Record, ...]:
    chosen = [kind for kind in kinds if isinstance(kind, Disposition)]
    if len(chosen) != 1:
        return ()
    whole_patient = chosen[0] in PATIENT_LEVEL or not lesions
    return (
        DispositionRecord(
            **shared,
            level="patient" if whole_patient else "lesion",
            disposition=DISPOSITION_OF[chosen[0]],
            reason=reason_of(resource.get("reasonCode")),
            lesions=() if whole_patient else lesions,
        ),
    )


def read_appointment(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """A booked event; its type from its own codes, else "other" with the order it fulfils."""
    kinds = kinds_of(
        *(resource.get(name) for name in ("serviceType", "appointmentType", "reasonCode", "reason"))
    )
    types = list({found["type"]: found for found in types_of(kinds)}.values())
    orders = tokens(resource.get("basedOn"), ctx.base)
    if not types and not orders:
        return ()
    start = day(resource.get("start"), ctx.timezone)
    if text(resource.get("status")) in _APPOINTMENT_DONE and [found["type"] for found in types] == ["mdt"]:
        return (MdtReview(**stated(resource, ctx, day=start)),)
    ended, flags = _ended(resource, ctx)
    shared = stated(resource, ctx, day=start, flags=flags)
    common: dict[str, Any] = shared | {
        "intent": "order",
        "authored": day(resource.get("created"), ctx.timezone),
        "ended": ended,
        "booked": text(resource.get("status")) in {"booked", "arrived", "checked-in"},
        "lesions": targets(resource, ctx.base),
        "based_on": orders,
    }
    return tuple(Plan(**(common | found)) for found in types or [{"type": "other"}])


def read_care_plan(resource: Json, ctx: Context) -> tuple[Record, ...]:
    """The plan's own codes and each of its coded activities; references to other orders are read there."""
    authored = timed(resource, "created", ctx.timezone)
    due = period(resource.get("period"), ctx.timezone)
    ended, flags = _ended(resource, ctx)
    shared = stated(resource, ctx, day=due, flags=flags)
    common: dict[str, Any] = shared | {
        "intent": text(resource.get("intent")),
        "authored": authored,
        "ended": ended,
        "lesions": targets(resource, ctx.base),
    }
    kinds = kinds_of(resource.get("category"))
    found: list[Record] = [Plan(**(common | kind)) for kind in types_of(kinds)]
    found += _disposition(kinds, resource, shared | {"day": authored or due}, targets(resource, ctx.base))
    for activity in objs(resource.get("activity")):
        found += _activity(obj(activity.get("detail")), resource, ctx, common)
    return tuple(found)


def _activity(detail: Json, plan: Json, ctx: Context, common: dict[str, Any]) -> Iterator[Record]:
    status = _ACTIVITY_STATUS.get(str(detail.get("status")))
    if status in (None, "entered-in-error") or flag(detail.get("doNotPerform")):
        return
    whole_plan = text(plan.get("status"))
    if status in ("active", "booked") and whole_plan not in ("active", "draft"):
        status = whole_plan
    due = timed(detail, "scheduled", ctx.timezone)
    lesions = targets(detail, ctx.base) or common["lesions"]
    kinds = kinds_of(detail.get("code"))
    own = common | {
        "status": status,
        "day": due,
        "booked": status == "booked",
        "lesions": lesions,
        "reason": reason_of(detail.get("reasonCode")),
    }
    for found in types_of(kinds):
        if found["type"] == "mdt" and status == "completed":
            yield MdtReview(**stated(plan, ctx, day=due))
        else:
            yield Plan(**(own | found))
    held = stated(plan, ctx, day=common["authored"] or due) | {"status": status}
    yield from _disposition(kinds, detail, held, lesions)
