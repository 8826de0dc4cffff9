"""The drafts that come with the hook: orders and appointments that are not on record yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugin.chart import Gap, GapReason
from plugin.pull.bundle import page, with_ids
from plugin.pull.owner import Identity, Owner

# Context fields that hold a Bundle of resources not yet on record (CDS Hooks library).
_BUNDLES = ("draftOrders", "appointments", "medications", "conditions", "orders")
_SINGLE = ("medication", "allergyIntolerance")
_SUBJECT = {"Appointment": None, "AllergyIntolerance": "patient"}


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """The drafts of one call, their `Type/id`, those just selected, and what could not be used."""

    resources: tuple[Mapping[str, Any], ...] = ()
    tokens: tuple[str, ...] = ()
    selections: tuple[str, ...] = ()
    encounter: str | None = None
    gaps: tuple[Gap, ...] = ()


def drafts(context: Mapping[str, Any], identity: Identity) -> Drafts:
    """Returns the drafts of a hook context that are for our patient.

    A draft that names no patient belongs to the patient of the context and is completed so; one of another
    patient, or of one who cannot be told, is left out, visibly.
    """
    resources: list[Mapping[str, Any]] = []
    gaps: list[Gap] = []
    for number, found in enumerate(_found(context), start=1):
        if found is None:
            gaps.append(_gap("Resource", GapReason.UNREADABLE, "a draft of the hook cannot be read"))
            continue
        kind = str(found["resourceType"])
        owner = identity.owner(found)
        if owner is Owner.OTHER:
            gaps.append(_gap(kind, GapReason.WRONG_PATIENT, "a draft of the hook is another patient's"))
        elif owner is Owner.UNCLEAR:
            gaps.append(
                _gap(kind, GapReason.UNREADABLE, "a draft of the hook does not say clearly whose it is")
            )
        else:
            resources.append(_completed(found, owner, identity.patient_id, number))
    tokens = tuple(f"{one['resourceType']}/{one['id']}" for one in resources)
    return Drafts(
        resources=tuple(resources),
        tokens=tokens,
        selections=_selections(context.get("selections"), tokens) or _dispatched(context),
        encounter=_text(context.get("encounterId")),
        gaps=tuple(dict.fromkeys(gaps)),
    )


def _found(context: Mapping[str, Any]) -> Iterator[Mapping[str, Any] | None]:
    """Yields each resource, and None for each entry that holds none."""
    for field in _BUNDLES:
        value = context.get(field)
        if value is None:
            continue
        if not isinstance(value, Mapping) or value.get("resourceType") != "Bundle":
            yield None
            continue
        taken = page(with_ids(value))
        yield from taken.matches
        yield from [None] * taken.broken
    for field in _SINGLE:
        value = context.get(field)
        if isinstance(value, Mapping) and isinstance(value.get("resourceType"), str):
            yield value
        elif value is not None:
            yield None


def _completed(resource: Mapping[str, Any], owner: Owner, patient_id: str, number: int) -> Mapping[str, Any]:
    kind = str(resource["resourceType"])
    if not isinstance(resource.get("id"), str):
        resource = {**resource, "id": f"draft-{number}"}
    element = _SUBJECT.get(kind, "subject")
    if owner is Owner.UNSTATED and element is not None:
        resource = {**resource, element: {"reference": f"Patient/{patient_id}"}}
    return resource


def _selections(value: Any, tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the tokens that `selections` names as "Type/id", bare id or full URL; others are ignored."""
    named = [one.rstrip("/") for one in value if isinstance(one, str)] if isinstance(value, list) else []
    return tuple(
        token
        for token in tokens
        if any(one == token or one == token.split("/", 1)[1] or one.endswith(f"/{token}") for one in named)
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _dispatched(context: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the orders that are sent to their performer: on record already, so no drafts."""
    named = context.get("dispatchedOrders")
    return tuple(one for one in named if isinstance(one, str)) if isinstance(named, list) else ()


def _gap(kind: str, reason: GapReason, detail: str) -> Gap:
    return Gap(resource=kind, reason=reason, detail=detail, decisive=False)
