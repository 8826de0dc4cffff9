"""The pull against a server that lacks what Oracle Health lacks, with its pages and its throttling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_profiles.samples import names, sample
from plugin.chart import Chart, GapReason
from plugin.pull import Sessions, pull
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.fhir import PATIENT, call, observation, patient, settings
from tests.plugin.sampled import decided, everyone, filed, pulled, statuses
from tests.servers.ehr import Oracle, asked
from tests.servers.hostile import Hostile, serving

LONG = {"open": True, "budget": 20.0, "read_timeout": 10.0}
LACKING = ("ImagingStudy", "BodyStructure", "MedicationStatement")


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(load_pack(), mode="reference", timeout=60) as evaluator:
        yield evaluator


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with serving(Oracle(everyone(), throttles=["Observation", "Procedure"])) as hostile:
        yield hostile


@pytest.fixture(scope="module")
def sessions(server: Hostile) -> Iterator[Sessions]:
    """One for all patients: the first call asks an unknown server, the others one that is known."""
    kept = Sessions(settings(server.base, **LONG))
    yield kept
    kept.close()


@pytest.mark.parametrize("name", names())
def test_a_sample_is_decided_as_from_files_or_the_gap_is_named(
    name: str, server: Hostile, sessions: Sessions, rules: Evaluator
) -> None:
    """The lesions as resources of their own are truly not there; what was seen in the images is."""
    found = sample(name)
    chart = pulled(found, server.base, settings(server.base, **LONG), sessions)
    expected, given = (statuses(decided(one, found, rules)) for one in (filed(found, chart), chart))
    assert set(given) == set(expected)
    changed = {lesion: status for lesion, status in given.items() if status != expected[lesion]}
    assert set(changed.values()) <= {"CANNOT_DECIDE"}
    assert not changed or ("lesions", GapReason.UNSUPPORTED) in {
        (gap.query, gap.reason) for gap in chart.decisive_gaps
    }
    assert {(gap.resource, gap.reason) for gap in chart.gaps} <= {
        (kind, GapReason.UNSUPPORTED) for kind in LACKING
    }
    assert len(list(chart.of_type("Observation"))) == sum(
        entry["resource"]["resourceType"] == "Observation" for entry in found.bundle["entry"]
    )


def small(count: int = 1, **how: object) -> Oracle:
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}
    seen = [
        observation(f"obs-{number:03}", category=[{"coding": [category]}], code={"text": "seen"})
        for number in range(count)
    ]
    return Oracle([patient(), *seen], **how)  # type: ignore[arg-type]


def twice(server: Hostile) -> list[Chart]:
    """Two calls: to an unknown server, then to a known one, whose requests alone are kept."""
    chosen = settings(server.base, **LONG)
    sessions = Sessions(chosen)
    charts = []
    for _ in range(2):
        server.requests.clear()
        charts.append(pull(call(fhir_server=server.base), chosen, sessions))
    sessions.close()
    return charts


def test_an_empty_category_is_not_taken_for_an_empty_record() -> None:
    with serving(small()) as server:
        for chart in twice(server):
            # Neither category nor code would have found it.
            assert [one["id"] for one in chart.of_type("Observation")] == ["obs-000"]
        assert {"imaging"} & {one.get("category") for one in asked(server, "Observation")} == set()


def test_what_the_server_lacks_is_not_asked_for() -> None:
    with serving(small()) as server:
        _, chart = twice(server)
        assert not [one for kind in LACKING for one in server.asked(kind)]
    assert {(gap.resource, gap.reason) for gap in chart.gaps} == {
        ("ImagingStudy", GapReason.UNSUPPORTED),
        ("MedicationStatement", GapReason.UNSUPPORTED),
    }


def test_large_pages_are_asked_for() -> None:
    with serving(small(150)) as server:
        first, second = twice(server)
        assert {one["_count"] for one in asked(server, "Observation")} == {"200"}
        assert {one["_count"] for one in asked(server, "DiagnosticReport")} == {"100"}
        assert not [one for one in asked(server, "Observation") if "pageContext" in one]
    assert len(list(first.of_type("Observation"))) == len(list(second.of_type("Observation"))) == 150


def test_what_must_stand_beside_the_patient_does() -> None:
    with serving(small()) as server:
        twice(server)
        assert asked(server, "CarePlan") == [{"patient": PATIENT, "category": "assess-plan"}]
        assert asked(server, "Appointment") == [{"patient": PATIENT, "date": "ge2000-01-01"}]


@pytest.mark.parametrize(("later", "read"), [("0", True), ("60", False)])
def test_a_throttled_search_is_repeated_when_it_may_be(later: str, read: bool) -> None:
    with serving(small(throttles=["Procedure"], later=later)) as server:
        chart = pull(call(fhir_server=server.base), settings(server.base, **LONG))
    assert ("procedures", GapReason.THROTTLED) not in {
        (gap.query, gap.reason) for gap in chart.gaps
    } or not read
    assert ("procedures" in {one.query for one in chart.reads}) is read


def test_the_site_can_name_the_make_of_its_server() -> None:
    """Where the statement does not: nothing has to be learnt first."""
    script = small()
    script.publisher = None
    with serving(script) as server:
        chosen = settings(server.base, dialect="oracle-health", **LONG)
        chart = pull(call(fhir_server=server.base), chosen)
        assert not [one for kind in LACKING for one in server.asked(kind)]
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-000"]
