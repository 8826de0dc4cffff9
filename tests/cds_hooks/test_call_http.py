"""Hook calls over real HTTP: what is accepted, what is refused, and with which status, header and body."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from cds_hooks.app import create_app
from cds_hooks.services import SERVICES
from plugin.chart import Gap, GapReason
from plugin.errors import NoData, StoreError
from tests.cds_hooks.serving import ORIGIN, Said, advice, body, open_settings, post, served

REVIEW = "/cds-services/crlm-lesion-review"
SECRET = "zzsecretzz"


@pytest.fixture(scope="module")
def said() -> Said:
    return Said(advices=(advice(),))


@pytest.fixture(scope="module")
def base(said: Said) -> Iterator[str]:
    with served(create_app(open_settings(), said)) as address:
        yield address


def refusal(answer: requests.Response, status: int, *words: str) -> str:
    """Checks that the answer is an OperationOutcome with this status and words, and returns its text."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert document["resourceType"] == "OperationOutcome"
    (issue, *_) = document["issue"]
    assert issue["severity"] == "error"
    assert issue["code"]
    for word in words:
        assert word in issue["diagnostics"]
    assert "cards" not in document
    return str(issue["diagnostics"])


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.id)
def test_every_service_answers_its_hook(base: str, service: Any) -> None:
    answer = post(f"{base}/cds-services/{service.id}", body(service.hook.name))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(answer.json()["cards"]) == 1


def test_nothing_to_say_is_exactly_empty_cards() -> None:
    with served(create_app(open_settings(), Said())) as base:
        assert post(base + REVIEW, body()).content == b'{"cards":[]}'


@pytest.mark.parametrize("slash", ["", "/"])
def test_trailing_slash_is_the_same_service(base: str, slash: str) -> None:
    assert post(base + REVIEW + slash, body()).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"   ",
        b"{",
        b'{"hook": "patient-view"',
        b'{"hook": NaN}',
        b'{"hook": Infinity}',
        b'{"hook": 1, "hook": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[" * 100_000,
        b"[" * 100 + b"]" * 100,
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"hook": "patient-view",}',
        b"// comment\n{}",
        b"[]",
        b'"text"',
        b"null",
    ],
    ids=lambda sent: sent[:24].decode("latin-1") or "empty",
)
def test_broken_json_is_400(base: str, sent: bytes) -> None:
    refusal(post(base + REVIEW, sent), 400)


def test_byte_order_mark_and_other_scripts_are_accepted(base: str, said: Said) -> None:
    document = body(extension={"com.example": "Ünïcödé 肝臓 \U0001f9ec"})
    assert post(base + REVIEW, b"\xef\xbb\xbf" + json.dumps(document).encode()).status_code == 200
    assert post(base + REVIEW, json.dumps(document, ensure_ascii=False).encode()).status_code == 200


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"hook": None}, "hook is missing"),
        ({"hook": 7}, "hook must be text"),
        ({"hook": ""}, "hook is missing"),
        ({"hook": "order-sign"}, "hook must be patient-view"),
        ({"hookInstance": None}, "hookInstance is missing"),
        ({"hookInstance": 7}, "hookInstance must be text"),
        ({"context": None}, "context is missing"),
        ({"context": []}, "context must be an object"),
        ({"context": {}}, "context.userId, context.patientId is missing"),
        ({"fhirAuthorization": {"access_token": SECRET}}, "fhirServer is missing"),
        (
            {"fhirAuthorization": [], "fhirServer": "https://ehr.example"},
            "fhirAuthorization must be an object",
        ),
        ({"fhirServer": 7}, "fhirServer must be text"),
        ({"prefetch": []}, "prefetch must be an object"),
    ],
)
def test_what_a_call_must_have(base: str, changes: dict[str, Any], named: str) -> None:
    document = {**body(), **{name: value for name, value in changes.items() if value is not None}}
    for name, value in changes.items():
        if value is None:
            del document[name]
    refusal(post(base + REVIEW, document), 400, named)


