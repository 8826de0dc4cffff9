"""Calls as known clients make them: the public sandbox, Epic, Oracle Health, the Inferno suite, a HAPI proxy."""

import base64
import json
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec
import pytest
import requests

from cds_hooks.app import create_app
from cds_hooks.conformance.patients import SyntheticPatient, patients
from plugin.pull import PREFETCH
from plugin.settings import Fhir as FhirSettings
from plugin.settings import FhirServer, Issuer, Rules, Service, Settings, Store, Trust
from tests.cds_hooks.jwts import PUBLIC, Client, elliptic, key_set, rsa_client
from tests.cds_hooks.serving import post, served

REVIEW = "/cds-services/crlm-lesion-review"
SIGN = "/cds-services/crlm-order-sign"
SANDBOX = elliptic("https://sandbox.cds-hooks.org", "sandbox-1")
EPIC = rsa_client("https://epic.example/api", "k+/==")
ORACLE = elliptic("https://cds-hooks.cerner.com", "oracle-1")
INFERNO = elliptic("https://inferno.example/custom/crd_server", "inferno-1")
SECRET = "opaque-access-token"


def issuer(folder: Path, client: Client, **more: Any) -> Issuer:
    path = folder / f"{uuid.uuid4()}.json"
    path.write_bytes(key_set(client))
    return Issuer(issuer=client.issuer, jwks_file=path, **more)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("clients")
    jku = f"{INFERNO.issuer}/jwks.json"
    return Settings(
        service=Service(public_url=PUBLIC, hook_deadline=60),
        trust=Trust(
            issuers=(
                issuer(folder, SANDBOX, profile="sandbox"),
                issuer(folder, EPIC, profile="epic", algorithms=("RS384",), audiences=("site-configured",)),
                issuer(folder, ORACLE, profile="oracle"),
                issuer(folder, INFERNO, jku=(jku,)),
            )
        ),
        fhir=FhirSettings(servers=(FhirServer(base="https://epic.example/api/FHIR/R4", issuer=EPIC.issuer),)),
        store=Store(url=f"sqlite:///{folder / 'v.db'}"),
        rules=Rules(engine="in-process"),
    )


@pytest.fixture(scope="module")
def base(settings: Settings) -> Iterator[str]:
    """The real service, rules and all."""
    with served(create_app(settings)) as address:
        yield address


def signed(client: Client, path: str, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.token(client.claims(path, **claims))}"}


@cache
def sample() -> SyntheticPatient:
    """Somebody with cards and a suggestion on every hook: lesions that CT alone no longer shows."""
    (found,) = patients(["ct-only-watch-and-wait"], datetime.now(UTC).date())
    return found


def renamed(value: Any, patient: str, base: str) -> Any:
    """The same JSON about a patient of this id; `base` stands before references to it."""
    text = json.dumps(value).replace(f'"Patient/{sample().id}"', f'"{base}Patient/{patient}"')
    return json.loads(text.replace(sample().id, patient))


def record(patient: str, base: str = "") -> dict[str, Any]:
    made: dict[str, Any] = renamed(sample().prefetch(PREFETCH, {"patientId": sample().id}), patient, base)
    return made


