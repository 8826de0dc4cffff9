"""`vestige capture`: saves a hook call with all that is read for it, to be decided again elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from cds_hooks.cli import fhir_access as options
from cds_hooks.cli.assess import read_context
from cds_hooks.cli.terminal import AS_JSON, CONFIG, TODAY, console, day, plain, print_json
from cds_hooks.hooks import HOOKS
from cds_hooks.rulebook import evaluator_here
from plugin.capture.document import Call, Capture, write_capture
from plugin.capture.pseudonymisation import pseudonymised
from plugin.capture.take import replayed, take, take_chart
from plugin.errors import InputError
from plugin.probe.access import secret_of
from plugin.pull import HookInput
from plugin.pull.files import chart_from_files
from plugin.settings import FhirServer, Settings, load
from plugin.settings import today as today_of

CALL = typer.Argument(metavar="CALL", help="The body of a hook call as the EHR sent it, or its context.")
RECORD = typer.Option(
    [], "--record", metavar="FILE", help="The patient's record from a file, in place of a FHIR server."
)
OUTPUT = typer.Option(..., "--output", "-o", metavar="FILE", help="The capture to write.")
PSEUDONYMISE = typer.Option(
    False, "--pseudonymise", help="Replaces names, ids and free text, and moves every date."
)
PATIENT_SECONDS = 120.0
SERVER = typer.Option(None, "--fhir-server", metavar="BASE", help="The FHIR server, if the call names none.")


def capture(
    call: Path = CALL,
    output: Path = OUTPUT,
    record: list[Path] = RECORD,
    pseudonymise: bool = PSEUDONYMISE,
    fhir_server: str | None = SERVER,
    secret_file: Path | None = options.SECRET_FILE,
    secret_env: str | None = options.SECRET_ENV,
    allow_http: bool = options.ALLOW_HTTP,
    timeout: float = options.TIMEOUT,
    today: str | None = TODAY,
    config: Path | None = CONFIG,
    as_json: bool = AS_JSON,
) -> None:
    """Reads what the call needs, decides, and saves all of it in one file; no token is ever in it."""
    settings = load(config)
    body = read_context(call) or {}
    with evaluator_here(settings, timeout=PATIENT_SECONDS) as evaluator:
        on = day(today) or today_of(settings)
        if record:
            chart = chart_from_files(record, body)
            asked = Call(hook=hook_of(body), patient=chart.patient_id, context=_context(body))
            found = take_chart(chart, asked, settings, evaluator, today=on)
        else:
            asking, chosen = _call(
                body, settings, fhir_server, secret_file, secret_env, allow_http=allow_http
            )
            limits = options.limits_of(chosen, timeout, chosen.fhir.parallel)
            chosen = msgspec.structs.replace(chosen, fhir=limits)
            found = take(asking, chosen, evaluator, today=on)
        if pseudonymise:
            bare = pseudonymised(found)
            found = msgspec.structs.replace(bare, decision=replayed(bare, evaluator))
    write_capture(output, found)
    _tell(found, output, as_json=as_json)


def hook_of(body: Mapping[str, Any]) -> str:
    """Returns the hook of a call, patient-view for a context alone; InputError for an unknown one."""
    hook = body.get("hook", "patient-view")
    if hook not in HOOKS:
        raise InputError(f"no service answers the hook {hook!r}; there are {', '.join(HOOKS)}")
    return str(hook)


def _context(body: Mapping[str, Any]) -> dict[str, Any]:
    context = body.get("context", body)
    if not isinstance(context, dict):
        raise InputError("the call has no context; give the body of a hook call as the EHR sent it")
    return context


def _call(
    body: Mapping[str, Any],
    settings: Settings,
    server: str | None,
    secret_file: Path | None,
    secret_env: str | None,
    *,
    allow_http: bool,
) -> tuple[HookInput, Settings]:
    """Returns what is read, and settings that permit the server: a person of the site named it."""
    context = _context(body)
    patient = context.get("patientId")
    if not isinstance(patient, str) or not patient:
        raise InputError("the call names no patient: context.patientId is missing")
    base, sent = server or body.get("fhirServer"), body.get("fhirAuthorization")
    if base is not None:
        base = options.base_here(str(base), allow_http=allow_http)
        known = options.server_of(settings, base, ca_bundle=None, allow_http=allow_http, dialect=None)
        if secret_file is not None or secret_env is not None:
            token = secret_of(secret_file, secret_env or "", os.environ, "bearer token")
            sent = {"access_token": token, "token_type": "Bearer", "expires_in": 300}
        known = msgspec.structs.replace(known, issuer=None, open=known.backend is None)
        settings = _permitting(settings, known)
    asked = HookInput(
        hook=hook_of(body),
        patient_id=patient,
        context=context,
        prefetch=body.get("prefetch"),
        fhir_server=base,
        authorization=sent,
    )
    return asked, settings


def _permitting(settings: Settings, server: FhirServer) -> Settings:
    fhir = msgspec.structs.replace(settings.fhir, servers=(server,))
    return msgspec.structs.replace(settings, fhir=fhir)


def _tell(found: Capture, output: Path, *, as_json: bool) -> None:
    told = {
        "capture": str(output),
        "pseudonymised": found.pseudonymised,
        "start": found.start,
        "pages": len(found.pages),
        "today": found.today.isoformat(),
        "rulePack": found.pack.revision,
        "patientStatus": found.decision["patientStatus"],
        "lesions": {one["id"]: one["status"] for one in found.decision["lesions"]},
    }
    if as_json:
        print_json(told)
        return
    out = console()
    whose = "pseudonymised" if found.pseudonymised else "WITH PATIENT DATA as it was read"
    out.print(plain(f"{output}: {whose}; {told['patientStatus']}, {len(found.decision['lesions'])} lesions"))
    if found.start == "chart" and found.pages:
        out.print(plain("Reading ran out of time: a replay begins with what was read, not with the pages."))