@pytest.mark.parametrize(
    ("hook", "member", "value"),
    [
        ("patient-view", "patientId", f"Patient/{SECRET}"),
        ("patient-view", "patientId", 7),
        ("patient-view", "patientId", ""),
        ("patient-view", "patientId", ".."),
        ("patient-view", "patientId", SECRET + "\n"),
        ("patient-view", "patientId", SECRET * 50),
        ("patient-view", "patientId", f"{SECRET}?x=1"),
        ("patient-view", "userId", SECRET),
        ("patient-view", "userId", f"Device/{SECRET}"),
        ("patient-view", "userId", f"Practitioner/{SECRET}/x"),
        ("order-sign", "userId", f"Patient/{SECRET}"),
        ("patient-view", "encounterId", f"Encounter/{SECRET}"),
        ("encounter-start", "encounterId", None),
        ("order-sign", "draftOrders", None),
        ("order-sign", "draftOrders", [SECRET]),
        ("order-sign", "draftOrders", {"resourceType": SECRET}),
        ("order-sign", "draftOrders", {"resourceType": "Bundle", "entry": SECRET}),
        ("order-select", "selections", None),
        ("order-select", "selections", SECRET),
        ("order-select", "selections", [{"reference": SECRET}]),
        ("appointment-book", "appointments", None),
    ],
)
def test_what_a_context_must_have(base: str, hook: str, member: str, value: Any) -> None:
    document = body(hook)
    document["context"][member] = value
    service = next(one for one in SERVICES.values() if one.hook.name == hook)
    text = refusal(post(f"{base}/cds-services/{service.id}", document), 400, f"context.{member}")
    assert SECRET not in text


@pytest.mark.parametrize(
    ("hook", "user"),
    [
        ("patient-view", "Practitioner/COREPRACTITIONER1"),
        ("patient-view", "PractitionerRole/a.b-c"),
        ("patient-view", "Patient/p1"),
        ("patient-view", "RelatedPerson/r"),
        ("order-sign", "PractitionerRole/x"),
        ("order-sign", "Practitioner/" + "e" * 200),
    ],
)
def test_users_of_every_published_type(base: str, hook: str, user: str) -> None:
    document = body(hook)
    document["context"]["userId"] = user
    service = next(one for one in SERVICES.values() if one.hook.name == hook)
    assert post(f"{base}/cds-services/{service.id}", document).status_code == 200


def test_unknown_members_and_extensions_are_ignored(base: str, said: Said) -> None:
    document = body(
        foo={"bar": []},
        redirect="https://ehr.example",
        user="Practitioner/1",
        extension={"internal.epic.x": "text", "com.epic.cdshooks.request.bpa-trigger-action": "60"},
        fhirServer=None,
        prefetch=None,
    )
    document["context"]["unknown"] = {"deep": [1, 2, {"a": None}]}
    document["prefetch"] = None
    document["fhirServer"] = None
    document["fhirAuthorization"] = None
    assert post(base + REVIEW, document).status_code == 200
    call, _ = said.calls[-1]
    assert call.prefetch is None
    assert call.fhir_server is None


def test_prefetch_keys_arrive_as_they_were_sent(base: str, said: Said) -> None:
    sent = {"imaging": None, "-user": {"resourceType": "Practitioner"}, "studies": {"resourceType": "Bundle"}}
    assert post(base + REVIEW, body(prefetch=sent)).status_code == 200
    assert said.calls[-1][0].prefetch == sent


def test_hook_instance_that_is_no_uuid_is_taken(base: str, said: Said) -> None:
    assert post(base + REVIEW, body(hookInstance="fhir-mcp-instance")).status_code == 200
    assert said.calls[-1][0].instance_is_uuid is False


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json;charset=utf-8",
        "Application/JSON; charset=UTF-8",
        "application/fhir+json",
        "application/json+fhir",
    ],
)
def test_content_types_taken(base: str, kind: str) -> None:
    assert post(base + REVIEW, body(), **{"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "", "application/json; charset=latin-1", "multipart/form-data"]
)
def test_content_types_refused(base: str, kind: str) -> None:
    refusal(post(base + REVIEW, body(), **{"Content-Type": kind}), 415)


def test_compressed_body_is_415(base: str) -> None:
    squeezed = gzip.compress(json.dumps(body()).encode())
    refusal(post(base + REVIEW, squeezed, **{"Content-Encoding": "gzip"}), 415)


def test_five_megabytes_pass_and_twenty_do_not(base: str) -> None:
    assert post(base + REVIEW, body(extension={"pad": "x" * 5_000_000})).status_code == 200
    refusal(post(base + REVIEW, body(extension={"pad": "x" * 20_000_000})), 413, "16777216")


def test_a_chunked_body_has_the_same_limit() -> None:
    with served(create_app(open_settings(max_body=1000), Said())) as base:
        chunks = (b"x" * 100 for _ in range(20))
        headers = {"Content-Type": "application/json"}
        refusal(requests.post(base + REVIEW, data=chunks, headers=headers, timeout=60), 413)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [REVIEW, REVIEW + "/", REVIEW + "/feedback"])
