"""The deadline of a call: what was read by then is answered on, and what was not is named."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.app import create_app
from cds_hooks.desk import READING, Desk
from cds_hooks.services import SERVICES
from cds_hooks.trust import OPEN
from cds_hooks.usecase import UseCase
from fhir_profiles import samples
from plugin.advice.text import texts_of
from plugin.chart import GapReason
from plugin.pull import PREFETCH
from plugin.settings import Fhir, FhirServer, Rules, Settings, Store
from rules.language import load_pack
from tests.cds_hooks.serving import Said, advice, body, open_settings, post, served
from tests.cds_hooks.test_usecase import TODAY
from tests.servers import hostile
from tests.servers.hostile import serving

REVIEW = "/cds-services/crlm-lesion-review"


def test_the_record_is_read_for_a_part_of_the_deadline() -> None:
    said = Said(advices=(advice(),))
    with served(create_app(open_settings(hook_deadline=20), said)) as base:
        assert post(base + REVIEW, body()).status_code == 200
    (call, _) = said.calls[-1]
    assert call.seconds is not None
    assert 0 < call.seconds <= READING * 20


def test_time_spent_in_the_queue_is_not_there_to_read_in(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said()
    desk = Desk(open_settings(hook_deadline=4), said)
    monkeypatch.setattr("cds_hooks.desk.time.monotonic", lambda: 100.0)
    desk.call(SERVICES["crlm-lesion-review"], json.dumps(body()).encode(), OPEN, arrived=99.0)
    assert said.calls[-1][0].seconds == pytest.approx(2.0)
    desk.call(SERVICES["crlm-lesion-review"], json.dumps(body()).encode(), OPEN, arrived=90.0)
    assert said.calls[-1][0].seconds == pytest.approx(-7.0)


def test_a_server_that_never_answers_leaves_an_answer_that_says_what_was_not_read(tmp_path: Path) -> None:
    """Half the record comes as prefetch, the rest from a server that keeps silent beyond the deadline."""
    sample = samples.sample("ct-only-watch-and-wait", TODAY)
    held = [entry["resource"] for entry in sample.bundle["entry"]]
    kinds = {"imaging": "Observation", "lesions": "BodyStructure", "patient": "Patient"}
    prefetch = {
        key: {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": one} for one in held if one["resourceType"] == kind],
        }
        for key, kind in kinds.items()
    }
    assert set(prefetch) < set(PREFETCH)
    with serving(lambda request, server: hostile.silence()) as server:
        settings = Settings(
            service=open_settings(today=TODAY, hook_deadline=8).service,
            fhir=Fhir(servers=(FhirServer(base=server.base, open=True),), budget=500, read_timeout=500),
            store=Store(url=f"sqlite:///{tmp_path / 'v.db'}"),
            rules=Rules(engine="in-process"),
        )
        usecase = UseCase(settings)
        document = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {name: sample.hook["context"][name] for name in ("userId", "patientId")},
            "prefetch": prefetch,
            "fhirServer": server.base,
        }
        with served(create_app(settings, usecase)) as base:
            answer = post(base + REVIEW, document)
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    topics = {card["source"]["topic"]["code"] for card in cards}
    assert "NotAssessedInTime" not in topics, "what was read by then must be answered on"
    said = "\n".join(card["detail"] for card in cards)
    why = texts_of(load_pack().folder, "en").word("gap", GapReason.TIMEOUT.value)
    assert f"ImagingStudy: {why}" in said, said


@pytest.mark.parametrize("engine", ["in-process", "pool", "reference"])
def test_a_call_that_waits_for_its_server_holds_up_no_other_one(engine: Any, tmp_path: Path) -> None:
    """More calls than have a turn wait for a silent server; one that brings everything is answered meanwhile."""
    with serving(lambda request, server: hostile.silence()) as server:
        settings = Settings(
            service=open_settings(today=TODAY, hook_deadline=60, calls_at_once=8).service,
            fhir=Fhir(servers=(FhirServer(base=server.base, open=True),), budget=40, read_timeout=500),
            store=Store(url=f"sqlite:///{tmp_path / 'v.db'}"),
            rules=Rules(engine=engine),
        )
        context = {"userId": "Practitioner/u1", "patientId": "p1"}
        call = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": context,
        }
        empty = {"resourceType": "Bundle", "type": "searchset", "entry": []}
        whole = {
            key: {"resourceType": "Patient", "id": "p1"} if key == "patient" else empty for key in PREFETCH
        }
        with served(create_app(settings)) as base, ThreadPoolExecutor(5) as clients:
            waiting = [
                clients.submit(post, base + REVIEW, {**call, "fhirServer": server.base}) for _ in range(5)
            ]
            end = time.monotonic() + 60
            while len(server.requests) < len(waiting):
                assert time.monotonic() < end
                time.sleep(0.01)
            assert post(base + REVIEW, {**call, "prefetch": whole}).status_code == 200
            assert not any(one.done() for one in waiting)
            server.closing.set()
            assert {one.result(120).status_code for one in waiting} <= {200, 412}
