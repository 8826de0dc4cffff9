"""Whole patients, from the status of each lesion to the cards: what a surgeon and a radiologist would want to read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from plugin.advice import advise
from plugin.advice.lesions import lesion_table
from plugin.advice.slots import Filler
from plugin.advice.text import texts_of
from plugin.chart import Gap, GapReason
from plugin.decision import Advice, Decision
from plugin.settings import Settings
from rules.facts import Fact
from tests.plugin.advising import TODAY, decided, fact, lesion, patient

WATCHED = {"disposition": "watch-and-wait"}
CALLED_GONE = {
    **WATCHED,
    "dispositionLevel": "lesion",
    "dispositionReason": "disappeared",
    "dispositionDay": date(2026, 10, 5),
}
OPERATION = fact("plan", hepatic="yes", opDay=date(2026, 11, 1))


def days(count: int) -> date:
    return TODAY + timedelta(days=count)


def cards(made: Decision, hook: str = "order-sign") -> list[tuple[str, str]]:
    return [(one.rules[0], one.indicator) for one in advise(made, hook, settings=Settings())]


def first(made: Decision, hook: str = "order-sign") -> Advice:
    return advise(made, hook, settings=Settings())[0]


def test_visible_and_called_gone_is_critical() -> None:
    card = first(decided(lesion("L2", "SMALL_RESIDUAL", mm=6, **CALLED_GONE)))
    assert (card.rules[0], card.indicator) == ("DA-02", "critical")
    assert card.suggestions == ()
    assert {reason.code for reason in card.override_reasons} >= {
        "patient-declines",
        "mdt-decision",
        "wrong-data",
    }


def test_immune_therapy_makes_one_card_without_figures() -> None:
    """A visible remnant watched under immune therapy: no critical card, the evidence does not apply."""
    made = decided(
        lesion("L2", "SMALL_RESIDUAL", mm=6, **CALLED_GONE), fact("therapy", known="yes", ici="yes")
    )
    assert cards(made) == [("DA-18", "warning")]
    assert " 0." not in first(made).detail
    assert "%" not in first(made).detail


def test_immune_therapy_and_an_operation_still_advise_the_search() -> None:
    made = decided(lesion("L2", "CONFIRMED_DLM"), fact("therapy", known="yes", ici="yes"), OPERATION)
    assert cards(made) == [("DA-03", "warning"), ("DA-18", "warning")]
    assert "45 of 67" not in first(made).detail


def test_a_recent_exclusion_withholds_advice_and_says_so() -> None:
    ill = patient(ecog=3, ecogDay=days(-20))
    assert cards(decided(lesion("L2", "CONFIRMED_DLM", **WATCHED), ill)) == [("DA-15", "info")]
    assert cards(decided(lesion("L2", "CONFIRMED_DLM", **WATCHED), patient(ecog=3, ecogDay=days(-365)))) == [
        ("DA-09", "warning")
    ]


def test_an_exclusion_never_silences_the_operating_theatre() -> None:
    ill = patient(ecog=3, ecogDay=days(-20))
    seen = fact(
        "sighting", id="S", lesion="L4", exam="U", day=TODAY, visibility="visible", **{"class": "IOUS"}
    )
    made = decided(
        lesion("L4", "RESIDUAL_TINY", seenIntraop="yes"), seen, ill, fact("plan", opInProgress="yes")
    )
    assert cards(made) == [("DA-04", "critical")]


def test_an_exclusion_does_not_hold_once_an_operation_is_planned() -> None:
    ill = patient(ecog=3, ecogDay=days(-20))
    assert cards(decided(lesion("L4", "CONFIRMED_DLM"), ill, OPERATION)) == [("DA-03", "warning")]


def test_search_merges_the_undecided_and_the_unconfirmed() -> None:
    made = decided(
        lesion("L1", "CANNOT_DECIDE", reason="not-reported"),
        lesion("L2", "APPARENT_DLM", **{"class": "CT"}),
        lesion("L3", "CONFIRMED_DLM"),
        OPERATION,
    )
    card = first(made)
    assert cards(made) == [("DA-03", "warning")]
    assert card.rules == ("DA-03", "DA-01", "HN-03") or set(card.rules) == {"DA-03", "DA-01", "HN-03"}
    assert "L1, L2, L3" in card.summary
    assert "a statement in the report" in card.detail
    assert [one.resource["code"]["coding"][0]["code"] for one in card.suggestions][0] == "30706-6"


def test_routine_ultrasound_keeps_the_urgency_of_what_it_carries() -> None:
    """Where ultrasound is routine the list of sites is information, a changed plan beside it is not."""
    plain = decided(lesion("L5", "CONFIRMED_DLM"), OPERATION, fact("site", iousStandard="yes"))
    changed = decided(
        lesion("L5", "CONFIRMED_DLM", inPlannedSpecimenBefore="yes", inPlannedSpecimen="no"),
        OPERATION,
        fact("site", iousStandard="yes"),
    )
    assert cards(plain) == [("DA-03", "info")]
    assert cards(changed) == [("DA-03", "warning")]
    assert "leaves out the site of L5" in first(changed).detail


def test_planned_ultrasound_needs_no_card() -> None:
    plan = fact("plan", hepatic="yes", opDay=days(20), ious="yes")
    assert cards(decided(lesion("L5", "CONFIRMED_DLM"), plan)) == []


def test_undecided_names_what_is_missing_and_who_can_supply_it() -> None:
    made = decided(
        lesion("L1", "CANNOT_DECIDE", reason="not-reported"),
        lesion("L2", "CANNOT_DECIDE", reason="therapy-not-recorded", **WATCHED),
    )
    card = first(made)
    assert (card.family, card.indicator) == ("F7", "warning")
    assert "Radiology can add it." in card.detail
    assert "Oncology or the pharmacy can supply them." in card.detail
    assert "Watch-and-wait is recorded for L2." in card.detail


@pytest.mark.parametrize(
    "reason", ["not-reported", "quality", "undated", "identity", "indeterminate", "zero-size"]
)
def test_worse_data_never_give_a_milder_answer(reason: str) -> None:
    """Watch-and-wait with the operation cancelled: no usable statement is as urgent as a negative CT."""
    cancelled = fact("plan", cancelledDay=days(-5))
    undecided = decided(lesion("L1", "CANNOT_DECIDE", reason=reason, **WATCHED), cancelled)
    apparent = decided(lesion("L1", "APPARENT_DLM", **{"class": "CT"}, **WATCHED), cancelled)
    assert cards(undecided) == [("DA-10", "critical")]
    assert cards(apparent) == [("DA-10", "critical")]
    assert "without a usable statement" in first(undecided).summary


def test_decisive_gap_is_a_card_even_without_a_lesion() -> None:
    gap = fact("gap", id="G", resource="Observation", reason="truncated", decisive="yes")
    made = decided(patient(trackedLesions=0), gap)
    assert cards(made) == [("HN-03g", "warning")]
    assert "Observation: cut short." in first(made).detail


def test_other_gap_is_told_too() -> None:
    gap = fact("gap", id="G", resource="AllergyIntolerance", reason="forbidden", decisive="no")
    assert cards(decided(patient(trackedLesions=0), gap), "patient-view") == [("HN-03g", "info")]


def test_outside_the_scope_only_that_is_said() -> None:
    made = decided(lesion("L1", "VISIBLE", **CALLED_GONE), patient(crlmScope="other-primary"))
    assert cards(made) == [("SC-01", "info")]


def test_nobody_reads_cards_on_the_dead() -> None:
    made = decided(lesion("L1", "VISIBLE", **CALLED_GONE), patient(deceased="yes"))
    assert cards(made, "patient-view") == []


def test_mri_that_is_not_possible_is_neither_offered_nor_ordered() -> None:
    card = first(decided(lesion("L1", "APPARENT_DLM", **{"class": "CT"}), patient(mriContra="device")))
    assert card.rules[0] == "DA-01"
    assert card.suggestions == ()
    assert "marked as not possible (implanted device)" in card.detail
    assert "Hepatobiliary MRI with diffusion before the next decision." not in card.detail


def test_no_order_is_offered_twice() -> None:
    plan = fact("plan", hbMri="ordered")
    card = first(decided(lesion("L1", "APPARENT_DLM", **{"class": "CT"}), plan))
    assert card.suggestions == ()
    assert "already ordered or booked" in card.detail


def test_equipoise_shows_both_sides_alike_and_carries_the_surveillance_line() -> None:
    made = decided(
        lesion(
            "L6",
            "MISSING_CEIOUS",
            preopMri="yes",
            depthMm=42,
            disposition="left-in-situ",
            asOf=TODAY,
            **{"class": "CEIOUS"},
        ),
        fact("exam", id="U", day=TODAY, unmatched=0, **{"class": "CEIOUS"}),
    )
    card = first(made)
    assert card.rules == ("DA-07", "DA-12", "DA-16")
    assert card.indicator == "info"
    assert "0.79 (0.53-0.96)" in card.detail
    assert "36 %" in card.detail
    assert "L6: no MRI surveillance plan on record." in card.detail
    assert sides(card) == (2, 2)


def sides(card: Advice) -> tuple[int, int]:
    blocks = card.detail.split("\n\n")
    counts = [blocks[blocks.index(f"**{name}**") + 1].count("\n") + 1 for name in ("For", "Against")]
    return counts[0], counts[1]


@pytest.mark.parametrize(
    "facts",
    [
        (*lesion("L1", "VISIBLE", **CALLED_GONE),),
        (*lesion("L1", "APPARENT_DLM", **{"class": "CT"}),),
        (*lesion("L1", "CONFIRMED_DLM", **WATCHED),),
        (*lesion("L1", "CONFIRMED_DLM"), OPERATION),
        (*lesion("L1", "REAPPEARED"),),
    ],
    ids=["DA-02", "DA-01", "DA-09", "DA-03", "DA-17"],
)
def test_every_clinical_card_shows_both_sides_the_date_and_its_rules(facts: tuple[Fact, ...]) -> None:
    card = first(decided(*facts))
    assert sides(card) >= (1, 1)
    assert "2026-10-01" in card.detail
    assert f"Rules {card.rules[0]}" in card.detail
    assert "rule pack" in card.detail
    assert "certainty of the evidence" in card.detail


def test_limits_that_no_source_fixes_are_named_as_such() -> None:
    operation = fact("plan", hepatic="yes", opDay=days(24))
    therapy = fact("therapy", known="yes", lastDose=TODAY, lastAntiAngiogenic=TODAY)
    (card,) = [
        one
        for one in advise(decided(operation, therapy), "appointment-book", settings=Settings())
        if one.rules[0] == "PT-05"
    ]
    assert card.summary == f"24 days between last antibody dose and operation {days(24)} (site setting 42)."
    assert "42 d (default)" in card.detail


def test_a_draft_plan_counts_as_the_plan() -> None:
    draft = {
        **WATCHED,
        "dispositionLevel": "lesion",
        "dispositionReason": "disappeared",
        "dispositionDraft": "yes",
    }
    assert cards(decided(lesion("L2", "SMALL_RESIDUAL", asOf=days(-8), **draft))) == [("DA-02", "critical")]
    assert cards(decided(lesion("L2", "SMALL_RESIDUAL", asOf=days(-29), **draft))) == [("DA-02", "warning")]


def test_regrowth_stands_in_the_card_on_the_plan() -> None:
    card = first(decided(lesion("L2", "REAPPEARED", **CALLED_GONE)))
    assert card.rules[0] == "DA-02"
    assert "DA-17" in card.rules


def test_what_is_not_dated_is_said_plainly() -> None:
    made = decided(
        patient(extrahepatic="progression-definite"),
        fact("patient_status", value="ALL_DISAPPEARED"),
        fact("therapy", known="yes", nextOrdered="yes"),
    )
    found = advise(made, "order-sign", settings=Settings())
    assert found[0].summary == (
        "Liver responds, progression recorded elsewhere (date not recorded): intent to MDT before liver surgery."
    )
    alone = decided(
        fact("patient_status", value="ALL_DISAPPEARED"), fact("therapy", known="yes", nextOrdered="yes")
    )
    assert first(alone).summary.startswith(
        "No known lesion seen on the last imaging and a further cycle ordered"
    )


def test_the_mri_is_named_first_where_there_is_time() -> None:
    lesions = lesion("L1", "APPARENT_DLM", **{"class": "CT"})
    soon = first(decided(lesions, fact("plan", hepatic="yes", opDay=days(7))))
    later = first(decided(lesions, fact("plan", hepatic="yes", opDay=days(8))))
    assert [one.rules for one in (soon, later)] == [("DA-03", "DA-01")] * 2
    assert options(soon)[0].startswith("Intraoperative ultrasound")
    assert options(later)[0].startswith("Hepatobiliary MRI")


def options(card: Advice) -> list[str]:
    blocks = card.detail.split("\n\n")
    return [line.removeprefix("- ") for line in blocks[blocks.index("**Options**") + 1].splitlines()]


def test_nothing_is_said_twice_in_the_options() -> None:
    card = first(decided(lesion("L1", "APPARENT_DLM", **{"class": "CT"}, **WATCHED)))
    assert card.rules == ("DA-10", "DA-01")
    assert options(card) == ["Hepatobiliary MRI with diffusion, and hold the decision until then."]


def test_a_plan_for_the_patient_as_a_whole_is_never_critical() -> None:
    cancelled = fact("plan", cancelledDay=days(-5))
    whole = {**WATCHED, "dispositionLevel": "patient"}
    made = decided(lesion("L1", "APPARENT_DLM", **{"class": "CT"}, **whole), cancelled)
    assert cards(made) == [("DA-10", "warning")]


def test_metastases_on_the_problem_list_only() -> None:
    made = decided(patient(trackedLesions=0, liverMetastases="yes"))
    assert cards(made, "patient-view") == [("HN-03l", "info")]
    assert cards(made, "order-sign") == []


def test_an_operation_without_a_result_changes_nothing() -> None:
    made = decided(lesion("L1", "VISIBLE"), fact("plan", hepatic="yes", opDay=days(-4)))
    assert cards(made, "patient-view") == [("HN-03o", "info")]


def test_what_was_not_read_is_not_called_silent_or_not_recorded() -> None:
    made = decided(fact("lesion", id="L1", label="L1", nature="metastasis"))
    gap = Gap(resource="Observation", reason=GapReason.TIMEOUT, detail="", decisive=True, query="imaging")
    texts = texts_of(made.pack.folder, "en")

    def table(decision: Decision) -> str:
        return lesion_table(decision, texts, Filler(decision, texts, "patient-view", short=False), ["L1"])

    assert "not recorded" in table(made)
    assert "not mentioned" in table(made)
    unread = replace(made, gaps=(gap,))
    assert "not recorded" not in table(unread)
    assert "not mentioned" not in table(unread)
    assert table(unread).count("not read") == 3
    other = replace(gap, resource="AllergyIntolerance")
    assert table(replace(made, gaps=(other,))) == table(made)
    assert table(replace(made, gaps=(replace(gap, decisive=False),))) == table(made)
