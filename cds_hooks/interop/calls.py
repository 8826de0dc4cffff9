"""The hook calls of a run: a context for every hook, with what an EHR would send beside it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cds_hooks.hooks import HOOKS, Hook
from cds_hooks.interop.patients import Subject
from plugin.chart import Chart
from plugin.probe.recording import Readings
from plugin.pull.drafts import drafts
from plugin.pull.owner import Identity
from plugin.pull.queries import QUERIES, path

USER = "Practitioner/vestige-sample-clinician"
TOKEN_SECONDS = 300


def context_of(subject: Subject, hook: Hook) -> dict[str, Any] | None:
    """Returns the context with which an EHR would fire a hook for this patient.

    None where the patient has nothing that the hook is about (an order to be dispatched).
    """
    if hook.name == subject.hook:
        return dict(subject.context)
    own = subject.context
    made: dict[str, Any] = {"patientId": subject.patient_id}
    if hook.users:
        made["userId"] = own.get("userId", USER)
    for name in hook.identifiers:
        made.setdefault(name, own.get(name, f"{subject.patient_id}-{name.removesuffix('Id')}"[:64]))
    for name in hook.references:
        made[name] = "Practitioner/vestige-interop-performer"
    for name in hook.reference_lists:
        orders = [one for one in subject.resources if one["resourceType"] == "ServiceRequest"]
        if not orders:
            return None
        made[name] = [f"ServiceRequest/{one['id']}" for one in orders[:1]]
    for name in hook.bundles:
        made[name] = own.get(name, {"resourceType": "Bundle", "type": "collection", "entry": []})
    for name in hook.lists:
        made[name] = list(drafts(made, Identity(subject.patient_id)).tokens)
    return made


def hooks_of(services: Iterable[Mapping[str, Any]], wanted: str | None) -> list[tuple[str, Hook]]:
    """Returns (service id, hook) for every service on offer whose hook is known; `wanted` chooses one."""
    found = []
    for one in services:
        hook = HOOKS.get(str(one.get("hook")))
        if hook is not None and isinstance(one.get("id"), str) and wanted in (None, hook.name):
            found.append((str(one["id"]), hook))
    return found


def body_of(
    hook: Hook,
    context: Mapping[str, Any],
    *,
    base: str,
    token: str | None,
    prefetch: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns the body of a call; the token is one for reading, and is redacted wherever it is noted."""
    body: dict[str, Any] = {
        "hook": hook.name,
        "hookInstance": str(uuid.uuid4()),
        "context": dict(context),
        "fhirServer": base,
    }
    if token is not None:
        body["fhirAuthorization"] = authorization(token)
    if prefetch is not None:
        body["prefetch"] = dict(prefetch)
    return body


def authorization(token: str) -> dict[str, Any]:
    """Returns `fhirAuthorization` (CDS Hooks 2.0.1, "Passing the Access Token to the CDS Service")."""
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": "system/*.rs",
        "subject": "vestige-interop",
    }


def prefetch_of(readings: Readings, patient: str) -> dict[str, Any]:
    """Returns the prefetch of an EHR on this server: each template's answer as it came, first page only.

    A template that the server refused is left out, so that the service has to ask.
    """
    answers: dict[str, Any] = {}
    for query in QUERIES:
        link = path(query.template, patient)
        for reading in readings:
            if reading.resource is not None and reading.link.partition("&_count=")[0] == link:
                answers[query.key] = dict(reading.resource)
    return answers


def charted(chart: Chart, hook: Hook, context: Mapping[str, Any]) -> Chart:
    """Returns the chart as another hook sees it: the same record with the drafts of its context."""
    found = drafts(context, Identity(chart.patient_id, chart.base))
    return replace(
        chart,
        hook=hook.name,
        drafts=found.resources,
        draft_tokens=found.tokens,
        selections=found.selections,
        gaps=(*(gap for gap in chart.gaps if gap.query is not None), *found.gaps),
    )
