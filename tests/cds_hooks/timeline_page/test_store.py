"""A reading on its way to a FHIR server that refuses, answers oddly, or says nothing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cds_hooks.timeline_page.store import store_bundle
from fhir_profiles.reading import Setting, provenance, transaction, visibility
from fhir_profiles.records import LesionRef
from plugin.errors import CallError
from plugin.settings import Fhir, FhirServer
from tests.cds_hooks.serving import served

SETTING = Setting(
    patient="p1",
    study="ImagingStudy/s1",
    day=date(2026, 3, 1),
    modality="MRI",
    recorded=datetime(2026, 3, 2, 9, tzinfo=UTC),
)
BUNDLE = transaction(
    [
        ("urn:uuid:a", visibility(SETTING, LesionRef(body="BodyStructure/l1"), "not-visible")),
        ("urn:uuid:b", provenance(SETTING, ["urn:uuid:a"])),
    ]
)
LIMITS = Fhir(connect_timeout=20)


def entries(*statuses: str) -> dict[str, Any]:
    made = [
        {
            "response": {
                "status": status,
                "location": f"https://ehr.example/fhir/Observation/{place}/_history/1",
            }
        }
        for place, status in enumerate(statuses)
    ]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": made}


def sent_to(answer: Response) -> tuple[Any, list[tuple[dict[str, str], Any]]]:
    seen: list[tuple[dict[str, str], Any]] = []

    async def take(request: Request) -> Response:
        seen.append((dict(request.headers), json.loads(await request.body())))
        return answer

    with served(Starlette(routes=[Route("/fhir", take, methods=["POST"])])) as address:
        server = FhirServer(base=f"{address}/fhir")
        return store_bundle(server, "token-of-a-test", BUNDLE, LIMITS), seen


def test_what_the_server_made_is_told() -> None:
    stored, seen = sent_to(JSONResponse(entries("201 Created", "201")))
    assert stored.resources == ("Observation/0/_history/1", "Observation/1/_history/1")
    ((headers, body),) = seen
    assert headers["authorization"] == "Bearer token-of-a-test"
    assert body == json.loads(json.dumps(BUNDLE))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (JSONResponse({}, 401), 403),
        (JSONResponse({}, 403), 403),
        (JSONResponse({}, 500), 502),
        (JSONResponse({}), 502),
        (JSONResponse([]), 502),
        (JSONResponse(entries("201 Created")), 502),
        (JSONResponse(entries("201 Created", "422")), 502),
        (JSONResponse(entries("201 Created", "201", "201")), 502),
        (JSONResponse({"entry": [None, None]}), 502),
        (Response(b"not json"), 502),
        (RedirectResponse("/elsewhere"), 502),
    ],
)
def test_nothing_is_called_stored_that_was_not_confirmed(answer: Response, status: int) -> None:
    with pytest.raises(CallError) as error:
        sent_to(answer)
    assert error.value.status == status
    assert "token-of" not in str(error.value)


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(CallError, match="did not answer") as error:
        store_bundle(FhirServer(base="http://127.0.0.1:9/fhir"), "t", BUNDLE, LIMITS)
    assert error.value.status == 502


def test_what_is_no_fhir_is_not_sent() -> None:
    broken = json.loads(json.dumps(BUNDLE))
    broken["entry"][0]["resource"]["status"] = 3
    with pytest.raises(CallError, match="no valid FHIR") as error:
        store_bundle(FhirServer(base="http://127.0.0.1:9/fhir"), "t", broken, LIMITS)
    assert error.value.status == 500


def test_a_statement_without_a_reader_says_so() -> None:
    signed = BUNDLE["entry"][1]["resource"]
    assert "not named" in signed["agent"][0]["who"]["display"]
    with pytest.raises(ValueError, match="neither"):
        visibility(SETTING, LesionRef(label="L1"), "visible")


def test_a_lesion_is_named_by_its_tracking_uid_where_it_has_no_body_structure() -> None:
    made = visibility(SETTING, LesionRef(uid="1.2.3"), "not-assessed")
    assert made["focus"][0]["identifier"]["value"] == "urn:oid:1.2.3"
    assert made["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert "valueCodeableConcept" not in made
