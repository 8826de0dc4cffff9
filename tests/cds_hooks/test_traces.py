"""Traces: the steps of a call within the EHR's trace, and nothing of a patient in any of them."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cds_hooks.app import create_app
from cds_hooks.telemetry import Telemetry, method_of, route_of
from fhir_profiles import samples
from plugin import spans
from plugin.errors import CallError, SettingsError
from plugin.settings import Fhir, FhirServer, Rules, Settings, Store, load
from plugin.settings_traces import Traces
from tests.cds_hooks.serving import Said, open_settings, post, served
from tests.contract.test_engine_lost import call
from tests.contract.test_logs import BORN, IDS, NAMES, TODAY, TOKENS, planted, told_in
from tests.contract.test_records import until
from tests.service import running

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
REVIEW = "crlm-lesion-review"


class Fake(BaseHTTPRequestHandler):
    """Takes every request, remembers its headers and body, and has nothing."""

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        head = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append(({**head, "path": self.path}, self.rfile.read(length)))  # type: ignore[attr-defined]
        self.send_response(200 if self.command == "POST" else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def fake() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    server.got = got = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def traced(
    settings: Settings, said: Said | None = None
) -> Iterator[tuple[str, Telemetry, InMemorySpanExporter]]:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(settings.traces, exporter)
    spans.use(telemetry)
    try:
        with served(telemetry.wrapped(create_app(settings, said))) as base:
            yield base, telemetry, exporter
    finally:
        spans.use(None)
        telemetry.close()


def of(exporter: InMemorySpanExporter, telemetry: Telemetry) -> Sequence[ReadableSpan]:
    telemetry.flush()
    return exporter.get_finished_spans()


def site(folder: Path, base: str, **traces: Any) -> Settings:
    return Settings(
        service=open_settings(today=TODAY, hook_deadline=60).service,
        fhir=Fhir(servers=(FhirServer(base=base, open=True),), budget=30, read_timeout=20),
        rules=Rules(engine="reference"),
        store=Store(url=f"sqlite:///{folder / 'v.db'}"),
        traces=Traces(**traces),
    )


@pytest.mark.parametrize("propagate", [False, True])
def test_the_steps_of_a_call_are_spans_of_the_ehrs_trace_and_hold_nothing_of_the_patient(
    tmp_path: Path, propagate: bool
) -> None:
    whole = planted()
    token = {
        "access_token": TOKENS[0],
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "x",
        "subject": "s",
    }
    with (
        fake() as (fhir, asked),
        traced(site(tmp_path, fhir, propagate=propagate)) as (base, telemetry, exporter),
    ):
        partly = copy.deepcopy(whole)
        del partly["prefetch"]["procedures"], partly["prefetch"]["studies"]
        partly |= {"fhirServer": fhir, "fhirAuthorization": token}
        head = {"traceparent": TRACEPARENT, "tracestate": f"ehr={IDS[0]}"}
        assert post(f"{base}/cds-services/{REVIEW}", partly, **head).status_code == 200
        stranger = {**whole, "context": {**whole["context"], "patientId": IDS[0] + "8"}}
        assert post(f"{base}/cds-services/{REVIEW}", stranger).status_code in (200, 412)
        assert post(f"{base}/cds-services/{IDS[0]}?{IDS[1]}", whole).status_code == 404
        assert requests.get(f"{base}/{IDS[0]}/{BORN}", timeout=60).status_code == 404
        assert requests.get(f"{base}/readyz", timeout=60).status_code == 200
        found = of(exporter, telemetry)
    ours = [one for one in found if one.context and format(one.context.trace_id, "032x") == TRACE]
    by_id = {one.context.span_id: one.name for one in ours if one.context}
    tree = {
        one.name: "EHR" if format(one.parent.span_id, "016x") == PARENT else by_id[one.parent.span_id]
        for one in ours
        if one.parent
    }
    request = "POST /cds-services/{service}"
    assert tree == {
        request: "EHR", "call": request, "pull": "call", "search": "pull", "read": "call",
        "evaluate": "call", "advise": "call", "record": "call",
    }  # fmt: skip
    searches = {str((one.attributes or {})["vestige.query"]) for one in ours if one.name == "search"}
    assert {"procedures", "studies"} <= searches
    (evaluated,) = [one for one in ours if one.name == "evaluate"]
    assert (evaluated.attributes or {})["vestige.findings"] > 0
    assert {one.name for one in found} - set(tree) <= {"GET other"}
    # What the server can do is asked once for every call that comes, within no trace.
    sent = [head for head, _ in asked if not head["path"].endswith("/metadata")]
    assert sent
    assert not [one for one in sent if "tracestate" in one]
    assert {one.get("traceparent", "")[:36] for one in sent} == {f"00-{TRACE}-" if propagate else ""}
    assert not told_in("\n".join(one.to_json() for one in found))


def test_no_sample_patient_is_in_any_span(tmp_path: Path) -> None:
    """Names, ids and days of what is read, as the samples have them."""
    name = "ct-only-watch-and-wait"
    resources = [entry["resource"] for entry in samples.sample(name, TODAY).bundle["entry"]]
    with traced(site(tmp_path, "http://127.0.0.1:9/fhir")) as (base, telemetry, exporter):
        assert post(f"{base}/cds-services/crlm-order-sign", call()).status_code == 200
        found = of(exporter, telemetry)
    text = "\n".join(
        json.dumps({**dict(one.attributes or {}), "name": one.name}, default=str) for one in found
    )
    text += "".join(str(one.events) + str(one.links) + str(one.status.description) for one in found)
    known = {one["id"] for one in resources}
    days = {day for one in resources for day in iso_days(one)}
    assert len(found) >= 6
    assert known
    assert days
    assert not [secret for secret in known | days if secret in text]
    assert samples.sample(name, TODAY).bundle["entry"][0]["resource"]["name"][0]["family"] not in text


def iso_days(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from iso_days(one)
    elif isinstance(value, str) and value[:4].isdigit() and value[4:5] == "-":
        yield value[:10]


@pytest.mark.parametrize("error", [KeyError(NAMES[0]), CallError(NAMES[0])], ids=["fault", "refusal"])
def test_of_a_fault_only_its_type_is_told(error: Exception) -> None:
    settings = open_settings()
    with traced(settings, Said(error=error)) as (base, telemetry, exporter):
        assert post(f"{base}/cds-services/{REVIEW}", call() | {"hook": "patient-view"}).status_code >= 400
        found = of(exporter, telemetry)
    assert not told_in("\n".join(one.to_json() for one in found))
    (told,) = [one for one in found if one.name == "call"]
    assert (told.attributes or {})["error.type"] == type(error).__name__
    assert told.status.is_ok is not isinstance(error, KeyError)


@pytest.mark.parametrize(
    "parents", [["nonsense"], ["00-" + "0" * 32 + f"-{PARENT}-01"], [TRACEPARENT, TRACEPARENT], []]
)
def test_a_trace_that_is_none_is_not_taken_over(parents: list[str]) -> None:
    telemetry = Telemetry(Traces(), InMemorySpanExporter())
    parent = parents[0] if len(parents) == 1 else None
    with telemetry.request("POST", "/cds-services", parent) as span:
        assert span.get_span_context().is_valid
        assert format(span.get_span_context().trace_id, "032x") != TRACE
    telemetry.close()


def test_the_share_decides_where_the_ehr_did_not() -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(Traces(share=0), exporter)
    for parent in (None, TRACEPARENT.removesuffix("1") + "0", TRACEPARENT):
        with telemetry.request("POST", "/cds-services", parent), telemetry.span("call", {}):
            pass
    telemetry.flush()
    assert [format(one.context.trace_id, "032x") for one in exporter.get_finished_spans() if one.context] == [
        TRACE
    ] * 2
    telemetry.close()


@pytest.mark.parametrize(
    "path", ["/planted-patient-7", "/cds-services/a/b/c", "//", "/cds-services/x/feedbacks"]
)
def test_a_path_of_others_is_no_name(path: str) -> None:
    assert route_of(path) in ("other", "/")
    assert method_of("PLANTED") == "_OTHER"


def test_off_it_is_not_even_loaded() -> None:
    code = (
        "import sys, cds_hooks.cli.serve, cds_hooks.usecase\n"
        "from cds_hooks.traces import tracing\n"
        "from plugin.settings_traces import Traces\n"
        "app = object()\n"
        "with tracing(Traces()) as wrap:\n"
        "    assert wrap(app) is app\n"
        "print([name for name in sys.modules if 'opentelemetry' in name or name == 'google.protobuf'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_without_the_packages_the_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from cds_hooks.traces import tracing

    monkeypatch.setitem(sys.modules, "cds_hooks.telemetry", None)
    with pytest.raises(SettingsError, match=r"traces\.endpoint: .*vestige\[otel\]"):
        with tracing(Traces(endpoint="http://127.0.0.1:4318/v1/traces")):
            pass


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("ENDPOINT", "127.0.0.1:4318", "traces.endpoint: must be an http or https address"),
        ("ENDPOINT", "http://user:hush@c.example/v1/traces", "traces.endpoint: must be"),
        ("ENDPOINT", "http://c.example:99999/", "traces.endpoint: is no address"),
        ("SHARE", "2", "VESTIGE_TRACES__SHARE"),
        ("HEADERS", "nowhere", "traces.headers: nowhere cannot be read"),
    ],
)
def test_settings_that_cannot_work_are_named(key: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(None, {f"VESTIGE_TRACES__{key}": value})
    assert words in str(refused.value)
    assert "hush" not in str(refused.value)


def test_a_real_service_sends_its_spans_to_a_collector(tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer planted-collector-secret\n")
    file = tmp_path / "vestige.toml"
    with fake() as (collector, got):
        file.write_text(
            '[service]\nhook_deadline = 60.0\n[rules]\nengine = "reference"\n'
            f'[traces]\nendpoint = "{collector}/v1/traces"\nheaders = "{headers}"\n'
        )
        with running(tmp_path, today=date(2026, 11, 21), options=["--config", str(file)]) as service:
            assert service.call(call()).status_code == 200
        # What is left is handed over at the end.
        until(lambda: bool(got))
        assert "planted-collector-secret" not in service.log.read_text()
    sent = ExportTraceServiceRequest()
    sent.ParseFromString(b"".join(body for _, body in got))
    names = {one.name for group in sent.resource_spans for scope in group.scope_spans for one in scope.spans}
    assert {"call", "pull", "read", "evaluate", "advise", "record"} <= names
    assert {head["authorization"] for head, _ in got} == {"Bearer planted-collector-secret"}
