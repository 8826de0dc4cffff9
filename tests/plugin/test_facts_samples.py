"""The facts of the sample patients: declared, complete, and moving with today."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.read import unbundle
from fhir_profiles.samples import Sample, names, sample
from plugin.chart import Chart
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import Timeline, build
from rules.admission import Admission
from rules.evaluate import Evaluator
from rules.facts import Fact
from rules.language import load_pack
from tests.plugin.history import UTC, of_kind, one

PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")


def timeline_of(told: Sample) -> Timeline:
    resources = unbundle(told.bundle)
    patient = next(each["id"] for each in resources if each["resourceType"] == "Patient")
    drafts = unbundle(told.hook["context"].get("draftOrders", {}))
    chart = Chart(patient_id=patient, resources=resources, drafts=drafts, hook=told.hook["hook"])
    return build(chart, today=told.anchor, timezone=UTC)


def facts_for(told: Sample) -> tuple[Fact, ...]:
    return facts_of(timeline_of(told), today=told.anchor, settings=Settings())


def of_lesion(name: str, label: str) -> list[dict[str, Any]]:
    facts = facts_for(sample(name))
    lesion = one(facts, "lesion", label=label)["id"]
    return [fact for fact in of_kind(facts, "sighting") if fact["lesion"] == lesion]


@pytest.mark.parametrize("name", names())
def test_every_fact_is_declared_and_nothing_is_rejected(name: str) -> None:
    told = sample(name)
    timeline = timeline_of(told)
    Admission(PACK).admit(facts_for(told))
    assert timeline.rejected == ()
    assert timeline.notes == ()
    assert not any(study.synthetic for study in timeline.studies)
    assert all(study.unmatched == 0 for study in timeline.studies)


@pytest.mark.parametrize("name", names())
def test_the_rules_find_the_status_that_was_expected(name: str) -> None:
    told = sample(name)
    labels = {lesion.id: lesion.label for lesion in timeline_of(told).lesions}
    with Evaluator(PACK, mode="reference", timeout=60) as evaluator:
        found = evaluator.evaluate(facts_for(told))
    status = {labels[str(fact.values["lesion"])]: fact.values["value"] for fact in found.of("status")}
    assert status == told.expected["lesions"]


@pytest.mark.parametrize("name", names())
def test_facts_move_with_today(name: str) -> None:
    told = sample(name)
    moved = sample(name, told.anchor + timedelta(days=100))

    def shape(facts: tuple[Fact, ...]) -> list[tuple[str, tuple[str, ...]]]:
        return [(fact.kind, tuple(sorted(fact.values))) for fact in facts]

    assert shape(facts_for(moved)) == shape(facts_for(told))


def test_gone_on_ct_and_pet_only() -> None:
    said = [(each["class"], each["visibility"]) for each in of_lesion("ct-only-watch-and-wait", "L1")]
    assert said == [("CT", "visible"), ("CT", "visible"), ("CT", "not-visible"), ("PET", "not-visible")]
    lesion = one(facts_for(sample("ct-only-watch-and-wait")), "lesion", label="L1")
    assert (lesion["disposition"], lesion["dispositionReason"], lesion["dispositionDraft"]) == (
        "watch-and-wait",
        "disappeared",
        "yes",
    )
    assert "cancelledDay" in one(facts_for(sample("ct-only-watch-and-wait")), "plan")


def test_a_hepatectomy_is_booked_without_ultrasound() -> None:
    plan = one(facts_for(sample("mri-confirmed-hepatectomy")), "plan")
    assert plan["hepatic"] == "yes"
    assert "opDay" in plan
    assert "ious" not in plan


def test_contrast_ultrasound_at_operation_is_a_study_of_its_own() -> None:
    classes = [each["class"] for each in of_lesion("ceious-negative-deep-site", "L6")]
    assert sorted(classes) == ["CEIOUS", "IOUS", "MRI", "MRI", "MRI"]
    treated = of_kind(facts_for(sample("ceious-negative-deep-site")), "treatment")
    assert [each["type"] for each in treated] == ["resected", "resected"]


def test_the_report_is_silent_on_one_lesion() -> None:
    facts = facts_for(sample("report-silent"))
    silence = one(facts, "silence")
    assert silence["lesion"] == one(facts, "lesion", label="L3")["id"]
    assert silence["class"] == "MRI"


def test_two_lesions_move_in_opposite_directions() -> None:
    facts = facts_for(sample("heterogeneous-response"))
    assert sorted(int(pair["deltaMm"]) for pair in of_kind(facts, "size_pair")) == [-6, -1, 4]
    total = one(facts, "target_sum")
    assert (total["baseline"], total["now"]) == (48, 46)


def test_the_stop_order_and_the_antibody() -> None:
    therapy = one(facts_for(sample("bevacizumab-conspicuity")), "therapy")
    assert (therapy["stopOrdered"], therapy["antiAngiogenic"]) == ("yes", "yes")


def test_the_marker_stays_above_its_limit() -> None:
    marker = one(facts_for(sample("cea-discordant")), "marker_series")
    assert marker["last"] > marker["uln"]
    assert marker["comparable"] == "yes"


def test_there_is_nothing_to_say_without_liver_metastases() -> None:
    facts = facts_for(sample("nothing-to-say"))
    assert one(facts, "patient")["trackedLesions"] == 0
    assert not of_kind(facts, "lesion")
    assert not of_kind(facts, "silence")
