"""What a surgeon reads: the modifiers, the imaging signs, what to do without MRI, and lesions that may be the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from fhir_profiles.records import ConditionRecord
from plugin.advice import advise
from plugin.decision import Advice, Decision
from plugin.settings import Settings
from plugin.timeline import Timeline
from rules.facts import Fact
from tests.plugin.advising import TODAY, decided, fact, lesion, patient

WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion"}
CT = {"class": "CT"}
DEVICE = patient(mriContra="device")


def told(made: Decision, hook: str = "order-sign") -> list[Advice]:
    return list(advise(made, hook, settings=Settings()))


def first(*facts: Fact | tuple[Fact, ...], hook: str = "order-sign") -> Advice:
    return told(decided(*facts), hook)[0]


def block(card: Advice, name: str) -> list[str]:
    blocks = card.detail.split("\n\n")
    return [line.removeprefix("- ") for line in blocks[blocks.index(f"**{name}**") + 1].splitlines()]


# ------------------------------------------------------------------------------------------ modifiers
CEA = fact("marker_series", baseline=40, baselineUln=5, newest=3, newestDay=TODAY, newestUln=5)


def confirmed(id_: str, **values: Any) -> tuple[Fact, ...]:
    return lesion(id_, "CONFIRMED_DLM", preopMri="yes", **{**WATCHED, **values})


@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_modifiers_stand_in_the_card_on_waiting(hook: str) -> None:
    card = first(confirmed("L1"), CEA, fact("therapy", known="yes", cycles=8), hook=hook)
    assert card.rules[0] == "DA-09"
    (line,) = block(card, "Also")
    for_, against = line.split("; against: ")
    assert for_ == (
        "L1: for a true complete response: not visible on adequate MRI, "
        f"CEA back within the limit ({TODAY.isoformat()})"
    )
    assert against == "more than 6 cycles."


def test_lesions_with_the_same_modifiers_share_a_line() -> None:
    card = first(confirmed("L1"), confirmed("L2"), confirmed("L3", seenIntraop="yes"))
    assert block(card, "Also") == [
        "L1, L2: for a true complete response: not visible on adequate MRI; against: nothing recorded.",
        "L3: for a true complete response: not visible on adequate MRI; against: seen by intraoperative ultrasound.",
    ]


def test_what_stands_in_a_card_is_not_said_again_in_the_response() -> None:
    cards = told(decided(confirmed("L1"), CEA), "patient-view")
    assert [card.family for card in cards] == ["F5"]


def test_a_marker_that_was_never_raised_is_said_in_the_card() -> None:
    card = first(confirmed("L1"), fact("marker_series", baseline=3, baselineUln=5))
    assert "DA-13" in card.rules


# ------------------------------------------------------------------------------------------ signs
def seen(id_: str, day: date, **values: Any) -> Fact:
    return fact("sighting", **{"id": f"{id_}{day}", "lesion": id_, "exam": "C", "class": "CT", "day": day, "visibility": "visible", **values})  # fmt: skip


def test_the_table_names_the_signs_of_the_latest_sighting() -> None:
    card = first(
        lesion("L1", "SMALL_RESIDUAL", mm=6, **WATCHED),
        seen("L1", date(2026, 5, 1), remnant="fibrotic"),
        seen("L1", date(2026, 10, 1), remnant="calcified"),
    )
    assert "; calcified |" in card.detail
    assert "fibrotic" not in card.detail
    assert "L1 calcified: can be response, with dead tumour; cannot exclude regrowth." in card.detail


def test_a_sign_of_one_modality_is_named_only_there() -> None:
    on_ct, on_mri = (
        first(lesion("L1", "VISIBLE", **WATCHED), seen("L1", TODAY, rim="none", **{"class": one}))
        for one in ("CT", "MRI")
    )
    assert "sharp border" in on_ct.detail
    assert "sharp border" not in on_mri.detail


def test_a_bright_lesion_is_no_new_nodule() -> None:
    card = first(lesion("L1", "VISIBLE", **WATCHED), seen("L1", TODAY, hbpSignal="hyper"))
    assert "benign nodule" not in card.detail


def test_a_negative_has_no_signs() -> None:
    card = first(confirmed("L1"), seen("L1", TODAY, visibility="not-visible", remnant="calcified"))
    assert "calcified" not in card.detail


# ------------------------------------------------------------------------------------------ no MRI
def test_what_cannot_be_done_is_not_advised() -> None:
    card = first(lesion("L1", "APPARENT_DLM", **CT, **WATCHED), DEVICE)
    assert card.summary == (
        "Watch-and-wait rests on CT alone for L1; MRI not possible, contrast ultrasound instead."
    )
    assert all("Hepatobiliary MRI" not in option for option in block(card, "Options"))
    assert card.suggestions == ()


@pytest.mark.parametrize(
    "facts",
    [
        lesion("L1", "APPARENT_DLM", **CT),
        lesion("L1", "APPARENT_DLM", **CT, **WATCHED),
        lesion("L1", "CANNOT_DECIDE", reason="quality"),
        lesion("L1", "CANNOT_DECIDE", reason="indeterminate"),
        lesion("L1", "CANNOT_DECIDE", reason="quality", **WATCHED),
        lesion("L1", "REAPPEARED"),
        (fact("therapy", nextOrdered="yes"),),
    ],
    ids=["DA-01", "DA-10", "quality", "indeterminate", "DA-10 undecided", "DA-17", "PT-02"],
)
def test_no_card_advises_an_mri_that_is_not_possible(facts: tuple[Fact, ...]) -> None:
    card = first(facts, DEVICE)
    advised = [card.summary, *block(card, "Options")]
    assert not [line for line in advised if "epatobiliary MRI" in line or "further MRI" in line]


def test_an_mri_that_is_booked_all_the_same_is_named() -> None:
    booked = fact("plan", hbMri="booked", hbMriDay=TODAY + timedelta(days=7))
    card = first(lesion("L1", "APPARENT_DLM", **CT, **WATCHED), DEVICE, booked)
    assert card.summary.startswith("Watch-and-wait is recorded for L1: decide after the MRI of")


# ------------------------------------------------------------------------------------------ old imaging, same segment
def test_old_imaging_asks_for_new_imaging() -> None:
    card = first(lesion("L2", "VISIBLE", asOf=date(2026, 7, 17), dispositionDay=date(2026, 10, 5), **WATCHED))
    assert card.indicator == "warning"
    assert "last seen on MRI 2026-07-17" in card.summary
    assert block(card, "Options")[0] == "Repeat the hepatobiliary MRI."
    barred = first(
        lesion("L2", "VISIBLE", asOf=date(2026, 7, 17), dispositionDay=date(2026, 10, 5), **WATCHED), DEVICE
    )
    assert block(barred, "Options")[0] == "Repeat the imaging by the best possible study."


def relabelled(**values: Any) -> tuple[Fact, ...]:
    return (
        *confirmed("L2", segment="VI", **values),
        *lesion("L7", "SMALL_RESIDUAL", mm=7, segment="VI"),
        fact("new_lesion", lesion="L7", certainty="indeterminate", reason="same-segment", day=TODAY, **{"class": "MRI"}),
    )  # fmt: skip


def test_a_lesion_in_the_same_segment_stands_in_the_card_on_the_vanished_one() -> None:
    card = first(relabelled())
    assert card.rules[0] == "DA-09"
    line = "L7 in the same segment as L2: return of it or another label possible, ask radiology."
    assert line in block(card, "Also")
    assert "Ask radiology whether L7 and L2 are the same." in block(card, "Options")


def test_it_is_a_card_of_its_own_where_there_is_no_other() -> None:
    (card,) = told(decided(relabelled(disposition="resect")))
    assert (card.rules, card.indicator) == (("LS-07r",), "info")
    assert card.summary == "L7 in the segment of L2, now unseen: the same? Ask radiology."


# ------------------------------------------------------------------------------------------ the rest
def test_equipoise_says_that_surgeons_disagree() -> None:
    card = first(
        lesion("L6", "MISSING_CEIOUS", preopMri="yes", depthMm=42, asOf=TODAY, **{"class": "CEIOUS"}),
        fact("exam", id="U", day=TODAY, unmatched=0, **{"class": "CEIOUS"}),
    )
    assert "Liver surgeons given the same cases disagree, kappa 0.12 (survey 2023)." in card.detail


def test_options_do_not_repeat_the_surveillance_plan() -> None:
    card = first(
        lesion("L6", "MISSING_CEIOUS", preopMri="yes", depthMm=42, asOf=TODAY, disposition="left-in-situ", **{"class": "CEIOUS"}),
        fact("exam", id="U", day=TODAY, unmatched=0, **{"class": "CEIOUS"}),
    )  # fmt: skip
    assert "DA-16" in card.rules
    assert len([option for option in block(card, "Options") if "plan" in option]) == 1


def test_calcified_growth_shows_both_sizes_and_both_days() -> None:
    card = first(
        lesion("L4", "VISIBLE", mm=13),
        seen("L4", date(2026, 5, 1), mm=9, remnant="calcified"),
        seen("L4", date(2026, 7, 1), mm=10, remnant="calcified"),
        seen("L4", date(2026, 10, 1), mm=13, exam="X"),
        fact("exam", id="X", day=date(2026, 10, 1), index="yes", unmatched=0, **CT),
    )
    assert card.summary == "Calcified L4 has grown 4 mm since its smallest size (CT 2026-10-01)."
    assert "L4: 9 mm to 13 mm on CT (2026-05-01 to 2026-10-01)." in card.detail


def with_timeline(made: Decision, **values: Any) -> Decision:
    return replace(made, timeline=Timeline(patient="P", today=TODAY, **values))


@pytest.mark.parametrize(("active", "named"), [(None, True), (True, True), (False, False)])
def test_the_primary_is_named_unless_it_is_known_to_be_over(active: bool | None, named: bool) -> None:
    made = decided(
        fact("patient_status", value="ALL_DISAPPEARED"),
        fact("marker_series", newest=14, newestDay=TODAY, newestUln=5),
    )
    primary = ConditionRecord(source="Condition/c", kind="colorectal-primary", active=active)
    (card,) = told(with_timeline(made, conditions=(primary,)))
    assert ("A primary tumour that is still in place can raise CEA as well." in card.detail) == named


def test_one_label_for_two_lesions_asks_which_is_which() -> None:
    (card,) = told(
        decided(lesion("L1", "CANNOT_DECIDE", reason="identity"), fact("identity_clash", lesion="L1"))
    )
    assert "ask radiology which is which" in card.summary
    assert "import the first CT" not in card.summary


def test_reports_that_could_not_be_matched_are_named_in_clinical_cards() -> None:
    outside = fact("exam", id="M9", day=date(2026, 9, 10), final="yes", unmatched=2, **{"class": "MRI"})
    card = first(confirmed("L1"), outside)
    assert any("report of MRI 2026-09-10" in line for line in block(card, "Not recorded"))


def test_therapy_taken_up_again_starts_the_clock_of_restaging() -> None:
    index = fact("exam", id="X", day=date(2026, 6, 1), index="yes", unmatched=0, **CT)

    def card(start: date) -> list[Advice]:
        therapy = fact("therapy", known="yes", lastDose=TODAY, lineStart=start)
        return told(decided(index, therapy), "patient-view")

    assert [one.rules for one in card(date(2026, 4, 1))] == [("PT-04",)]
    assert card(date(2026, 9, 20)) == []


def test_scores_open_no_card_of_their_own() -> None:
    score = fact("score", name="tumour-burden", points=3, zone=1)
    assert told(decided(lesion("L1", "VISIBLE"), score), "patient-view") == []
    cards = told(decided(lesion("L1", "REAPPEARED"), score), "patient-view")
    assert [one.family for one in cards] == ["F2"]


def test_pathology_stands_in_the_response() -> None:
    nodules = fact(
        "pathology", operationDay=date(2026, 10, 5), worst=5, best=2, graded=2, viableSum=85, viableCount=2,
        meanPercent=42, worstPercent=80,
    )  # fmt: skip
    cards = told(decided(lesion("L1", "REAPPEARED"), nodules), "patient-view")
    detail = next(one.detail for one in cards if one.family == "F12")
    assert "worst regression grade 5 of 2 nodules (Rubbia-Brandt: absent)" in detail
    assert "residual cells mean 42 %, worst nodule 80 % (Blazer: major)" in detail
    assert "Nodules are heterogeneous: regression grades 2 to 5" in detail
