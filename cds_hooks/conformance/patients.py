"""The patients of a check: synthetic records, the contexts of their calls, the prefetch filled from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

from cds_hooks.conformance.library import Profile, hooks, user_tokens
from cds_hooks.page.records import SEARCHES, Records
from fhir_profiles.samples import names, sample

FHIR = "https://fhir.conformance.example/r4"
TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
USER = "conformance-user"


class Unfillable(LookupError):
    """A template with a token that this call cannot fill: the client leaves its key out."""


@dataclass(frozen=True)
class SyntheticPatient:
    """One synthetic patient: records to fill prefetch from, and the context its own call came with."""

    name: str
    id: str
    records: Records
    hook: str
    context: Mapping[str, Any]

    def context_for(self, hook: str, profile: Profile) -> dict[str, Any]:
        """Returns the context of a call of one hook, as this client sends it."""
        given = dict(self.context) if hook == self.hook else {}
        made = {"userId": f"{profile.user}/{USER}", "patientId": self.id, **_extra(hook, self.id), **given}
        made["userId"] = f"{profile.user}/{USER}"
        known = hooks().get(hook)
        if known is not None:
            made = {name: value for name, value in made.items() if name in known.fields}
        if not profile.bundle_type:
            made = {name: _without_type(value) for name, value in made.items()}
        return made

    def prefetch(self, templates: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the prefetch of a client that fills every template it can."""
        filled = {}
        for key, template in templates.items():
            try:
                filled[key] = self.fill(template, context)
            except Unfillable:
                continue
        return filled

    def fill(self, template: str, context: Mapping[str, Any], base: str = FHIR) -> Any:
        """Returns what a template stands for: a resource or null for a read, a Bundle for a search.

        Raises Unfillable for a token that the context does not hold.
        """
        path, mark, query = TOKEN.sub(lambda found: _token(found[1], context), template).partition("?")
        if not mark:
            kind, _, own = path.partition("/")
            return self.records.read(kind, own)
        params = [part.partition("=") for part in query.split("&")]
        asked = [(name, unquote(value)) for name, _, value in params if name in SEARCHES and value]
        return searchset(self.records.find(path, asked), f"{base}/{path}?{query}", base)


def patients(wanted: Iterable[str] = (), today: date | None = None) -> list[SyntheticPatient]:
    """Returns the synthetic patients, or the named ones, with dates that end today."""
    day = today or datetime.now(UTC).date()
    return [_patient(name, day) for name in (tuple(wanted) or names())]


def searchset(found: Iterable[Mapping[str, Any]], address: str, base: str = FHIR) -> dict[str, Any]:
    """Returns the Bundle that a FHIR server answers a search with."""
    entries = [
        {
            "fullUrl": f"{base}/{one['resourceType']}/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in found
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": address}],
    }
    return {**bundle, "entry": entries} if entries else bundle


def _patient(name: str, today: date) -> SyntheticPatient:
    told = sample(name, today)
    users = [
        {"resource": {"resourceType": kind, "id": USER}} for kind in ("Practitioner", "PractitionerRole")
    ]
    records = Records([told.bundle, {"entry": users}])
    context = told.hook["context"]
    return SyntheticPatient(name, context["patientId"], records, told.hook["hook"], context)


def _token(token: str, context: Mapping[str, Any]) -> str:
    name = token.removeprefix("context.")
    held = context.get(name)
    if name != token and isinstance(held, str):
        return held
    if token in user_tokens():
        kind, _, own = str(context.get("userId", "")).partition("/")
        if token == f"user{kind}Id":
            return own
    raise Unfillable(token)


def _extra(hook: str, patient: str) -> dict[str, Any]:
    """The context beyond user and patient that a hook requires, in its simplest form."""
    subject = {"reference": f"Patient/{patient}"}
    order = {
        "resourceType": "ServiceRequest",
        "id": "conformance-order",
        "status": "draft",
        "intent": "order",
        "code": {"text": "Conformance check: an imaging order"},
        "subject": subject,
    }
    drug = {
        "resourceType": "MedicationRequest",
        "id": "conformance-drug",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Conformance check: a drug"},
        "subject": subject,
    }
    task = {
        "resourceType": "Task",
        "id": "conformance-task",
        "status": "requested",
        "intent": "order",
        "focus": {"reference": "ServiceRequest/conformance-order"},
        "for": subject,
    }
    appointment = {
        "resourceType": "Appointment",
        "id": "conformance-appointment",
        "status": "proposed",
        "participant": [{"actor": subject, "status": "needs-action"}],
    }
    condition = {"resourceType": "Condition", "id": "conformance-condition", "subject": subject}
    allergy = {"resourceType": "AllergyIntolerance", "id": "conformance-allergy", "patient": subject}
    extras: dict[str, dict[str, Any]] = {
        "order-select": {"draftOrders": _bundle(order), "selections": ["ServiceRequest/conformance-order"]},
        "order-sign": {"draftOrders": _bundle(order)},
        "order-dispatch": {
            "order": "ServiceRequest/conformance-order",
            "task": task,
            "dispatchedOrders": ["ServiceRequest/conformance-order"],
            "performer": "Organization/conformance",
        },
        "appointment-book": {"appointments": _bundle(appointment)},
        "encounter-start": {"encounterId": "conformance-encounter"},
        "encounter-discharge": {"encounterId": "conformance-encounter"},
        "allergyintolerance-create": {"allergyIntolerance": allergy},
        "problem-list-item-create": {"conditions": _bundle(condition)},
        "medication-refill": {"medications": _bundle(drug)},
        "medication-prescribe": {"medications": _bundle(drug)},
        "medication-verify": {"medication": drug},
        "order-review": {"orders": _bundle(order)},
    }
    # A private hook is sent everything: its service reads what it knows.
    return extras.get(hook, {"encounterId": "conformance-encounter"} if hook not in hooks() else {})


def _without_type(value: Any) -> Any:
    """The value; a Bundle loses its type."""
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        return value
    return {name: held for name, held in value.items() if name != "type"}


def _bundle(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
