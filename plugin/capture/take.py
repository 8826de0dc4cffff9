"""Takes captures and replays them: the same call, the same pages, the same decision."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from plugin.advice import advise, shown
from plugin.capture.document import (
    FORMAT,
    VERSION,
    Call,
    Capture,
    Pack,
    canonical,
    chart_from,
    pages_of,
    readings_from,
    settings_from,
    settings_of,
    told_of,
)
from plugin.chart import Chart
from plugin.decide import decide
from plugin.dialects import dialects
from plugin.errors import InputError
from plugin.probe.recording import Readings, RecordingClient, ReplayingClient
from plugin.pull import HookInput, Sessions, pull
from plugin.pull.address import AddressError, permitted
from plugin.result import as_json
from plugin.settings import FhirServer, Settings
from plugin.version import VERSION as VESTIGE
from rules.evaluate import Evaluator


def take(call: HookInput, settings: Settings, evaluator: Evaluator, *, today: date) -> Capture:
    """Returns the capture of one call, after it was read and decided here.

    It is replayed at once: where reading depended on time, so that the pages alone do not give the same
    again, the capture begins with the chart instead. Raises NoData as the pull does.
    """
    readings = Readings()
    sessions = Sessions(settings, clients=lambda **fields: RecordingClient(readings=readings, **fields))
    try:
        dialect = _learnt(call, settings, sessions)
        chart = pull(call, settings, sessions, in_hook=False)
    finally:
        sessions.close()
    found = _capture(_call_of(call), chart, settings, evaluator, today)
    whole = msgspec.structs.replace(found, start="pages", pages=pages_of(readings), dialect=dialect)
    if canonical(replayed(whole, evaluator)) == canonical(whole.decision):
        return msgspec.structs.replace(whole, chart=None)
    return msgspec.structs.replace(whole, start="chart")


def take_chart(chart: Chart, call: Call, settings: Settings, evaluator: Evaluator, *, today: date) -> Capture:
    """Returns the capture of a chart that was read from files."""
    return _capture(call, chart, settings, evaluator, today)


def replayed(capture: Capture, evaluator: Evaluator) -> dict[str, Any]:
    """Returns what is decided here on a capture; nobody is asked for anything."""
    settings = settings_from(capture.settings)
    if capture.start == "chart":
        if capture.chart is None:
            raise InputError("the capture begins with a chart and holds none")
        chart = chart_from(capture.chart, capture.call)
    else:
        chart = _pulled(capture, settings)
    return decision_of(chart, capture.call.hook, settings, evaluator, capture.today)


def decision_of(
    chart: Chart, hook: str, settings: Settings, evaluator: Evaluator, today: date
) -> dict[str, Any]:
    """Returns decision and advice on a chart as a JSON document."""
    decision = decide(chart, evaluator, today=today, settings=settings)
    advices = advise(decision, hook, settings=settings, language=settings.cards.language)
    document: dict[str, Any] = msgspec.to_builtins(as_json(decision, advices, shown(decision, hook)))
    return document


def _capture(call: Call, chart: Chart, settings: Settings, evaluator: Evaluator, today: date) -> Capture:
    pack = evaluator.pack
    kept = settings_of(settings)
    return Capture(
        format=FORMAT,
        version=VERSION,
        vestige=VESTIGE,
        pseudonymised=False,
        today=today,
        start="chart",
        pack=Pack(id=pack.id, version=str(pack.version), revision=pack.revision),
        settings=kept,
        call=call,
        pages=[],
        chart=told_of(chart),
        dialect=None,
        decision=decision_of(chart, call.hook, settings_from(kept), evaluator, today),
    )


def _call_of(call: HookInput) -> Call:
    return Call(
        hook=call.hook,
        patient=call.patient_id,
        context=dict(call.context),
        prefetch=None if call.prefetch is None else dict(call.prefetch),
        fhirServer=call.fhir_server,
    )


def _learnt(call: HookInput, settings: Settings, sessions: Sessions) -> str | None:
    """Reads what the server can do before anything else, so that a replay asks in the same ways.

    Returns the short name of its make, where it is known.
    """
    if call.fhir_server is None:
        return None
    try:
        chosen = permitted(settings, call.fhir_server, call.issuer)
    except AddressError:
        return None
    server = sessions.server(chosen)
    server.learn_now(_token(call))
    known = server.known.dialect
    return next((name for name, one in dialects().items() if one is known), None)


def _token(call: HookInput) -> str | None:
    from plugin.pull.call import Bearer, bearer

    found = bearer(call)
    return found.token if isinstance(found, Bearer) else None


def _pulled(capture: Capture, settings: Settings) -> Chart:
    call, readings = capture.call, readings_from(capture.pages)
    servers: tuple[FhirServer, ...] = ()
    if call.fhirServer is not None:
        servers = (FhirServer(base=call.fhirServer, open=True, allow_http=True, dialect=capture.dialect),)
    here = msgspec.structs.replace(settings, fhir=msgspec.structs.replace(settings.fhir, servers=servers))
    sessions = Sessions(here, clients=lambda **fields: ReplayingClient(readings=readings, **fields))
    try:
        if servers:
            sessions.server(servers[0]).learn_now(None)
        given = HookInput(
            hook=call.hook,
            patient_id=call.patient,
            context=call.context,
            prefetch=call.prefetch,
            fhir_server=call.fhirServer,
        )
        return pull(given, here, sessions)
    finally:
        sessions.close()
