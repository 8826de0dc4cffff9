"""Draft orders: the list for the theatre, the MRI that is possible, the site's own codes, and where none is offered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from fhir_profiles import samples, write
from fhir_profiles.check import check
from fhir_profiles.records import LesionRef
from plugin.advice import advise
from plugin.advice.suggest import offered_once
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Advice, Suggestion
from plugin.settings import Codes, OrderCode, Settings, load
from rules.evaluate import Evaluator
from rules.facts import Fact
from tests.plugin.advising import TODAY, decided, fact, lesion, pack, patient
from tests.plugin.test_advice_laws import HOOKS

OPERATION = fact("plan", hepatic="yes", opDay=TODAY + timedelta(days=20))
WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion"}
CT = {"class": "CT"}


def first(*facts: Fact | tuple[Fact, ...], settings: Settings | None = None) -> Advice:
    return advise(decided(*facts), "order-sign", settings=settings or Settings())[0]


def order(card: Advice, number: int = 0) -> dict[str, Any]:
    resource = card.suggestions[number].resource
    assert check(resource) == ()
    assert (resource["status"], resource["intent"]) == ("draft", "order")
    return resource


def notes(resource: dict[str, Any]) -> list[str]:
    return [one["text"] for one in resource["note"]]


# ------------------------------------------------------------------------------------------ theatre
def test_the_theatre_list_names_every_site_that_is_not_treated() -> None:
    card = first(
        lesion("L1", "VISIBLE", mm=24),
        lesion("L2", "CONFIRMED_DLM", depthMm=24, marker="yes"),
        lesion("L3", "TREATED"),
        lesion("L4", "CONFIRMED_DLM", nature="benign"),
        OPERATION,
    )
    lines = notes(order(card))
    assert [line.split(":")[0] for line in lines] == ["L2", "L1"], "the doubtful first"
    assert lines[0] == "L2: segment VI; depth 24 mm; 14 mm before treatment; marked; not seen on adequate MRI"
    assert "depth not recorded" in lines[1]


def test_the_theatre_list_names_a_resected_site_that_the_specimen_does_not_hold() -> None:
    resected = date(2026, 6, 15)
    card = first(
        lesion("L2", "CONFIRMED_DLM"),
        lesion("L3", "TREATED"),
        lesion("L4", "TREATED"),
        fact("not_in_specimen", lesion="L3", day=resected, stated="yes"),
        fact("not_in_specimen", lesion="L4", day=resected, stated="no"),
        OPERATION,
    )
    lines = notes(order(card))
    assert sorted(line.split(":")[0] for line in lines) == ["L2", "L3"]
    assert next(line for line in lines if line.startswith("L3")).endswith(
        "treated; not found in the specimen"
    )


def test_the_theatre_list_says_where_and_when_a_lesion_was_last_seen() -> None:
    made = list(lesion("L2", "CONFIRMED_DLM", marker="yes", markerMigrated="yes"))
    made[2] = fact(
        "lesion_history",
        lesion="L2",
        baselineMm=14,
        lastSeenDay=date(2026, 6, 2),
        lastSeenMm=9,
        lastSeenClass="MRI",
    )
    (line,) = notes(order(first(tuple(made), OPERATION)))
    assert "last seen 9 mm, MRI 2026-06-02" in line
    assert "marked, marker recorded as moved" in line


def test_a_label_cannot_write_into_the_note() -> None:
    (line,) = notes(order(first(lesion("L2", "CONFIRMED_DLM", label="[x](http://y) | **L2**"), OPERATION)))
    assert "](" not in line
    assert "**" not in line


def test_at_most_twenty_sites() -> None:
    many = [one for number in range(25) for one in lesion(f"L{number}", "CONFIRMED_DLM")]
    lines = notes(order(first(tuple(many), OPERATION)))
    assert len(lines) == 21
    assert lines[-1] == "5 more lesions are not listed."


# ------------------------------------------------------------------------------------------ MRI
APPARENT = lesion("L1", "APPARENT_DLM", **CT)


def test_the_mri_names_agent_and_diffusion_as_a_note() -> None:
    resource = order(first(APPARENT))
    assert "gadoxetate" in notes(resource)[0]
    assert "diffusion" in notes(resource)[0]


UNCHECKED = "Reasons against MRI or its contrast agent are not on record: check contraindications."


@pytest.mark.parametrize(("known", "asked"), [("unknown", True), ("none-known", False), ("renal", False)])
def test_unknown_reasons_against_mri_are_to_be_checked(known: str, asked: bool) -> None:
    card = first(APPARENT, patient(mriContra=known))
    assert (UNCHECKED in notes(order(card))) == asked
    assert ("check contraindications before the order" in card.detail) == asked


def test_nothing_is_to_be_checked_for_an_mri_that_is_ordered() -> None:
    card = first(APPARENT, fact("plan", hbMri="ordered"))
    assert "check contraindications" not in card.detail


def test_another_agent_where_gadoxetate_is_not_to_be_had() -> None:
    resource = order(first(APPARENT, fact("site", gadoxetateAvailable="no")))
    assert "gadobenate with a delayed phase" in notes(resource)[-1]


@pytest.mark.parametrize("reason", ["contrast-allergy", "renal"])
def test_without_contrast_where_contrast_is_the_reason(reason: str) -> None:
    card = first(APPARENT, patient(mriContra=reason))
    resource = order(card)
    assert card.suggestions[0].label == "Order MRI of the liver without contrast"
    assert "without contrast" in resource["code"]["text"]
    assert all("gadoxetate" not in note for note in notes(resource))
    assert notes(resource)[-1].startswith("No contrast agent: ")


@pytest.mark.parametrize("reason", ["device", "claustrophobia", "other"])
def test_none_where_the_magnet_is_the_reason(reason: str) -> None:
    assert first(APPARENT, patient(mriContra=reason)).suggestions == ()


def test_no_contrast_in_pregnancy() -> None:
    resource = order(first(APPARENT, patient(pregnant="yes")))
    assert "without contrast" in resource["code"]["text"]
    assert "specialists" in notes(resource)[-1]


def test_none_while_a_report_is_awaited() -> None:
    """The MRI was done and its report is preliminary: a second one would be ordered for nothing."""
    waiting = fact(
        "exam", id="M", day=date(2026, 10, 8), final="no", liver="yes", unmatched=0, **{"class": "MRI"}
    )
    card = first(APPARENT, waiting)
    assert "has no final report" in card.summary
    assert card.suggestions == ()


def test_none_where_one_is_booked_before_the_decision() -> None:
    booked = fact("plan", hbMri="booked", hbMriDay=TODAY + timedelta(days=7))
    assert first(lesion("L1", "APPARENT_DLM", **CT, **WATCHED), booked).suggestions == ()


# ------------------------------------------------------------------------------------------ none
@pytest.mark.parametrize(
    "facts",
    [
        lesion("L1", "SMALL_RESIDUAL", mm=6, **WATCHED),
        (*lesion("L1", "MISSING_CEIOUS", preopMri="yes", depthMm=42, **{"class": "CEIOUS"}), OPERATION, ),
    ],
    ids=["DA-02", "DA-07 in DA-03"],
)  # fmt: skip
def test_a_review_is_not_offered_by_what_is_merged(facts: tuple[Fact, ...]) -> None:
    conflict = fact("main_conflict", lesion="L1", weight="less", seenClass="PET", seenDay=TODAY, notClass="MRI", notDay=TODAY)  # fmt: skip
    card = first(facts, conflict)
    assert "Refer to the liver MDT" not in [one.label for one in card.suggestions]


def two(*, recommended: bool = False) -> list[Advice]:
    """Two cards that ask for the same review, each for its own lesion."""
    made = []
    for name in ("L1", "L2"):
        review = write.mdt_review("p1", lesions=[LesionRef(body=f"BodyStructure/{name}")], authored=TODAY)
        offered = Suggestion(label="MDT", description="MDT", resource=review, recommended=recommended)
        one = first(APPARENT)
        made.append(replace(one, subjects=(name,), suggestions=(offered,)))
    return made


def test_two_cards_that_ask_for_one_order_offer_it_once_for_the_lesions_of_both() -> None:
    """Two clicks would make two orders of the same review."""
    upper, lower = offered_once(two())
    (kept,) = upper.suggestions
    assert lower.suggestions == ()
    named = [one["valueReference"]["reference"] for one in kept.resource["extension"]]
    assert named == ["BodyStructure/L1", "BodyStructure/L2"]
    assert check(kept.resource) == ()


def test_an_order_of_another_kind_stays_where_it_is() -> None:
    upper, lower = two()
    ultrasound = Suggestion(
        label="IOUS",
        description="IOUS",
        resource=write.ious("p1", lesions=[], contrast=False, authored=TODAY),
    )
    lower = replace(lower, suggestions=(ultrasound, *lower.suggestions))
    assert [[one.label for one in card.suggestions] for card in offered_once([upper, lower])] == [
        ["MDT"],
        ["IOUS"],
    ]


@pytest.mark.parametrize("name", samples.names())
def test_no_answer_to_a_sample_offers_an_order_twice(name: str) -> None:
    found = samples.sample(name, TODAY)
    resources = tuple(entry["resource"] for entry in found.bundle["entry"])
    chart = Chart(patient_id=found.hook["context"]["patientId"], resources=resources)
    with Evaluator(pack(), mode="reference") as rules:
        made = decide(chart, rules, today=TODAY, settings=Settings())
    for hook in HOOKS:
        cards = advise(made, hook, settings=Settings())
        codes = [repr(one.resource["code"]) for card in cards for one in card.suggestions]
        assert len(codes) == len(set(codes)), hook


def test_one_action_a_suggestion() -> None:
    card = first(APPARENT, lesion("L2", "CONFIRMED_DLM"), OPERATION)
    assert [one.label for one in card.suggestions] == [
        "Plan intraoperative ultrasound of every original site",
        "Order hepatobiliary MRI of the liver with diffusion",
    ]
    assert all(one.resource["resourceType"] == "ServiceRequest" for one in card.suggestions)


# ------------------------------------------------------------------------------------------ codes
OWN = OrderCode(system="urn:oid:1.2.3", code="LEBMRT", display="Leber-MRT")


def coded(**codes: tuple[OrderCode, ...]) -> Settings:
    return msgspec.structs.replace(Settings(), codes=Codes(**codes))


def test_the_sites_own_code_stands_first() -> None:
    resource = order(first(APPARENT, settings=coded(liver_mri=(OWN,))))
    codings = resource["code"]["coding"]
    assert codings[0] == {"system": "urn:oid:1.2.3", "code": "LEBMRT", "display": "Leber-MRT"}
    assert codings[1]["system"] == "http://loinc.org"


def test_each_order_has_its_own_setting() -> None:
    settings = coded(ious=(OWN,), liver_mri_plain=(OWN,), mdt_review=(OWN,))
    assert order(first(APPARENT, settings=settings))["code"]["coding"][0]["code"] != "LEBMRT"
    plain = first(APPARENT, patient(mriContra="renal"), settings=settings)
    assert order(plain)["code"]["coding"][0]["code"] == "LEBMRT"
    search = first(lesion("L2", "CONFIRMED_DLM"), OPERATION, settings=settings)
    assert order(search)["code"]["coding"][0]["code"] == "LEBMRT"
    review = first(lesion("L2", "CONFIRMED_DLM", **WATCHED), settings=settings)
    assert order(review)["code"]["coding"][0]["code"] == "LEBMRT"


def test_contrast_ultrasound_falls_back_to_the_code_of_the_plain_one() -> None:
    contrast = fact("site", ceiousAvailable="yes")
    own = OrderCode(system="urn:oid:1.2.3", code="KMUS")
    told = (lesion("L2", "CONFIRMED_DLM"), OPERATION, contrast)
    assert order(first(*told, settings=coded(ious=(OWN,))))["code"]["coding"][0]["code"] == "LEBMRT"
    both = coded(ious=(OWN,), ceious=(own,))
    assert order(first(*told, settings=both))["code"]["coding"][0] == {
        "system": "urn:oid:1.2.3",
        "code": "KMUS",
    }


def test_codes_come_from_the_settings_file(tmp_path: Any) -> None:
    file = tmp_path / "vestige.toml"
    file.write_text('[[codes.liver_mri]]\nsystem = "urn:oid:1.2.3"\ncode = "LEBMRT"\n', encoding="utf-8")
    assert load(file, {}).codes.liver_mri == (OrderCode(system="urn:oid:1.2.3", code="LEBMRT"),)
