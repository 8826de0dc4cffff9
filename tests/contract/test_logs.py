"""No line of the log holds anything of a patient: names, ids, tokens and dates are planted and looked for."""

from __future__ import annotations

import copy
import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_hooks.log import JsonLines, TextLines
from fhir_profiles import samples
from plugin.pull.queries import QUERIES
from tests.service import Service, running

TODAY = date(2026, 11, 21)
NAMES = ("Plantedname", "Plantedgiven", "planted words of a clinician")
IDS = ("planted-patient-7", "planted-mrn-7", "planted-user-7", "planted-encounter-7", "planted-draft-7")
TOKENS = ("planted.token.7", "eyJwbGFudGVkIjoxfQ")
BORN = "1911-02-13"
# What a text that quotes a name in another form would show.
PIECE = "planted"
# The day in the forms a text may give it; the year alone also turns up in the random ids of spans and calls.
DAY = re.compile(r"1911(?:0213|\W{1,2}0?2\W)|\D13\W1911|\D0?2\W1911")
REVIEW = "crlm-lesion-review"


@pytest.fixture(params=["json", "text"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    config = tmp_path / "vestige.toml"
    config.write_text(
        f'[service]\nlog = "{request.param}"\nhook_deadline = 60.0\n[rules]\nengine = "reference"\n'
    )
    # A base where nobody answers: each call to it is a fault of the network.
    with running(
        tmp_path, today=TODAY, bases=["http://127.0.0.1:9/fhir"], options=["--config", str(config)]
    ) as started:
        yield started


def planted() -> dict[str, Any]:
    """A whole call in which everything that tells a patient is ours to find again."""
    sample = samples.sample("ct-only-watch-and-wait", TODAY)
    resources = copy.deepcopy([entry["resource"] for entry in sample.bundle["entry"]])
    (patient,) = [one for one in resources if one["resourceType"] == "Patient"]
    text = json.dumps(resources).replace(patient["id"], IDS[0])
    resources = json.loads(text)
    (patient,) = [one for one in resources if one["resourceType"] == "Patient"]
    patient["name"] = [{"family": NAMES[0], "given": [NAMES[1]]}]
    patient["identifier"] = [{"system": "urn:oid:1.2.3", "value": IDS[1]}]
    patient["birthDate"] = BORN
    prefetch = {}
    for query in QUERIES:
        found = [one for one in resources if one["resourceType"] == query.resource]
        whole = {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}
        prefetch[query.key] = found[0] if query.is_read else whole
    context = {"userId": f"Practitioner/{IDS[2]}", "patientId": IDS[0], "encounterId": IDS[3]}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": prefetch,
    }


def access() -> dict[str, Any]:
    token = {
        "access_token": TOKENS[0],
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "s",
    }
    return {"fhirServer": "http://127.0.0.1:9/fhir", "fhirAuthorization": token}


def told_in(text: str) -> list[str]:
    """What of the planted patient is in a text: nothing, where it is fit to be kept."""
    secrets = (*NAMES, *IDS, *TOKENS, BORN, PIECE)
    found = [one for one in secrets if one.lower() in text.lower()]
    return found + [one.group() for one in DAY.finditer(f" {text} ")]


def drive(service: Service) -> list[int]:
    """Sends what goes well and what goes wrong, and returns the statuses."""
    whole, base = planted(), f"{service.address}/cds-services"
    unread = {**whole, "prefetch": {"patient": whole["prefetch"]["patient"]}, **access()}
    spoilt = copy.deepcopy(whole)
    spoilt["prefetch"]["imaging"]["entry"][0]["resource"]["valueQuantity"] = {"value": NAMES[0]}
    stranger = copy.deepcopy(whole)
    stranger["context"]["patientId"] = "planted-patient-8"
    odd = {**whole, "context": {**whole["context"], "patientId": f"Patient/{IDS[0]}"}}
    calls: list[Any] = [
        whole,
        unread,
        spoilt,
        stranger,
        odd,
        {**whole, "hook": NAMES[0]},
        {**whole, "prefetch": 7},
    ]
    bearer = {"Authorization": f"Bearer {TOKENS[1]}.{TOKENS[0]}", "Content-Type": "application/json"}
    found = [requests.post(f"{base}/{REVIEW}", json=one, headers=bearer, timeout=90) for one in calls]
    card = found[0].json()["cards"][0]["uuid"]
    reason = {"reason": {"code": IDS[1]}, "userComment": NAMES[2]}
    told = {
        "card": card,
        "outcome": "overridden",
        "overrideReason": reason,
        "outcomeTimestamp": f"{TODAY}T10:00:00Z",
    }
    for items in ([told], [{**told, "outcome": NAMES[0]}], [{**told, "card": 7}]):
        found.append(requests.post(f"{base}/{REVIEW}/feedback", json={"feedback": items}, timeout=90))
    for body in (json.dumps(whole).encode()[:-40], f"{NAMES[0]} {BORN}".encode(), b"\xff" + IDS[0].encode()):
        found.append(requests.post(f"{base}/{REVIEW}", data=body, headers=bearer, timeout=90))
    for path in (f"/{IDS[0]}", f"/cds-services/{IDS[0]}?patient={IDS[1]}", f"/metrics?token={TOKENS[0]}"):
        found.append(requests.get(f"{service.address}{path}", headers=bearer, timeout=90))
    return [one.status_code for one in found]


def test_nothing_of_a_patient_is_in_any_line_of_the_log(service: Service) -> None:
    statuses = drive(service)
    assert statuses.count(200) >= 4, statuses
    assert sum(400 <= one < 500 for one in statuses) >= 6, statuses
    log = service.log.read_text()
    assert " call " in log or '"event":"call"' in log
    for line in log.splitlines():
        assert not told_in(line)
    counts = requests.get(f"{service.address}/metrics", timeout=60).text
    assert not told_in(counts)
    assert "vestige_unread_total" in counts


@pytest.mark.parametrize(
    "text",
    [
        BORN,
        "born=19110213",
        "date(1911, 2, 13)",
        "13.02.1911",
        "02/13/1911",
        "13 2 1911",
        "1911/02/13",
        "PlantedGiven",
        f"for {IDS[3]}",
    ],
)
def test_a_planted_word_is_found_in_any_form(text: str) -> None:
    assert told_in(text)


@pytest.mark.parametrize(
    "text", ["0xd919113b5439d4e4", "ms=1911", "T07:16:43.191102Z", "error-id=021911a4b0c2"]
)
def test_random_ids_and_times_are_nobodys_day(text: str) -> None:
    assert told_in(text) == []


def test_json_lines_are_json_with_the_items_of_a_call(service: Service) -> None:
    assert service.call(planted()).status_code == 200
    lines = [line for line in service.log.read_text().splitlines() if line.startswith("{")]
    if not lines:
        assert "vestige call service=crlm-lesion-review" in service.log.read_text()
        return
    (call,) = [one for one in map(json.loads, lines) if one.get("event") == "call"]
    assert (call["service"], call["level"], call["logger"]) == (REVIEW, "info", "vestige")
    assert call["cards"] >= 1


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines("%(message)s")], ids=["json", "text"])
def test_the_text_of_an_exception_is_left_out(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(NAMES[0])
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it failed", None, sys.exc_info())
    line = formatter.format(record)
    assert "ValueError" in line
    assert "it failed" in line
    assert NAMES[0] not in line
