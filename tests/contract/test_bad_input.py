"""Bad input to the whole service as it runs: a clear error or a visible card, never empty cards, never "gone".

The patient is the one whose metastases are all confirmed as vanished, so that a fault which hid a sighting would be
most likely to pass for an answer.
"""

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import requests

from fhir_profiles import samples
from plugin.pull.queries import QUERIES
from tests.servers import hostile
from tests.servers.hostile import Hostile, Reply, Request, bundle
from tests.service import Service, running

TODAY = date(2026, 11, 21)
NAME = "cea-discordant"
GONE = re.compile(r"not seen|not visible|vanished|disappear", re.IGNORECASE)
RESOURCES = [entry["resource"] for entry in samples.sample(NAME, TODAY).bundle["entry"]]


def matching(kind: str, category: str | None, codes: list[str]) -> list[dict[str, Any]]:
    """Returns what an ordinary server would find for one of our searches."""
    found = []
    for one in RESOURCES:
        held = {coding["code"] for concept in one.get("category", []) for coding in concept.get("coding", [])}
        own = {coding["code"] for coding in one.get("code", {}).get("coding", [])}
        if one["resourceType"] != kind or (category and kind == "Observation" and category not in held):
            continue
        if codes and kind == "Observation" and not own & {code.split("|")[-1] for code in codes}:
            continue
        found.append(one)
    return found


def ordinary(request: Request, _server: Hostile) -> Reply:
    kind, *rest = request.path.split("/")[2:]
    if rest:
        (own,) = [one for one in RESOURCES if one["resourceType"] == kind and one["id"] == rest[0]]
        return hostile.resource(own)
    codes = [code for value in request.query.get("code", []) for code in value.split(",")]
    return bundle(*matching(kind, request.query.get("category", [None])[0], codes))


def but(kind: str, answer: Callable[[Request, Hostile], Reply]) -> hostile.Script:
    """Returns the script of an ordinary server that fails for one resource type."""
    return lambda request, server: (
        answer(request, server) if request.path.split("/")[2] == kind else ordinary(request, server)
    )


def strangers(request: Request, server: Hostile) -> Reply:
    """Answers with the resources of another patient."""
    found = copy.deepcopy(json.loads(ordinary(request, server).body))
    text = json.dumps(found).replace("vestige-8-patient", "somebody-else")
    return hostile.resource(json.loads(text))


def spoil(entries: list[dict[str, Any]]) -> None:
    """Makes one statement on a lesion unreadable among good ones: its value is no CodeableConcept."""
    statements = [entry["resource"] for entry in entries if "52101004" in json.dumps(entry)]
    if statements:
        statements[-1]["valueCodeableConcept"] = {"coding": "52101004"}


def one_broken(request: Request, server: Hostile) -> Reply:
    found = json.loads(ordinary(request, server).body)
    spoil(found.get("entry", []))
    return hostile.resource(found)


def lost_page(request: Request, server: Hostile) -> Reply:
    """Answers the first page; the next one is not there."""
    if "page" in request.query:
        return hostile.status(410)
    found = json.loads(ordinary(request, server).body)
    rest = found["entry"][: len(found["entry"]) // 2]
    return bundle(*[entry["resource"] for entry in rest], next_url=f"{server.base}/Observation?page=2")


FAULTS: dict[str, Callable[[Request, Hostile], Reply]] = {
    "401": lambda *_: hostile.status(401),
    "403": lambda *_: hostile.status(403),
    "404": lambda *_: hostile.status(404),
    "429 with a long wait": lambda *_: hostile.status(429, **{"Retry-After": "3600"}),
    "500": lambda *_: hostile.status(500),
    "503": lambda *_: hostile.status(503),
    "HTML": lambda *_: hostile.html(),
    "XML": lambda *_: hostile.xml(),
    "an empty body": lambda *_: hostile.raw(b""),
    "truncated JSON": lambda *_: hostile.raw(
        b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceTy'
    ),
    "nothing": lambda *_: hostile.silence(),
    "a reset": lambda *_: hostile.reset(),
    "a body that drips": lambda *_: hostile.drip_body(),
    "a redirect": lambda *_: Reply(302, b"", {"Location": "http://127.0.0.1:1/fhir"}),
    "another patient": strangers,
    "a next link that is gone": lost_page,
    "one broken entry": one_broken,
}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, dict[str, Hostile]]]:
    """A service, and one FHIR server a fault."""
    servers = {name: Hostile(but("Observation", fault)) for name, fault in FAULTS.items()}
    servers["none"] = Hostile(ordinary)
    servers["every answer fails"] = Hostile(lambda *_: hostile.status(500))
    for server in servers.values():
        server.__enter__()
    try:
        bases = [server.base for server in servers.values()]
        with running(tmp_path_factory.mktemp("service"), bases=bases, today=TODAY) as service:
            yield service, servers
    finally:
        for server in servers.values():
            server.__exit__()


