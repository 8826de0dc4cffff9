"""What must hold for any history: order, units, splitting, foreign records, missing records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.chart import Chart
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import build
from rules.admission import Admission
from rules.facts import Fact
from rules.language import load_pack
from tests.plugin.drawn import history, told
from tests.plugin.history import TODAY, UTC

Resources = list[dict[str, Any]]
PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")
CASES = settings(max_examples=60, deadline=None)


def facts(resources: Resources, patient: str = "history-1") -> tuple[Fact, ...]:
    chart = Chart(patient_id=patient, resources=tuple(resources))
    return facts_of(build(chart, today=TODAY, timezone=UTC), today=TODAY, settings=Settings())


def said(found: tuple[Fact, ...]) -> set[tuple[str, frozenset[tuple[str, Any]]]]:
    """The facts without their sources."""
    return {(fact.kind, frozenset(fact.values.items())) for fact in found}


@given(history)
@CASES
def test_every_fact_is_one_that_the_pack_declares(drawn: Any) -> None:
    Admission(PACK).admit(facts(told(drawn).resources))


@given(history, st.randoms(use_true_random=False))
@CASES
def test_the_order_of_resources_does_not_matter(drawn: Any, random: Any) -> None:
    resources = told(drawn).resources
    shuffled = list(resources)
    random.shuffle(shuffled)
    assert facts(shuffled) == facts(resources)


@given(history)
@CASES
def test_centimetres_and_millimetres_are_the_same(drawn: Any) -> None:
    assert facts(told(drawn, centimetres=True).resources) == facts(told(drawn).resources)


@given(history)
@CASES
def test_one_observation_or_two_are_the_same(drawn: Any) -> None:
    assert said(facts(told(drawn, together=True).resources)) == said(facts(told(drawn).resources))


@given(history, history)
@CASES
def test_another_patients_resources_change_nothing(drawn: Any, foreign: Any) -> None:
    own = told(drawn).resources
    other = told(foreign, patient="history-2").resources
    assert facts([*other, *own]) == facts(own)


@given(history)
@CASES
def test_duplicates_change_nothing(drawn: Any) -> None:
    resources = told(drawn).resources
    assert facts([*resources, *resources]) == facts(resources)


@given(history, st.data())
@CASES
def test_dropping_resources_never_makes_a_lesion_not_visible(drawn: Any, data: Any) -> None:
    resources = told(drawn).resources
    kept = [each for each in resources if each["resourceType"] == "Patient" or data.draw(st.booleans())]
    assert negatives(kept) <= negatives(resources)


def negatives(resources: Resources) -> set[str]:
    """The Observations behind sightings that say not visible, each with the lesion it is about."""
    found = set()
    for fact in facts(resources):
        if fact.kind == "sighting" and fact.values.get("visibility") == "not-visible":
            found |= {source for source in fact.sources if "-seen-" in source}
    return found


@given(history)
@CASES
def test_every_fact_but_the_sites_and_the_gaps_names_its_sources(drawn: Any) -> None:
    for fact in facts(told(drawn).resources):
        if fact.kind in ("site", "gap", "therapy", "plan"):
            continue
        assert fact.sources, fact


@given(history)
@CASES
def test_each_lesion_and_final_liver_study_has_a_statement_or_a_silence(drawn: Any) -> None:
    found = facts(told(drawn).resources)
    lesions = {fact.values["id"] for fact in found if fact.kind == "lesion"}
    studies = {
        fact.values["id"]
        for fact in found
        if fact.kind == "exam" and fact.values.get("final") == "yes" and fact.values["liver"] == "yes"
    }
    stated = {
        (fact.values["lesion"], fact.values["exam"])
        for fact in found
        if fact.kind == "sighting" and fact.values.get("visibility") not in (None, "not-assessed")
    }
    silent = {(fact.values["lesion"], fact.values["exam"]) for fact in found if fact.kind == "silence"}
    assert not silent & stated
    assert {(lesion, study) for lesion in lesions for study in studies} <= silent | stated
