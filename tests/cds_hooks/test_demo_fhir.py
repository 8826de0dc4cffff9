"""The FHIR endpoint of the demo EHR: searches, pages, tokens for one patient each."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from cds_hooks.page.ehr import create_ehr
from cds_hooks.page.fhir import TOKEN_SECONDS, Tokens
from plugin.pull import PREFETCH
from tests.cds_hooks.serving import served

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def observation(patient: str, number: int) -> dict[str, Any]:
    category = "imaging" if number % 2 else "laboratory"
    return {
        "resourceType": "Observation",
        "id": f"{patient}-{number:03}",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "21889-1" if number % 2 else "2039-6"}]},
        "subject": {"reference": f"Patient/{patient}"},
    }


def sample(patient: str) -> SimpleNamespace:
    resources = [
        {
            "resourceType": "Patient",
            "id": patient,
            "name": [{"text": f"Sample {patient}"}],
            "birthDate": "1960-01-01",
        },
        *(observation(patient, number) for number in range(120)),
        {
            "resourceType": "Appointment",
            "id": f"{patient}-a",
            "status": "booked",
            "participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}],
        },
        {
            "resourceType": "BodyStructure",
            "id": f"{patient}-b",
            "patient": {"reference": f"Patient/{patient}"},
        },
    ]
    context = {
        "userId": "Practitioner/u",
        "patientId": patient,
        "draftOrders": {"resourceType": "Bundle", "entry": []},
    }
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}
    return SimpleNamespace(
        name=patient,
        title=f"Story of {patient}",
        bundle=bundle,
        hook={"hook": "order-sign", "context": context},
    )


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    samples = [sample("p1"), sample("p2")]
    with served(create_ehr(samples, origin="http://ehr.example", service="http://cds.example")) as address:
        yield address


@pytest.fixture(scope="module")
def session(origin: str) -> requests.Session:
    authorisation = requests.post(f"{origin}/authorise/p1", timeout=60).json()
    assert authorisation["token_type"] == "Bearer"
    assert authorisation["expires_in"] == TOKEN_SECONDS
    made = requests.Session()
    made.headers["Authorization"] = f"Bearer {authorisation['access_token']}"
    return made


def test_metadata_needs_no_token(origin: str) -> None:
    statement = requests.get(f"{origin}/fhir/metadata", timeout=60)
    assert statement.headers["Content-Type"] == "application/fhir+json"
    assert statement.json()["fhirVersion"] == "4.0.1"
    assert "Observation" in [one["type"] for one in statement.json()["rest"][0]["resource"]]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic x", "Bearer "])
@pytest.mark.parametrize("path", ["Patient/p1", "Observation?patient=p1"])
def test_without_a_token(origin: str, path: str, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{origin}/fhir/{path}", headers=headers, timeout=60)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_token_is_for_one_patient(origin: str, session: requests.Session) -> None:
    assert session.get(f"{origin}/fhir/Patient/p1").json()["meta"]["versionId"] == "1"
    assert session.get(f"{origin}/fhir/Patient/p2").status_code == 403
    assert session.get(f"{origin}/fhir/Patient/p3").status_code == 404
    assert session.get(f"{origin}/fhir/Observation?patient=p2").json()["total"] == 0
    assert session.get(f"{origin}/fhir/Observation").json()["total"] == 120
    assert requests.post(f"{origin}/authorise/nobody", timeout=60).status_code == 404


def test_tokens_expire() -> None:
    now = [0.0]
    tokens = Tokens(clock=lambda: now[0])
    request = SimpleNamespace(headers={"authorization": f"Bearer {tokens.issue('p1')}"})
    assert tokens.patient(request) == "p1"
    now[0] = TOKEN_SECONDS + 1
    assert tokens.patient(request) is None


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("patient=p1", 120),
        ("subject=Patient/p1", 120),
        ("patient=p1&category=imaging", 60),
        ("patient=p1&code=http://loinc.org|2039-6", 60),
        ("patient=p1&code=21889-1,2039-6", 120),
        ("patient=p1&code=http://loinc.org|", 120),
        ("patient=p1&code=urn:other|2039-6", 0),
        ("patient=p1&category=imaging&code=http://loinc.org|2039-6", 0),
        ("_id=p1-000,p1-001", 2),
        ("patient=p1&status=final", 120),
    ],
)
def test_searches(origin: str, session: requests.Session, query: str, total: int) -> None:
    assert session.get(f"{origin}/fhir/Observation?{query}").json()["total"] == total
    name, *values = query.split("&")
    posted = session.post(
        f"{origin}/fhir/Observation/_search", data=dict(part.split("=", 1) for part in [name, *values])
    )
    assert posted.json()["total"] == total


def test_pages(origin: str, session: requests.Session) -> None:
    """Every resource is on exactly one page; the links name the configured base."""
    address, found = "http://ehr.example/fhir/Observation?patient=p1&_count=50", []
    while address:
        page = session.get(address.replace("http://ehr.example", origin)).json()
        assert (page["type"], page["total"]) == ("searchset", 120)
        links = {link["relation"]: link["url"] for link in page["link"]}
        assert "patient=p1" in links["self"]
        found += [entry["resource"]["id"] for entry in page["entry"]]
        address = links.get("next")
    assert len(found) == len(set(found)) == 120


def test_nothing_found_has_no_empty_entry(origin: str, session: requests.Session) -> None:
    page = session.get(f"{origin}/fhir/ImagingStudy?patient=p1").json()
    assert (page["total"], "entry" in page) == (0, False)


def test_strict_handling(origin: str, session: requests.Session) -> None:
    address = f"{origin}/fhir/Observation?patient=p1&unknown=1"
    assert session.get(address, headers={"Prefer": "handling=strict"}).status_code == 400
    lenient = session.get(address).json()
    assert lenient["total"] == 120
    assert "unknown" not in lenient["link"][0]["url"]


@pytest.mark.parametrize("key", PREFETCH)
def test_every_published_template_is_served(origin: str, session: requests.Session, key: str) -> None:
    path = PREFETCH[key].replace("{{context.patientId}}", "p1")
    answer = session.get(f"{origin}/fhir/{path}", headers={"Prefer": "handling=strict"})
    assert answer.status_code == 200, answer.text


def test_page_and_its_headers(origin: str) -> None:
    for path in ("/", "/static/ehr.js", "/static/ehr.css", "/vendor/markdown-it.min.js", "/demo.json"):
        answer = requests.get(origin + path, timeout=60)
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "connect-src 'self' http://cds.example" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    patients = requests.get(f"{origin}/demo.json", timeout=60).json()["patients"]
    assert [patient["name"] for patient in patients] == ["Sample p1", "Sample p2"]
    assert set(patients[0]["contexts"]) == {"patient-view", "order-sign"}
    assert "draftOrders" not in patients[0]["contexts"]["patient-view"]