def test_other_methods_are_405_with_allow(base: str, method: str, path: str) -> None:
    answer = requests.request(method, base + path, timeout=60)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "OPTIONS, POST"
    if method != "HEAD":
        refusal(answer, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/cds-services/nobody",
        "/cds-services/nobody/feedback",
        "/cds-services/crlm-order-sign/analytics/d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "/cds-services/a/b/c",
        "/x",
    ],
)
def test_unknown_addresses_are_404_in_json(base: str, path: str) -> None:
    refusal(post(base + path, body()), 404)


def test_options_without_a_preflight_names_the_methods(base: str) -> None:
    answer = requests.options(base + REVIEW, timeout=60)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "OPTIONS, POST")


def test_no_data_is_412_and_names_the_prefetch_keys() -> None:
    gap = Gap(
        resource="Observation",
        reason=GapReason.NOT_FETCHED,
        detail="no access",
        decisive=True,
        query="imaging",
    )
    with served(create_app(open_settings(), Said(error=NoData("nothing can be read", (gap,))))) as base:
        answer = post(base + REVIEW, body())
    refusal(answer, 412, "nothing can be read")
    assert answer.json()["issue"][1]["diagnostics"] == "imaging: not-fetched: no access"


def test_a_fault_is_500_with_an_error_id_and_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with served(create_app(open_settings(), Said(error=KeyError(SECRET)))) as base:
        answer = post(base + REVIEW, body(), Origin=ORIGIN)
        text = refusal(answer, 500, "error id")
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        counts = requests.get(f"{base}/metrics", timeout=60).text
    error_id = text.split("error id ")[1].split()[0]
    assert error_id in caplog.text
    assert SECRET not in text + caplog.text
    assert "vestige_faults_total 1" in counts


def test_advice_that_is_no_card_is_a_fault_and_not_silence() -> None:
    with served(create_app(open_settings(), Said(advices=(advice(indicator="hard-stop"),)))) as base:
        refusal(post(base + REVIEW, body()), 500)


def test_after_the_deadline_a_card_says_that_nothing_was_assessed() -> None:
    said = Said(advices=(advice(),), seconds=1.0)
    with served(create_app(open_settings(hook_deadline=0.2), said)) as base:
        answer = post(base + REVIEW, body())
        counts = requests.get(f"{base}/metrics", timeout=60).text
    assert answer.status_code == 200
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "warning"
    assert "could not assess" in card["summary"]
    assert "vestige_late_total 1" in counts


def test_a_slow_call_does_not_hold_up_discovery() -> None:
    with served(create_app(open_settings(), Said(seconds=1.5))) as base:
        with socket.create_connection((urlsplit(base).hostname, urlsplit(base).port)) as raw:
            document = json.dumps(body()).encode()
            head = f"POST {REVIEW} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(document)}\r\n\r\n"
            raw.sendall(head.encode() + document)
            time.sleep(0.2)
            assert requests.get(f"{base}/cds-services", timeout=1.0).status_code == 200
            assert raw.recv(12) == b"HTTP/1.1 200"


