"""The whole way over real HTTP: an EHR with FHIR records on one side, the service with its rules on the other."""

import copy
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.app import create_app
from cds_hooks.cards import response
from cds_hooks.page.ehr import create_ehr
from cds_hooks.rulebook import evaluator_of
from cds_hooks.usecase import UseCase
from cds_hooks.wire import render
from fhir_profiles import samples
from plugin.advice import advise
from plugin.decide import decide
from plugin.pull import PREFETCH
from plugin.pull.files import chart_from_files
from plugin.settings import Fhir, FhirServer, Settings, Store
from plugin.store import Store as Database
from rules.errors import EngineFault
from tests.cds_hooks.serving import free_port, open_settings, post, served

TODAY = date(2026, 11, 21)
SERVICE = {"order-sign": "crlm-order-sign", "patient-view": "crlm-lesion-review"}
PATIENTS = {name: samples.sample(name, TODAY) for name in samples.names()}


class Site:
    """One EHR and one service that may ask it."""

    def __init__(self, ehr: str, settings: Settings, address: str) -> None:
        self.ehr, self.settings, self.address = ehr, settings, address

    def authorisation(self, patient: str) -> dict[str, Any]:
        return requests.post(f"{self.ehr}/authorise/{patient}", timeout=60).json()

    def prefetch(self, patient: str, keys: Any = PREFETCH) -> dict[str, Any]:
        token = self.authorisation(patient)["access_token"]
        read = {}
        for key in keys:
            path = PREFETCH[key].replace("{{context.patientId}}", patient)
            read[key] = requests.get(
                f"{self.ehr}/fhir/{path}", headers={"Authorization": f"Bearer {token}"}, timeout=10
            ).json()
        return read

    def access(self, patient: str) -> dict[str, Any]:
        return {"fhirServer": f"{self.ehr}/fhir", "fhirAuthorization": self.authorisation(patient)}

    def fire(self, name: str, hook: str | None = None, **data: Any) -> requests.Response:
        called = PATIENTS[name].hook
        context = copy.deepcopy(called["context"])
        if hook == "patient-view":
            context.pop("draftOrders", None)
        fired = hook or called["hook"]
        document = {
            "hook": fired,
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": context,
            **data,
        }
        return post(f"{self.address}/cds-services/{SERVICE[fired]}", document)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port = free_port()
    ehr = f"http://127.0.0.1:{port}"
    base = open_settings(today=TODAY, hook_deadline=30)
    database = f"sqlite:///{tmp_path_factory.mktemp('store') / 'v.db'}"
    settings = Settings(
        service=base.service,
        fhir=Fhir(servers=(FhirServer(base=f"{ehr}/fhir"),), budget=20, read_timeout=60),
        store=Store(url=database),
    )
    with served(create_ehr(list(PATIENTS.values()), origin=ehr, service="http://cds.example"), port):
        with served(create_app(settings)) as address:
            yield Site(ehr, settings, address)


def patient_of(name: str) -> str:
    return PATIENTS[name].hook["context"]["patientId"]


def bare(cards: list[dict[str, Any]]) -> str:
    """The cards without what differs from call to call."""
    return re.sub(r'"uuid": "[^"]+"', '"uuid": ""', json.dumps(cards, sort_keys=True))