def call(hook: str, context: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A call with the whole record of the sample, under the id that its context names."""
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid4()),
        "context": context,
        "prefetch": record(context["patientId"]) if "patientId" in context else {},
        **more,
    }


def answered(answer: requests.Response) -> list[dict[str, Any]]:
    """The cards of an answer, of which there are some, with a suggestion among them."""
    assert answer.status_code == 200, answer.text
    cards: list[dict[str, Any]] = answer.json()["cards"]
    assert any(card.get("suggestions") for card in cards), [one["summary"] for one in cards]
    assert not any(card["source"]["topic"]["code"].startswith(("F6", "F7")) for card in cards)
    return cards


def stripped(cards: list[dict[str, Any]]) -> str:
    """The cards without what differs from call to call."""
    return re.sub(r'"uuid": "[^"]+"', "", json.dumps(cards))


SANDBOX_VIEW = {"patientId": "smart-1288992", "userId": "Practitioner/COREPRACTITIONER1"}
UNFINISHED = {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft", "subject": {"reference": "Patient/smart-1288992"}}  # fmt: skip


@pytest.mark.parametrize(
    ("hook", "service", "more"),
    [
        ("patient-view", "crlm-lesion-review", {}),
        ("order-select", "crlm-order-select", {"selections": ["MedicationRequest/request-123"]}),
        ("order-sign", "crlm-order-sign", {}),
    ],
)
def test_sandbox_calls_without_encounter_bundle_type_and_token(
    base: str, hook: str, service: str, more: dict[str, Any]
) -> None:
    """No encounterId, a Bundle without type, an order without drug and intent, an open server on loopback."""
    context: dict[str, Any] = {**SANDBOX_VIEW, **more}
    if hook != "patient-view":
        drafts = renamed(sample().context["draftOrders"]["entry"], SANDBOX_VIEW["patientId"], "")
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": UNFINISHED}, *drafts]}
    path = f"/cds-services/{service}"
    document = call(hook, context, fhirServer="http://localhost:8080/fhir")
    answered(post(base + path, document, **signed(SANDBOX, path, iat=_half_a_second_ahead())))


def test_sandbox_signs_discovery_and_feedback(base: str) -> None:
    assert (
        requests.get(base + "/cds-services", headers=signed(SANDBOX, "/cds-services"), timeout=30).status_code
        == 200
    )
    item = {
        "card": str(uuid.uuid4()),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": str(uuid.uuid4())}],
        "outcomeTimestamp": "2026-11-21T10:00:00.123Z",
    }
    path = REVIEW + "/feedback"
    assert post(base + path, {"feedback": [item]}, **signed(SANDBOX, path)).status_code == 200


def _half_a_second_ahead() -> float:
    return time.time() + 0.5


LONG = "eVGcPm4Q.rTVn-3f" * 12
EPIC_SERVER = "https://epic.example/api/FHIR/R4"
OUTCOME = {
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "warning",
                "code": "processing",
                "details": {
                    "coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "4101"}]
                },
            }
        ],
    },
    "search": {"mode": "outcome"},
}


def epic_call(**changes: Any) -> dict[str, Any]:
    filled = record(LONG, f"{EPIC_SERVER}/")
    for bundle in filled.values():
        if bundle["resourceType"] == "Bundle":
            bundle["entry"] = [*bundle.get("entry", []), OUTCOME]
    odd = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "category": {"coding": [{"code": "imaging"}]},
        "code": {"text": "x"},
        "subject": {"reference": f"{EPIC_SERVER}/Patient/{LONG}"},
        "identifier": [{"system": "", "value": ""}],
    }
    order = {
        "resourceType": "ServiceRequest",
        "id": LONG,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"{EPIC_SERVER}/Patient/{LONG}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "58410-2"}]},
    }
    drug = {"resourceType": "Medication", "id": "m1", "code": {"text": "a drug"}}
    filled["imaging"]["entry"].insert(0, {"resource": odd})
    filled["imaging"]["total"] += 1
    drafts = renamed(sample().context["draftOrders"]["entry"], LONG, f"{EPIC_SERVER}/")
    return {
        **call("order-sign", {}),
        "context": {
            "userId": "PractitionerRole/" + LONG[:64],
            "patientId": LONG,
            "encounterId": LONG[:100],
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [{"resource": order}, {"resource": drug}, *drafts],
            },
        },
        "fhirServer": EPIC_SERVER,
        "fhirAuthorization": {
            "access_token": SECRET,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "ServiceRequest.Read (Unsigned Order) (R4) Observation.Search (R4)",
            "subject": "client-id",
        },
        "prefetch": {**filled, "patient-user": {"resourceType": "Practitioner", "id": "u"}},
        "extension": {
            "com.epic.cdshooks.request.bpa-trigger-action": "23",
            "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
            "internal.epic.x": "text and no object",
        },
        **changes,
    }


def epic_claims(path: str) -> dict[str, Any]:
    now = int(time.time())
    return {"sub": "client-id", "iat": now - 300, "nbf": now - 300, "exp": now + 600, "aud": PUBLIC + path}


def test_epic_calls_with_its_dialect(base: str, caplog: pytest.LogCaptureFixture) -> None:
    """Opaque ids, absolute references, an outcome entry as "none", a category that is no list, an extension."""
    cards = answered(post(base + SIGN, epic_call(), **signed(EPIC, SIGN, **epic_claims(SIGN))))
    for card in cards:
        assert card["extension"] == {"com.epic.cdshooks.card.detail.content-type": "text/markdown"}
        assert card["source"]["topic"]["code"].isalnum()
        assert all(len(one["actions"]) == 1 for one in card.get("suggestions", []))
    assert SECRET not in caplog.text
    assert LONG not in caplog.text


def test_epic_may_send_the_audience_of_the_site(base: str) -> None:
    answered(
        post(
            base + SIGN, epic_call(), **signed(EPIC, SIGN, **{**epic_claims(SIGN), "aud": "site-configured"})
        )
    )


def test_epic_call_stripped_of_its_data_is_412_with_a_diagnosis(base: str) -> None:
    """What comes when the endpoint is not the address registered with the client id."""
    bare = epic_call(prefetch=None, fhirServer=None, fhirAuthorization=None)
    answer = post(base + SIGN, {k: v for k, v in bare.items() if v is not None}, **signed(EPIC, SIGN))
    assert answer.status_code == 412
    assert "fhirServer with fhirAuthorization" in answer.json()["issue"][0]["diagnostics"]
    assert LONG not in answer.text


@pytest.mark.parametrize(
    "item",
    [
        {"overrideReasons": {"reason": {"system": "urn:s", "code": "7", "display": "Not now"}}},
        {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "7"}},
        {"card": "42"},
    ],
)
def test_epic_sends_feedback_in_its_dialect(base: str, item: dict[str, Any]) -> None:
    path = SIGN + "/feedback"
    whole = {
        "card": str(uuid.uuid4()),
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T10:00:00Z",
        **item,
    }
    assert post(base + path, {"feedback": [whole, whole]}, **signed(EPIC, path)).status_code == 200


def test_oracle_health_opens_a_chart(base: str) -> None:
    context = {"userId": "Practitioner/4464007", "patientId": "12724066", "encounterId": "97953477"}
    for card in answered(post(base + REVIEW, call("patient-view", context), **signed(ORACLE, REVIEW))):
        assert "extension" not in card


def test_inferno_sends_a_long_jti_its_own_jku_and_its_spelling_of_headers(base: str) -> None:
    jti = uuid.uuid4().hex * 2
    token = INFERNO.token(INFERNO.claims(REVIEW, jti=jti), jku=f"{INFERNO.issuer}/jwks.json")
    body = json.dumps(call("patient-view", SANDBOX_VIEW)).encode()
    headers = {"Content-type": "application/json", "Authorization": f"Bearer {token}"}
    assert requests.post(base + REVIEW, data=body, headers=headers, timeout=60).status_code == 200
    again = requests.post(base + REVIEW, data=body, headers=headers, timeout=60)
    assert again.status_code == 401, "one token, one call: a tester who reuses it switches this off"


def test_inferno_runs_with_one_token_where_the_site_lets_it(settings: Settings) -> None:
    trust = msgspec.structs.replace(settings.trust, replay_protection=False)
    with served(create_app(msgspec.structs.replace(settings, trust=trust))) as address:
        headers = signed(INFERNO, REVIEW)
        for _ in range(3):
            answered(post(address + REVIEW, call("patient-view", SANDBOX_VIEW), **headers))


def test_a_proxy_that_fills_templates_finds_every_member_it_needs() -> None:
    """HAPI answers 400 itself where a template names a member that is not in the context."""
    for template in PREFETCH.values():
        assert template.count("{{") == template.count("{{context.patientId}}") == 1


def test_a_resource_as_a_member_of_the_context_is_stood(base: str) -> None:
    context = {**SANDBOX_VIEW, "patient": {"resourceType": "Patient", "id": "smart-1288992"}}
    answered(post(base + REVIEW, call("patient-view", context), **signed(SANDBOX, REVIEW)))


@pytest.mark.parametrize("header", ["null", "undefined", "Bearer null", "Bearer", "Basic eDp5"])
def test_a_browser_without_a_key_pair_is_401(base: str, header: str) -> None:
    answer = post(base + REVIEW, call("patient-view", SANDBOX_VIEW), Authorization=header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["issue"][0]["diagnostics"] == "The call is not authenticated."


def test_the_same_call_twice_gives_the_same_cards(base: str) -> None:
    document = call("patient-view", SANDBOX_VIEW)
    first, second = (
        stripped(answered(post(base + REVIEW, document, **signed(SANDBOX, REVIEW)))) for _ in range(2)
    )
    assert first == second


def test_keys_that_nobody_asked_for_change_nothing(base: str) -> None:
    document = call("patient-view", SANDBOX_VIEW)
    more = {
        **document,
        "prefetch": {**document["prefetch"], "labs": {"resourceType": "Bundle"}, "x": 7, "y": [None]},
    }
    bare, beside = (
        stripped(answered(post(base + REVIEW, one, **signed(SANDBOX, REVIEW)))) for one in (document, more)
    )
    assert bare == beside


def test_a_token_that_lives_for_years_is_refused(base: str) -> None:
    """As the sample token of the specification does (iat 2011, exp 2015): well signed, and of no use to us."""
    now = int(time.time())
    headers = signed(SANDBOX, REVIEW, iat=now - 55_000_000, exp=now + 56_000_000)
    assert post(base + REVIEW, call("patient-view", SANDBOX_VIEW), **headers).status_code == 401


def test_one_connection_serves_several_calls(base: str) -> None:
    connection = HTTPConnection(urlsplit(base).netloc, timeout=30)
    connection.connect()
    held = connection.sock
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b'{"status":"ok"}'
        assert connection.sock is held, "the connection was closed in between"
    connection.close()


def test_an_unsigned_token_is_refused_over_http(base: str) -> None:
    claims = SANDBOX.claims(REVIEW)
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT", "kid": SANDBOX.kid}).encode())
    payload = jwt.encode(claims, "x" * 64, "HS256").split(".")[1]
    token = f"{header.decode().rstrip('=')}.{payload}."
    answer = post(base + REVIEW, call("patient-view", SANDBOX_VIEW), Authorization=f"Bearer {token}")
    assert answer.status_code == 401
