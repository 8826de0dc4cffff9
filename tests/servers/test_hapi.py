"""What the contract tests rely on in HAPI: transactions, our resource types, ids of the client, paging, deletion."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.servers.hapi import hapi

__all__ = ["hapi"]

FHIR = {"Content-Type": "application/fhir+json", "Cache-Control": "no-cache"}
PATIENT = "vestige-hapi-1"
NUMERIC = "740031"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
SUBJECT = {"reference": f"Patient/{PATIENT}"}


def observation(name: str, day: str, millimetres: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "imaging",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "21889-1"}]},
        "subject": SUBJECT,
        "focus": [{"reference": "BodyStructure/vestige-lesion-1"}],
        "partOf": [{"reference": f"ImagingStudy/{NUMERIC}"}],
        "effectiveDateTime": day,
        "component": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": "33728-7"}]},
                "valueQuantity": {"value": millimetres, "system": "http://unitsofmeasure.org", "code": "mm"},
            }
        ],
    }


RESOURCES: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": PATIENT, "name": [{"family": "Synthetic-Hapi"}]},
    {
        "resourceType": "BodyStructure",
        "id": "vestige-lesion-1",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:2.25.740031"}],
        "patient": SUBJECT,
    },
    {
        "resourceType": "ImagingStudy",
        "id": NUMERIC,
        "status": "available",
        "subject": SUBJECT,
        "started": "2026-02-03T09:00:00Z",
        "modality": [{"system": DCM, "code": "CT"}],
    },
    *(observation(f"vestige-size-{i}", f"2026-02-{i:02}", 30 - i) for i in range(1, 26)),
    {
        "resourceType": "DiagnosticReport",
        "id": "vestige-report",
        "status": "final",
        "code": {"text": "CT of the liver"},
        "subject": SUBJECT,
        "imagingStudy": [{"reference": f"ImagingStudy/{NUMERIC}"}],
    },
    {
        "resourceType": "MedicationAdministration",
        "id": "vestige-dose",
        "status": "completed",
        "medicationCodeableConcept": {"text": "oxaliplatin"},
        "subject": SUBJECT,
        "effectiveDateTime": "2026-02-10",
    },
    {
        "resourceType": "MedicationRequest",
        "id": "vestige-order",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "oxaliplatin"},
        "subject": SUBJECT,
    },
    {"resourceType": "Procedure", "id": "vestige-op", "status": "completed", "subject": SUBJECT},
    {
        "resourceType": "ServiceRequest",
        "id": "vestige-request",
        "status": "draft",
        "intent": "proposal",
        "subject": SUBJECT,
    },
    {
        "resourceType": "Appointment",
        "id": "vestige-visit",
        "status": "booked",
        "participant": [{"actor": SUBJECT, "status": "accepted"}],
    },
    {
        "resourceType": "CarePlan",
        "id": "vestige-plan",
        "status": "active",
        "intent": "plan",
        "subject": SUBJECT,
    },
    {"resourceType": "Condition", "id": "vestige-condition", "subject": SUBJECT},
]


@pytest.fixture(scope="module")
def loaded(hapi: str) -> str:
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in RESOURCES
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = requests.post(hapi, json=bundle, headers=FHIR, timeout=60)
    assert answer.status_code == 200, answer.text[:500]
    assert all(e["response"]["status"][:3] in {"200", "201"} for e in answer.json()["entry"])
    return hapi


def search(address: str) -> tuple[list[str], dict[str, str]]:
    """The ids on one page and its links."""
    answer = requests.get(address, headers=FHIR, timeout=30)
    assert answer.status_code == 200, answer.text[:500]
    bundle = answer.json()
    links = {link["relation"]: link["url"] for link in bundle["link"]}
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])], links


@pytest.mark.parametrize("kind", sorted({r["resourceType"] for r in RESOURCES} - {"Patient"}))
def test_every_type_we_read_is_found_by_its_patient(loaded: str, kind: str) -> None:
    found, _ = search(f"{loaded}/{kind}?patient={PATIENT}&_count=100")
    assert sorted(found) == sorted(r["id"] for r in RESOURCES if r["resourceType"] == kind)


def test_ids_of_the_client_are_kept_also_when_they_are_numbers(loaded: str) -> None:
    assert requests.get(f"{loaded}/ImagingStudy/{NUMERIC}", timeout=30).json()["id"] == NUMERIC
    assert requests.get(f"{loaded}/Patient/{PATIENT}", timeout=30).json()["meta"]["versionId"] == "1"


def test_pages_are_followed_within_the_base(loaded: str) -> None:
    found, links = search(f"{loaded}/Observation?patient={PATIENT}&category=imaging&_count=10")
    pages = 1
    while "next" in links:
        assert links["next"].startswith(f"{loaded}?")
        more, links = search(links["next"])
        found += more
        pages += 1
    assert (len(found), len(set(found)), pages) == (25, 25, 3)


def test_a_code_and_a_date_narrow_the_search(loaded: str) -> None:
    found, _ = search(
        f"{loaded}/Observation?patient={PATIENT}&code=http://loinc.org|21889-1&date=ge2026-02-24"
    )
    assert sorted(found) == ["vestige-size-24", "vestige-size-25"]


def test_an_unknown_parameter_is_refused(loaded: str) -> None:
    answer = requests.get(f"{loaded}/Observation?patient={PATIENT}&nonsense=1", timeout=30)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_conditional_create_makes_one_resource_only(hapi: str) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:vestige:tests", "value": "once"}]}
    headers = {**FHIR, "If-None-Exist": "identifier=urn:vestige:tests|once"}
    first = requests.post(f"{hapi}/Patient", json=patient, headers=headers, timeout=30)
    second = requests.post(f"{hapi}/Patient", json=patient, headers=headers, timeout=30)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


def test_what_was_deleted_is_gone(hapi: str) -> None:
    address = f"{hapi}/Condition/vestige-short-lived"
    body = {
        "resourceType": "Condition",
        "id": "vestige-short-lived",
        "subject": {"reference": "Patient/vestige-none"},
    }
    assert requests.put(address, json=body, headers=FHIR, timeout=30).status_code == 201
    assert requests.delete(address, timeout=30).status_code == 200
    assert requests.get(address, timeout=30).status_code == 410
