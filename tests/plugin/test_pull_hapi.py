"""The pull against HAPI FHIR JPA, a real server in a process of its own: the same decisions as from files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from fhir_profiles.samples import names, sample
from plugin.chart import Chart
from plugin.pull import Sessions, pull
from plugin.pull.client import Client
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.fhir import call, observation, patient, settings
from tests.plugin.sampled import decided, filed, pulled
from tests.servers.hapi import hapi

__all__ = ["hapi"]

FHIR = {"Content-Type": "application/fhir+json", "Cache-Control": "no-cache"}
LONG = {"open": True, "budget": 60.0, "read_timeout": 60.0}
CATEGORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(load_pack(), mode="reference", timeout=60) as evaluator:
        yield evaluator


@pytest.fixture(scope="module")
def loaded(hapi: str) -> str:
    for name in names():
        post(hapi, sample(name).bundle)
    return hapi


@pytest.fixture(scope="module")
def sessions(hapi: str) -> Iterator[Sessions]:
    kept = Sessions(settings(hapi, **LONG))
    yield kept
    kept.close()


def post(base: str, bundle: dict[str, Any]) -> None:
    answer = requests.post(base, json=bundle, headers=FHIR, timeout=120)
    assert answer.status_code == 200, answer.text[:500]
    assert {entry["response"]["status"][:3] for entry in answer.json()["entry"]} <= {"200", "201"}


def transaction(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def without_meta(chart: Chart) -> Chart:
    """The chart without what a server adds, versions above all."""
    plain = tuple({key: value for key, value in one.items() if key != "meta"} for one in chart.resources)
    return Chart(
        patient_id=chart.patient_id,
        resources=plain,
        drafts=chart.drafts,
        draft_tokens=chart.draft_tokens,
        gaps=chart.gaps,
        hook=chart.hook,
    )


@pytest.mark.parametrize("name", names())
def test_a_sample_is_decided_as_from_files(
    name: str, loaded: str, sessions: Sessions, rules: Evaluator
) -> None:
    found = sample(name)
    chart = pulled(found, loaded, settings(loaded, **LONG), sessions)
    assert chart.gaps == ()
    given = decided(without_meta(chart), found, rules)
    expected = decided(without_meta(filed(found, chart)), found, rules)
    assert given.lesions == expected.lesions
    assert [one.history for one in given.lesions] == [one.history for one in expected.lesions]
    assert given.patient_status == expected.patient_status
    assert given.findings == expected.findings
    assert given.facts == expected.facts


def many(base: str, of: str, count: int) -> None:
    seen = [
        observation(f"{of}-{number:03}", of, category=[{"coding": [CATEGORY]}]) for number in range(count)
    ]
    post(base, transaction(patient(of), *seen))


def test_what_was_written_a_moment_ago_is_read(loaded: str) -> None:
    of, chosen = "vestige-fresh", settings(loaded, **LONG)
    for count in (1, 3):
        many(loaded, of, count)
        chart = pull(call(patient_id=of, fhir_server=loaded), chosen)
        assert len(list(chart.of_type("Observation"))) == count


def test_larger_pages_are_asked_for_once_the_server_is_known(
    loaded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, chosen = "vestige-pages", settings(loaded, **LONG)
    many(loaded, of, 45)
    links: list[str] = []
    get = Client.get
    monkeypatch.setattr(Client, "get", lambda self, link: links.append(link) or get(self, link))
    sessions = Sessions(chosen)
    pages = []
    for _ in range(2):
        links.clear()
        chart = pull(call(patient_id=of, fhir_server=loaded), chosen, sessions)
        assert len(list(chart.of_type("Observation"))) == 45
        assert chart.gaps == ()
        pages.append(sum("_getpages" in link for link in links))
    sessions.close()
    # Two searches find them; first in pages of twenty, followed at the base of the server.
    assert pages == [4, 0]