def call_of(base: str | None = None, **changes: Any) -> dict[str, Any]:
    access: dict[str, Any] = {}
    if base:
        token = {
            "access_token": "secret-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "x",
            "subject": "y",
        }
        access = {"fhirServer": base, "fhirAuthorization": token}
    hook = samples.sample(NAME, TODAY).hook
    return {
        "hook": hook["hook"],
        "hookInstance": str(uuid.uuid4()),
        "context": hook["context"],
        **access,
        **changes,
    }


def words(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    assert cards, "a fault must never be silent"
    return "\n".join(card["summary"] + "\n" + card["detail"] for card in cards)


def test_the_ordinary_server_gives_the_ordinary_answer(sites: tuple[Service, dict[str, Hostile]]) -> None:
    service, servers = sites
    said = words(service.call(call_of(servers["none"].base)))
    assert "All lesions not visible but CEA 14 ng/mL" in said


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_fhir_server_is_said(fault: str, sites: tuple[Service, dict[str, Hostile]]) -> None:
    service, servers = sites
    said = words(service.call(call_of(servers[fault].base)))
    assert "Observation" in said, "the card names what was not read"
    assert "lesions visible" not in said, "a count of what is visible would pass for an answer"
    assert "All target lesions" not in said
    assert "All lesions not visible" not in said
    assert "secret-token" not in service.log.read_text()


def test_where_nothing_answers_the_card_says_so(sites: tuple[Service, dict[str, Hostile]]) -> None:
    service, servers = sites
    answer = service.call(call_of(servers["every answer fails"].base))
    said = words(answer)
    assert not re.search(r"not seen on|All lesions", said)


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:1/fhir", "https://169.254.169.254/fhir", "http://example.invalid"]
)
def test_a_server_that_is_not_listed_is_never_asked(
    base: str, sites: tuple[Service, dict[str, Hostile]]
) -> None:
    answer = sites[0].call(call_of(base))
    assert answer.status_code == 412 or words(answer)
    assert "cards" not in answer.json() or answer.json()["cards"]


def test_neither_prefetch_nor_access_is_412(sites: tuple[Service, dict[str, Hostile]]) -> None:
    answer = sites[0].call(call_of())
    assert answer.status_code == 412
    assert answer.json()["resourceType"] == "OperationOutcome"


def prefetched() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for query in QUERIES:
        own = [copy.deepcopy(one) for one in RESOURCES if one["resourceType"] == query.resource]
        whole = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in own]}
        found[query.key] = own[0] if query.is_read else whole
    return found


def test_prefetch_of_another_patient_is_never_used(sites: tuple[Service, dict[str, Hostile]]) -> None:
    text = json.dumps(prefetched()).replace("vestige-8-patient", "somebody-else")
    answer = sites[0].call(call_of(prefetch=json.loads(text)))
    said = words(answer)
    assert "All lesions" not in said
    assert "somebody-else" not in said


def test_one_broken_entry_of_the_prefetch_is_named(sites: tuple[Service, dict[str, Hostile]]) -> None:
    prefetch = prefetched()
    for answer in prefetch.values():
        spoil(answer.get("entry", []))
    said = words(sites[0].call(call_of(prefetch=prefetch)))
    assert "Observation" in said
    assert "All lesions not visible" not in said


@pytest.mark.parametrize(
    "entry", [None, {}, {"resource": None}, {"resource": "x"}, {"resource": {"resourceType": 5}}]
)
def test_an_entry_that_holds_no_resource_does_not_cost_the_rest(
    entry: Any, sites: tuple[Service, dict[str, Hostile]]
) -> None:
    prefetch = prefetched()
    prefetch["imaging"]["entry"].insert(3, entry)
    answer = sites[0].call(call_of(prefetch=prefetch))
    assert words(answer)


def test_a_next_link_that_cannot_be_followed_is_named(sites: tuple[Service, dict[str, Hostile]]) -> None:
    prefetch = prefetched()
    for key in ("imaging", "findings"):
        prefetch[key]["link"] = [
            {"relation": "next", "url": "https://elsewhere.example/fhir/Observation?page=2"}
        ]
    said = words(sites[0].call(call_of(prefetch=prefetch)))
    assert "Observation" in said
    assert "All lesions not visible" not in said


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b'{"hook": "patient-view", "hookInstance": "x"', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/xml", 415),
        (b'{"a": "' + b"x" * (20 * 1024 * 1024) + b'"}', "application/json", 413),
    ],
    ids=["empty", "truncated", "a list", "no member", "text", "XML", "20 MB"],
)
def test_a_bad_request_is_an_operation_outcome(
    body: bytes, kind: str, status: int, sites: tuple[Service, dict[str, Hostile]]
) -> None:
    address = f"{sites[0].address}/cds-services/crlm-lesion-review"
    answer = requests.post(address, data=body, headers={"Content-Type": kind}, timeout=30)
    assert answer.status_code == status
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["diagnostics"]
