"""Discovery over real HTTP, and the lint of what it publishes."""

import json
import re
from collections.abc import Iterator

import pytest
import requests

from cds_hooks.app import create_app
from cds_hooks.discovery import discovery
from cds_hooks.hooks import HOOKS
from cds_hooks.services import SERVICES
from cds_hooks.templates import problems
from plugin.errors import StoreError
from plugin.pull import PREFETCH, QUERIES
from tests.cds_hooks.serving import Said, open_settings, served


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served(create_app(open_settings(), Said())) as address:
        yield address


def walk(value: object) -> Iterator[object]:
    yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(child)


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
@pytest.mark.parametrize("accept", ["application/json", "*/*", None, "application/json+fhir"])
def test_document(base: str, path: str, accept: str | None) -> None:
    answer = requests.get(base + path, headers={"Accept": accept} if accept else {}, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    document = json.loads(answer.text, parse_constant=pytest.fail)
    assert list(document) == ["services"]
    for service in document["services"]:
        assert set(service) == {
            "hook",
            "title",
            "description",
            "id",
            "prefetch",
            "usageRequirements",
            "extension",
        }
        for name in ("hook", "title", "description", "id", "usageRequirements"):
            assert isinstance(service[name], str)
            assert service[name]
        assert re.fullmatch(r"[A-Za-z0-9._-]+", service["id"])
        assert service["prefetch"] == dict(PREFETCH)
        assert isinstance(service["extension"]["example.vestige.rule-pack"], dict)
        assert "abc123" in service["usageRequirements"]
        assert "R4" in service["usageRequirements"]
    assert not [value for value in walk(document) if value in (None, "", [], {})]


def test_services_and_their_hooks(base: str) -> None:
    services = requests.get(f"{base}/cds-services", timeout=60).json()["services"]
    assert {service["id"]: service["hook"] for service in services} == {
        "crlm-lesion-review": "patient-view",
        "crlm-order-select": "order-select",
        "crlm-order-sign": "order-sign",
        "crlm-order-dispatch": "order-dispatch",
        "crlm-appointment-book": "appointment-book",
        "crlm-encounter-start": "encounter-start",
        "crlm-encounter-discharge": "encounter-discharge",
    }
    assert len({service["hook"] for service in services}) == len(services)


def test_required_keys_are_named() -> None:
    text = json.loads(discovery(PREFETCH, ("imaging", "studies"), revision="r1").body)["services"][0][
        "usageRequirements"
    ]
    assert "imaging, studies" in text


def test_no_services_is_an_empty_list() -> None:
    assert discovery(PREFETCH, (), revision="r1", services=()).body == b'{"services":[]}'


def test_entity_tag(base: str) -> None:
    first = requests.get(f"{base}/cds-services", timeout=60)
    again = requests.get(f"{base}/cds-services", headers={"If-None-Match": first.headers["ETag"]}, timeout=60)
    assert (again.status_code, again.content) == (304, b"")
    other = requests.get(f"{base}/cds-services", headers={"If-None-Match": '"other"'}, timeout=60)
    assert other.status_code == 200
    assert discovery(PREFETCH, (), revision="r1").etag != discovery(PREFETCH, (), revision="r2").etag


def test_head_and_other_methods(base: str) -> None:
    head = requests.head(f"{base}/cds-services", timeout=60)
    assert (head.status_code, head.content) == (200, b"")
    for method in ("PUT", "DELETE", "POST"):
        answer = requests.request(method, f"{base}/cds-services", timeout=60)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_the_front_page_tells_people_the_same(base: str) -> None:
    answer = requests.get(base, timeout=60)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for service in SERVICES.values():
        assert service.id in answer.text
        assert service.hook.name in answer.text
    assert all(key in answer.text for key in PREFETCH)


def test_readiness_says_what_is_missing() -> None:
    with served(
        create_app(open_settings(), Said(store_error=StoreError("the database cannot be read")))
    ) as base:
        answer = requests.get(f"{base}/readyz", timeout=60)
    assert answer.status_code == 503
    assert answer.json()["issue"][0]["diagnostics"] == "the database cannot be read"


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.id)
def test_published_templates_are_within_the_subset(service: object) -> None:
    found = {key: problems(service.hook, key, template) for key, template in PREFETCH.items()}
    assert not {key: why for key, why in found.items() if why}