def cards_of(answer: requests.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return answer.json()["cards"]


@pytest.mark.parametrize("name", PATIENTS)
def test_prefetch_fhir_mixture_and_files_give_the_same_cards(site: Site, name: str, tmp_path: Path) -> None:
    patient = patient_of(name)
    some = list(PREFETCH)[::2]
    ways = {
        "prefetch": {"prefetch": site.prefetch(patient)},
        "fhir": site.access(patient),
        "mixture": {"prefetch": site.prefetch(patient, some), **site.access(patient)},
    }
    answers = {way: bare(cards_of(site.fire(name, **data))) for way, data in ways.items()}
    (tmp_path / "bundle.json").write_text(json.dumps(PATIENTS[name].bundle))
    chart = chart_from_files([tmp_path / "bundle.json"], PATIENTS[name].hook)
    with evaluator_of(site.settings) as evaluator:
        decision = decide(chart, evaluator, today=TODAY, settings=site.settings)
    advices = advise(decision, PATIENTS[name].hook["hook"], settings=site.settings)
    address = f"http://{site.settings.service.host}:{site.settings.service.port}"
    answers["files"] = bare(json.loads(render(response(advices, source_url=address)))["cards"])
    assert len(set(answers.values())) == 1, answers


@pytest.mark.parametrize("name", [name for name in PATIENTS if name != "nothing-to-say"])
def test_every_story_is_spoken_to(site: Site, name: str) -> None:
    cards = cards_of(site.fire(name, **site.access(patient_of(name))))
    assert cards
    expected = PATIENTS[name].expected["rules"]
    told = " ".join(card["source"]["topic"]["display"] for card in cards)
    for rule, indicator in expected.items():
        if indicator == "critical":
            assert rule in told
            assert cards[0]["indicator"] == "critical"


def test_nothing_to_say_is_silence(site: Site) -> None:
    assert site.fire("nothing-to-say", **site.access(patient_of("nothing-to-say"))).content == b'{"cards":[]}'


def test_neither_prefetch_nor_access_is_412(site: Site) -> None:
    answer = site.fire("report-silent")
    assert answer.status_code == 412
    issues = answer.json()["issue"]
    assert {issue["code"] for issue in issues} == {"required"}
    text = " ".join(issue["diagnostics"] for issue in issues)
    assert "imaging" in text
    assert "cards" not in answer.json()
    assert patient_of("report-silent") not in answer.text


def test_a_server_off_the_list_is_not_asked(site: Site) -> None:
    asked: list[str] = []

    async def any_path(request: Any) -> Response:
        asked.append(request.url.path)
        return Response("{}")

    with served(Starlette(routes=[Route("/{path:path}", any_path, methods=["GET", "POST"])])) as elsewhere:
        authorisation = site.authorisation(patient_of("report-silent"))
        answer = site.fire("report-silent", fhirServer=elsewhere, fhirAuthorization=authorisation)
    assert answer.status_code == 412
    assert asked == []


@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_refused_token_is_said_and_never_silence(site: Site, token: str) -> None:
    authorisation = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "x",
        "subject": "y",
    }
    answer = site.fire(
        "ct-only-watch-and-wait", fhirServer=f"{site.ehr}/fhir", fhirAuthorization=authorisation
    )
    if answer.status_code == 412:
        assert answer.json()["resourceType"] == "OperationOutcome"
        return
    cards = cards_of(answer)
    assert cards
    assert "incomplete" in cards[0]["summary"]
    assert "not seen" not in " ".join(card["summary"] + card["detail"] for card in cards)


def test_a_failed_key_is_named_on_a_card(site: Site) -> None:
    name = "nothing-to-say"
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    answer = site.fire(name, prefetch={**site.prefetch(patient_of(name)), "imaging": failed})
    assert cards_of(answer), "a failed read of the imaging must not look like nothing to say"


def test_another_patients_findings_are_not_used(site: Site) -> None:
    mine, other = "ct-only-watch-and-wait", "mri-visible-called-gone"
    prefetch = site.prefetch(patient_of(mine))
    strangers = site.prefetch(patient_of(other), ["imaging"])["imaging"]["entry"]
    prefetch["imaging"]["entry"] = [*prefetch["imaging"]["entry"], *strangers]
    answer = site.fire(mine, prefetch=prefetch)
    assert "vestige-2" not in answer.text
    assert cards_of(answer)[0]["indicator"] == "critical"


def test_many_patients_at_once_are_not_mixed(site: Site) -> None:
    calls = [(name, {"prefetch": site.prefetch(patient_of(name))}) for name in PATIENTS]
    alone = {name: bare(cards_of(site.fire(name, **data))) for name, data in calls}

    def ask(call: tuple[str, dict[str, Any]]) -> bool:
        name, data = call
        return bare(cards_of(site.fire(name, **data))) == alone[name]

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, calls * 3))


def test_decision_and_feedback_are_kept(site: Site) -> None:
    name = "ct-only-watch-and-wait"
    (card, *_) = cards_of(site.fire(name, **site.access(patient_of(name))))
    item = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
        "outcomeTimestamp": "2026-11-21T10:00:00Z",
    }
    assert (
        post(f"{site.address}/cds-services/crlm-order-sign/feedback", {"feedback": [item]}).status_code == 200
    )
    database = Database(site.settings.store.url)
    end = time.monotonic() + 60
    while not (found := [one for one in database.records() if card["uuid"] in one.cards]):
        assert time.monotonic() < end, "the decision was not recorded"
        time.sleep(0.02)
    (record,) = found
    assert record.service == "crlm-order-sign"
    assert "DA-10" in [finding.rule for finding in record.findings]
    assert patient_of(name) not in str(record)
    assert [one.card for one in database.feedback()] == [card["uuid"]]
    database.close()


def test_readiness(site: Site) -> None:
    answer = requests.get(f"{site.address}/readyz", timeout=60)
    assert answer.status_code == 200
    assert re.fullmatch(r"[0-9a-f]{12}", answer.json()["rulePack"])


def test_both_evaluations_away_is_said_and_no_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(service=open_settings().service, store=Store(url=f"sqlite:///{tmp_path / 'v.db'}"))
    usecase = UseCase(settings)

    def broken(*_: object) -> None:
        raise EngineFault("neither evaluation answered")

    monkeypatch.setattr(usecase._evaluator, "evaluate", broken)
    empty = dict.fromkeys(PREFETCH)
    with served(create_app(settings, usecase)) as address:
        document = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/u", "patientId": "p"},
            "prefetch": empty,
        }
        answer = post(f"{address}/cds-services/crlm-lesion-review", document)
    (card, *_) = cards_of(answer)
    assert card["indicator"] != "info"
    assert "could not assess" in card["summary"].lower()
