"""The pull against sekmet-fhir, a real server in a process of its own, open and with a bearer token."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.chart import Chart, GapReason
from plugin.pull import QUERIES, pull
from plugin.pull.files import chart_from_files
from tests.plugin.fhir import authorization, call, lesion, observation, patient, settings, study
from tests.servers.sekmet import Sekmet


def transaction(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def imaging(own: str, of: str, **more: Any) -> dict[str, Any]:
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}
    return observation(own, of, category=[{"coding": [category]}], **more)


def record(of: str) -> list[dict[str, Any]]:
    focus = {
        "focus": [{"reference": f"BodyStructure/{of}-lesion"}],
        "partOf": [{"reference": f"ImagingStudy/{of}-study"}],
    }
    return [
        patient(of),
        study(f"{of}-study", of),
        lesion(f"{of}-lesion", of),
        imaging(f"{of}-in-category", of, **focus),
        observation(f"{of}-without-category", of, **focus),
        {
            "resourceType": "MedicationAdministration",
            "id": f"{of}-dose",
            "status": "completed",
            "subject": {"reference": f"Patient/{of}"},
            "effectiveDateTime": "2026-02-01",
            "medicationReference": {"reference": f"Medication/{of}-drug"},
        },
        {"resourceType": "Medication", "id": f"{of}-drug", "code": {"text": "a drug"}},
    ]


@pytest.fixture(scope="module", params=["open", "bearer"])
def server(request: pytest.FixtureRequest) -> Sekmet:
    found: Sekmet = request.getfixturevalue("sekmet" if request.param == "open" else "sekmet_bearer")
    found.load(transaction(*record("pull-a"), *record("pull-b")))
    return found


def pulled(server: Sekmet, of: str, token: str | None = None, **fhir: Any) -> Chart:
    sent = server.token if token is None else token
    asked = call(
        patient_id=of,
        fhir_server=server.base,
        authorization=None if sent is None else authorization(access_token=sent),
    )
    return pull(asked, settings(server.base, open=sent is None, budget=20.0, read_timeout=10.0, **fhir))


def names(chart: Chart) -> set[str]:
    return {f"{one['resourceType']}/{one['id']}" for one in chart.resources}


def test_the_whole_record_is_pulled_and_nothing_of_others(server: Sekmet) -> None:
    chart = pulled(server, "pull-a")
    assert names(chart) == {f"{one['resourceType']}/{one['id']}" for one in record("pull-a")}
    assert chart.decisive_gaps == ()


def test_lesions_come_by_reference_because_the_server_cannot_search_them(server: Sekmet) -> None:
    chart = pulled(server, "pull-a")
    assert chart.gaps == ()
    assert [(one.source, one.count) for one in chart.reads if one.query == "lesions"] == [("references", 1)]


def test_every_other_query_is_answered(server: Sekmet) -> None:
    chart = pulled(server, "pull-b")
    assert {one.query for one in chart.reads if one.source == "fhir"} == {query.key for query in QUERIES} - {
        "lesions"
    }


def test_pages_of_a_real_server_are_followed(server: Sekmet) -> None:
    many = [imaging(f"many-{number:03}", "pull-many") for number in range(45)]
    server.load(transaction(patient("pull-many"), *many))
    chart = pulled(server, "pull-many")
    assert len(list(chart.of_type("Observation"))) == 45
    cut = pulled(server, "pull-many", max_pages=1)
    assert GapReason.TRUNCATED in {gap.reason for gap in cut.decisive_gaps}


def test_a_wrong_token_reads_nothing(sekmet_bearer: Sekmet) -> None:
    sekmet_bearer.load(transaction(*record("pull-a")))
    chart = pulled(sekmet_bearer, "pull-a", token="wrong")
    assert chart.resources == ()
    assert {gap.reason for gap in chart.gaps} == {GapReason.NOT_AUTHORISED}


def test_pull_and_file_give_the_same_record(server: Sekmet, tmp_path: Any) -> None:
    import json

    path = tmp_path / "record.json"
    path.write_text(json.dumps(transaction(*record("pull-a"))))
    filed = chart_from_files([path])

    def plain(chart: Chart) -> list[dict[str, Any]]:
        return [{key: value for key, value in one.items() if key != "meta"} for one in chart.resources]

    assert plain(filed) == plain(pulled(server, "pull-a"))