# Search parameters of FHIR R4 (4.0.1) for the types we ask for; `patient` is one of each.
R4 = {
    "Observation": {"category", "code", "date", "status"},
    "DiagnosticReport": {"category", "code", "date", "status"},
    "CarePlan": {"category", "date", "status"},
    "Condition": {"category", "code", "clinical-status"},
    "MedicationRequest": {"intent", "status", "code"},
    "Appointment": {"date", "status"},
    **dict.fromkeys(
        ("ImagingStudy", "BodyStructure", "MedicationAdministration", "MedicationStatement", "Procedure"),
        set(),
    ),
    **dict.fromkeys(("ServiceRequest", "AllergyIntolerance", "Device"), set()),
}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.key)
def test_types_and_parameters_are_those_of_fhir_r4(query: object) -> None:
    for template in (query.template, *query.alternatives):
        kind, mark, rest = template.partition("?")
        if not mark:
            assert template == "Patient/{{context.patientId}}"
            continue
        assert kind == query.resource
        assert {part.partition("=")[0] for part in rest.split("&")} <= {"patient", *R4[kind]}


def test_discovery_is_made_once_and_names_nobody(base: str) -> None:
    answers = [requests.get(f"{base}/cds-services", timeout=60) for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["Cache-Control"] == "no-cache"
    assert len(answers[0].content) < 100_000


def test_every_query_feeds_some_fact() -> None:
    """Minimum necessary: nothing is asked for that no rule reads."""
    assert all(query.feeds for query in QUERIES)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("Patient/{{context.encounterId}}", "no required primitive"),
        ("Patient/{{context.draftOrders}}", "no required primitive"),
        ("Patient/{{context.patient.id}}", "no required primitive"),
        ("Patient/{{today()}}", "no required primitive"),
        ("Practitioner?identifier={{%patient.generalPractitioner.identifier}}", "no required primitive"),
        ("Patient/{{context.draftOrders.entry.resource.ofType(ServiceRequest).id}}", "no required primitive"),
        ("Observation?patient={{context.patientId}}&date=ge{{today() - 90 days}}", "no required primitive"),
        ("Patient/{{context.patientId}", "braces"),
        ("Patient/{{{context.patientId}}}", "braces"),
        ("/Patient/{{context.patientId}}", "neither"),
        ("https://ehr.example/Patient/{{context.patientId}}", "neither"),
        ("Patient/{{context.patientId}}/$everything", "neither"),
        ("Patient/{{context.patientId}}/_history/1", "neither"),
        ("?patient={{context.patientId}}", "neither"),
        ("Observation?patient={{context.patientId}}&_include=Observation:subject", "parameter _include"),
        ("Observation?patient={{context.patientId}}&_summary=true", "parameter _summary"),
        ("Observation?patient={{context.patientId}}&_has:Group:member:_id=1", "_has"),
        ("Observation?patient.identifier={{context.patientId}}", "chained"),
        ("Observation?patient={{context.patientId}}&code:not=x", "modifier :not"),
        ("Observation?patient={{context.patientId}}&date=ge2020&date=le2021", "date twice"),
        ("Observation?patient={{context.patientId}}&date=sa2020", "eq, lt, gt, ge or le"),
        ("Observation?patient={{context.patientId}}&date={{today()}}", "no required primitive"),
        ("Observation?patient=", "no value"),
    ],
)
def test_templates_that_some_client_cannot_fill(template: str, why: str) -> None:
    assert any(why in problem for problem in problems(HOOKS["patient-view"], "key", template))


@pytest.mark.parametrize(
    "template",
    [
        "Patient/{{context.patientId}}",
        "Practitioner/{{userPractitionerId}}",
        "Observation?patient={{context.patientId}}&code:in=http://x/vs&date=ge2020-01-01&_count=100&_sort=-date",
    ],
)
def test_templates_that_every_client_can_fill(template: str) -> None:
    assert problems(HOOKS["patient-view"], "key", template) == ()


def test_required_encounter_may_be_named_where_the_hook_requires_it() -> None:
    template = "Encounter/{{context.encounterId}}"
    assert problems(HOOKS["encounter-start"], "encounter", template) == ()
    assert problems(HOOKS["order-sign"], "encounter", template) != ()


def test_a_bad_template_stops_the_service_at_its_start() -> None:
    with pytest.raises(ValueError, match=r"crlm-lesion-review.*labs.*modifier :not"):
        discovery({"labs": "Observation?patient={{context.patientId}}&code:not=x"}, (), revision="r1")