def test_expect_100_continue(base: str) -> None:
    document = json.dumps(body()).encode()
    head = (
        f"POST {REVIEW} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(document)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((urlsplit(base).hostname, urlsplit(base).port), timeout=60) as raw:
        raw.sendall(head.encode())
        assert raw.recv(1024).startswith(b"HTTP/1.1 100")
        raw.sendall(document)
        assert raw.recv(1024).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "10.0.0.1", "[", ""]
)
def test_an_open_service_answers_to_loopback_names_only(base: str, said: Said, host: str) -> None:
    before = len(said.calls)
    refusal(post(base + REVIEW, body(), Host=host), 403, "localhost")
    assert len(said.calls) == before


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1"])
def test_names_of_loopback(base: str, host: str) -> None:
    assert post(base + REVIEW, body(), Host=host).status_code == 200


def test_parallel_calls_do_not_mix_patients(base: str, said: Said) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> int:
        document = body()
        document["context"]["patientId"] = f"many-{number}"
        return post(base + REVIEW, document).status_code

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(ask, range(50))) == {200}
    seen = [call.patient_id for call, _ in said.calls if call.patient_id.startswith("many-")]
    assert sorted(seen) == sorted(f"many-{number}" for number in range(50))


def test_neither_token_nor_patient_is_logged(base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    document = body(
        hookInstance=SECRET,
        fhirServer="https://ehr.example/fhir",
        fhirAuthorization={"access_token": SECRET, "token_type": "Bearer", "expires_in": 300},
    )
    document["context"]["patientId"] = SECRET
    assert post(base + REVIEW, document, Authorization=f"Bearer {SECRET}").status_code == 200
    assert "call service=crlm-lesion-review" in caplog.text
    assert SECRET not in caplog.text


def test_the_log_holds_one_line_a_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    document = body()
    with served(create_app(open_settings(), Said(advices=(advice(),)))) as base:
        post(base + REVIEW, document)
    (line,) = [one for one in caplog.messages if one.startswith("call ")]
    named = dict(item.split("=", 1) for item in line.removeprefix("call ").split())
    assert named["service"] == "crlm-lesion-review"
    assert named["instance"] == document["hookInstance"]
    assert (named["client"], named["rules"], named["cards"]) == ("open", "abc123", "1")
    assert document["context"]["patientId"] not in line


def test_what_was_sent_is_recorded() -> None:
    said = Said(advices=(advice(), advice()))
    with served(create_app(open_settings(), said)) as base:
        cards = post(base + REVIEW, body()).json()["cards"]
    assert said.recorded == [tuple(card["uuid"] for card in cards)]


def test_a_record_that_cannot_be_kept_keeps_no_card_back() -> None:
    said = Said(advices=(advice(),), store_error=StoreError("the disk is full"))
    with served(create_app(open_settings(), said)) as base:
        assert len(post(base + REVIEW, body()).json()["cards"]) == 1
        time.sleep(0.1)
        assert "vestige_records_lost_total 1" in requests.get(f"{base}/metrics", timeout=60).text


def test_an_alarm_of_the_engines_is_counted_and_in_readiness() -> None:
    said = Said(advices=(advice(),), alarms=("engine-unavailable", "worker-restarted"))
    with served(create_app(open_settings(), said)) as base:
        assert len(post(base + REVIEW, body()).json()["cards"]) == 1
        ready = requests.get(f"{base}/readyz", timeout=60).json()
        counts = requests.get(f"{base}/metrics", timeout=60).text
    assert ready["engineAlarm"] is True
    assert ready["secondsSinceAlarm"] >= 0
    assert 'vestige_alarms_total{kind="engine-unavailable"} 1' in counts
    assert 'vestige_alarms_total{kind="worker-restarted"} 1' in counts


def test_health_readiness_and_counts() -> None:
    with served(create_app(open_settings(), Said(advices=(advice(),)))) as base:
        post(base + REVIEW, body())
        assert requests.get(f"{base}/healthz", timeout=60).json() == {"status": "ok"}
        ready = requests.get(f"{base}/readyz", timeout=60).json()
        assert ready == {"status": "ready", "rulePack": "abc123", "bothEngines": True, "engineAlarm": False}
        counts = requests.get(f"{base}/metrics", timeout=60)
    assert counts.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'vestige_calls_total{service="crlm-lesion-review",status="200"} 1' in counts.text
    assert 'vestige_cards_total{indicator="warning",service="crlm-lesion-review"} 1' in counts.text
