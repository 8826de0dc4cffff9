"""The pull against a server that refuses what Epic refuses, and writes as Epic writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_profiles.samples import names, sample
from plugin.chart import GapReason
from plugin.pull import Sessions, pull
from plugin.pull.queries import CATEGORIES
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.fhir import PATIENT, call, lesion, observation, patient, settings, study
from tests.plugin.sampled import decided, everyone, filed, pulled, statuses
from tests.servers.ehr import Epic, asked
from tests.servers.hostile import Hostile, serving

LONG = {"open": True, "budget": 20.0, "read_timeout": 10.0}


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(load_pack(), mode="reference", timeout=60) as evaluator:
        yield evaluator


@pytest.fixture(scope="module", params=[False, True], ids=["code or category", "category only"])
def server(request: pytest.FixtureRequest) -> Iterator[Hostile]:
    with serving(Epic(everyone(), strict=request.param)) as hostile:
        yield hostile


@pytest.fixture(scope="module")
def sessions(server: Hostile) -> Iterator[Sessions]:
    """One for all patients: the first call asks an unknown server, the others one that is known."""
    kept = Sessions(settings(server.base, **LONG))
    yield kept
    kept.close()


@pytest.mark.parametrize("name", names())
def test_a_sample_is_decided_as_from_files(
    name: str, server: Hostile, sessions: Sessions, rules: Evaluator
) -> None:
    found = sample(name)
    chart = pulled(found, server.base, settings(server.base, **LONG), sessions)
    expected, given = (decided(one, found, rules) for one in (filed(found, chart), chart))
    assert statuses(given) == statuses(expected)
    assert given.patient_status == expected.patient_status
    # Epic has no MedicationStatement; nothing else is lacking.
    assert {(gap.query, gap.reason) for gap in chart.gaps} == {("medications", GapReason.UNSUPPORTED)}


def small(**how: bool) -> Epic:
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}
    seen = observation(category=[{"coding": [category]}], focus=[{"reference": "BodyStructure/lesion-1"}])
    return Epic([patient(), seen, lesion(), study()], **how)


def twice(server: Hostile) -> None:
    """Two calls: to an unknown server, then to a known one, whose requests alone are kept."""
    chosen = settings(server.base, **LONG)
    sessions = Sessions(chosen)
    for _ in range(2):
        server.requests.clear()
        chart = pull(call(fhir_server=server.base), chosen, sessions)
        assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1"]
    sessions.close()


def test_observations_are_never_asked_for_by_patient_alone() -> None:
    with serving(small()) as server:
        twice(server)
        assert asked(server, "Observation")
        assert all({"category", "code"} & set(one) for one in asked(server, "Observation"))


def test_no_category_is_asked_for_that_the_server_lacks() -> None:
    with serving(small(strict=True)) as server:
        twice(server)
        named = {
            category
            for one in asked(server, "Observation")
            for category in one.get("category", "").split(",")
        }
        assert named - {""} == Epic.categories == set(CATEGORIES.split(","))


def test_care_plans_are_asked_for_by_category() -> None:
    with serving(small()) as server:
        twice(server)
        assert asked(server, "CarePlan") == [{"patient": PATIENT, "category": "assess-plan"}]


def test_a_warning_in_passing_is_no_gap() -> None:
    with serving(small()) as server:
        chart = pull(call(fhir_server=server.base), settings(server.base, **LONG))
    assert {gap.query for gap in chart.gaps} == {"medications"}
    assert not [one for one in chart.resources if one["resourceType"] == "OperationOutcome"]
