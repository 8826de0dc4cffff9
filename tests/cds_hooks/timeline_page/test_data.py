"""The timeline document of the sample patients: everything in it is the decision's, and nothing stands for 0 mm."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from cds_hooks.rulebook import evaluator_here
from cds_hooks.timeline_page.data import document, resources_of, why_document
from cds_hooks.timeline_page.fixtures import chart_of
from fhir_profiles import samples
from plugin.advice import advise, shown
from plugin.chart import Chart, Gap, GapReason
from plugin.decide import decide
from plugin.decision import Decision
from plugin.settings import Rules, Settings
from rules.evaluate import Evaluator

SETTINGS = Settings(rules=Rules(engine="reference"))
STATES = {
    "seen",
    "sought-not-seen",
    "indeterminate",
    "not-assessed",
    "not-mentioned",
    "not-read",
    "contradicted",
}


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    with evaluator_here(SETTINGS, timeout=60.0) as made:
        yield made


@pytest.fixture(scope="module", params=samples.names())
def told(request: pytest.FixtureRequest, evaluator: Evaluator) -> tuple[Chart, Decision, dict[str, Any]]:
    sample = samples.sample(request.param)
    chart = chart_of(sample)
    return chart, *of_chart(chart, sample, evaluator)


def of_chart(
    chart: Chart, sample: samples.Sample, evaluator: Evaluator, hook: str = "patient-view"
) -> tuple[Decision, dict[str, Any]]:
    decision = decide(chart, evaluator, today=sample.anchor, settings=SETTINGS)
    advices = advise(decision, hook, settings=SETTINGS)
    made = document(decision, chart, advices, shown(decision, hook), SETTINGS, hook)
    return decision, msgspec.json.decode(msgspec.json.encode(made))


def test_every_lesion_has_its_status_and_a_cell_of_every_study(told: Any) -> None:
    _, decision, made = told
    studies = {one["id"] for one in made["studies"]}
    assert {one["id"]: one["status"] for one in made["lesions"]} == {
        one.id: one.status for one in decision.lesions
    }
    for lesion in made["lesions"]:
        assert set(lesion["cells"]) == studies
        assert {cell["visibility"] for cell in lesion["cells"].values()} <= STATES


def test_only_what_is_seen_has_a_size(told: Any) -> None:
    for lesion in told[2]["lesions"]:
        for cell in lesion["cells"].values():
            assert cell["mm"] is None or (cell["visibility"] == "seen" and cell["mm"] > 0)
        for series in lesion["changes"]:
            for point in series["points"]:
                assert (point["percent"] is None) == (point["mm"] is None)
                assert point["mm"] is None or (point["visibility"] == "seen" and point["percent"] > -100)


def test_every_token_is_of_a_resource_in_the_chart(told: Any) -> None:
    chart, _, made = told
    tokens = {token for study in made["studies"] for token in study["sources"]}
    tokens |= {
        token for one in made["lesions"] for cell in one["cells"].values() for token in cell["sources"]
    }
    tokens |= {token for one in made["treatments"] for token in one["sources"]}
    tokens |= {one["source"] for one in made["cea"]}
    assert tokens
    assert not [token for token, found in resources_of(chart, sorted(tokens)).items() if found is None]


def test_the_cards_are_those_of_the_hook(told: Any) -> None:
    _, decision, made = told
    sent = advise(decision, "patient-view", settings=SETTINGS)
    assert [one["card"]["summary"] for one in made["cards"]] == [one.summary for one in sent]
    for entry, advice in zip(made["cards"], sent, strict=True):
        assert entry["subjects"] == list(advice.subjects)
        assert all(one["source"] for one in entry["parameters"])
    advised = {lesion for advice in sent for lesion in advice.subjects}
    assert {one["id"] for one in made["lesions"] if one["openAdvice"]} == advised


def test_a_card_that_weighs_has_both_sides_in_its_detail(told: Any) -> None:
    for entry in told[2]["cards"]:
        if entry["weighed"]:
            for line in (*entry["evidenceFor"][:1], *entry["evidenceAgainst"][:1]):
                assert line in entry["card"]["detail"]


def test_numbers_are_numbers(told: Any) -> None:
    made = told[2]
    sizes = [cell["mm"] for one in made["lesions"] for cell in one["cells"].values()]
    values = [one["value"] for one in made["cea"]] + [one["percent"] for one in made["waterfall"]]
    assert all(one is None or isinstance(one, int | float) for one in (*sizes, *values))


def test_why_goes_down_to_resources(told: Any) -> None:
    chart, decision, _ = told
    for lesion in decision.lesions:
        found = why_document(decision, lesion.id)
        assert found is not None
        tokens = set(resources_in(found["chains"]))
        assert tokens or not found["chains"]
        assert all(resources_of(chart, sorted(tokens)).values())
    assert why_document(decision, "BodyStructure/none") is None


def resources_in(chains: list[dict[str, Any]]) -> Iterator[str]:
    for chain in chains:
        yield from chain.get("resources", ())
        yield from resources_in(chain.get("because", []))


def test_what_was_not_read_is_said_and_nothing_is_an_all_clear(evaluator: Evaluator) -> None:
    sample = samples.sample("nothing-to-say")
    chart = chart_of(sample)
    gap = Gap(
        resource="ImagingStudy", reason=GapReason.TIMEOUT, detail="late", decisive=True, query="studies"
    )
    patient = tuple(one for one in chart.resources if one["resourceType"] == "Patient")
    decision, made = of_chart(replace(chart, resources=patient, gaps=(gap,)), sample, evaluator)
    assert decision.lesions == ()
    assert made["undecided"] is True
    assert made["gaps"][0]["reasonText"] == "the server did not answer in time"
    assert made["cards"]


def test_a_study_that_says_both_is_a_contradiction(evaluator: Evaluator) -> None:
    sample = samples.sample("report-silent")
    chart = chart_of(sample)
    visible = next(
        one
        for one in chart.resources
        if one.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code") == "52101004"
    )
    other: Any = copy.deepcopy(visible)
    other["id"] = "says-otherwise"
    other["valueCodeableConcept"]["coding"][0] = {
        "system": "http://snomed.info/sct",
        "code": "260415000",
        "display": "Not detected",
    }
    _, made = of_chart(replace(chart, resources=(*chart.resources, other)), sample, evaluator)
    lesion = visible["focus"][0]["reference"]
    study = visible["partOf"][0]["reference"]
    cell = next(one for one in made["lesions"] if one["id"] == lesion)["cells"][study]
    assert cell["visibility"] == "contradicted"
    assert cell["mm"] is None
    assert {one["visibility"] for one in cell["statements"]} == {"seen", "sought-not-seen"}


def test_texts_of_the_record_are_told_as_they_are(evaluator: Evaluator) -> None:
    sample = samples.sample("report-silent")
    chart = chart_of(sample)
    resources = copy.deepcopy(list(chart.resources))
    markup = "<img src=x onerror=alert(1)>"
    for one in resources:
        if one["resourceType"] == "Patient":
            one["name"] = [{"text": markup}]  # type: ignore[index]
        if one["resourceType"] == "ImagingStudy":
            one["description"] = markup  # type: ignore[index]
    _, made = of_chart(replace(chart, resources=tuple(resources)), sample, evaluator)
    assert made["patient"]["display"] == markup
    assert {one["title"] for one in made["studies"]} == {markup}


@pytest.mark.parametrize("name", [None, [], "x", [None], [{"given": "x"}], [{"family": 3}], [{"text": ""}]])
def test_a_name_of_any_shape_is_a_text(evaluator: Evaluator, name: Any) -> None:
    sample = samples.sample("nothing-to-say")
    chart = chart_of(sample)
    patient = {**next(chart.of_type("Patient")), "name": name, "birthDate": 3}
    rest = tuple(one for one in chart.resources if one["resourceType"] != "Patient")
    _, made = of_chart(replace(chart, resources=(patient, *rest)), sample, evaluator)
    assert made["patient"]["display"]
    assert isinstance(made["patient"]["display"], str)
    assert made["patient"]["birthDate"] is None


def test_an_operation_that_is_ordered_and_booked_is_told_once(evaluator: Evaluator) -> None:
    sample = samples.sample("report-silent")
    _, made = of_chart(chart_of(sample), sample, evaluator)
    planned = [one for one in made["treatments"] if one["status"] == "planned"]
    assert [one["kind"] for one in planned] == ["operation"]
    assert len(planned[0]["sources"]) > 1
