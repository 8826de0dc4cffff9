"""What a card says instead: in pregnancy, without an MRI, for a site left in place, and of what was treated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from plugin.advice import advise
from plugin.advice.text import PREGNANT as PREGNANT_TEXTS
from plugin.advice.text import WITHOUT_MRI, texts_of
from plugin.settings import Cards, Settings
from rules.facts import Fact
from rules.language import load_pack
from tests.plugin.advising import TODAY, decided, fact, lesion, patient
from tests.plugin.test_advice_wording import CT, DEVICE, WATCHED, block, confirmed, first

PREGNANT = patient(pregnant="yes")
ASKS = re.compile(
    r"epatobiliary MRI|further MRI|another MRI|follow-up MRI|MRI plan|MRI surveillance|by MRI|plan: lesion, MRI"
)


def texts_that_ask() -> Iterator[tuple[str, str | None, str]]:
    """Every summary, line and option that asks for an MRI, by rule and case."""
    rules = texts_of(load_pack().folder, "en").data["rules"]
    for rule, entry in rules.items():
        for case, part in [(None, entry), *entry.get("cases", {}).items()]:
            for key in ("summary", "summary_one", "summary_many", "line", "options"):
                if ASKS.search(str(part.get(key, ""))):
                    yield rule, case, key


ON_RECORD = {"DA-09", "DA-07", "DA-16"}
"""Their summaries and lines name the MRI that was done, or the plan that is not there; they ask for none."""


@pytest.mark.parametrize(("rule", "case", "key"), list(texts_that_ask()))
@pytest.mark.parametrize("part", [WITHOUT_MRI, PREGNANT_TEXTS])
def test_every_text_that_asks_for_an_mri_has_another_for_where_none_is_possible(
    rule: str, case: str | None, key: str, part: str
) -> None:
    if rule in ON_RECORD and key != "options":
        return
    said = str(texts_of(load_pack().folder, "en").rule(rule, case, key, instead=part))
    assert not ASKS.search(said), said


@pytest.mark.parametrize(
    "facts",
    [
        lesion("L1", "APPARENT_DLM", **CT),
        lesion("L1", "APPARENT_DLM", **CT, **WATCHED),
        lesion("L1", "CANNOT_DECIDE", reason="quality"),
        lesion("L1", "CANNOT_DECIDE", reason="quality", **WATCHED),
        lesion("L1", "REAPPEARED"),
        confirmed("L1"),
        (fact("therapy", nextOrdered="yes"),),
    ],
    ids=["DA-01", "DA-10", "quality", "DA-10 undecided", "DA-17", "DA-09", "PT-02"],
)
def test_in_pregnancy_imaging_is_for_specialists(facts: tuple[Fact, ...]) -> None:
    card = first(facts, PREGNANT)
    assert "Pregnancy is on record" in card.detail
    assert not [option for option in block(card, "Options") if ASKS.search(option)]


def test_what_bars_the_magnet_comes_before_pregnancy() -> None:
    card = first(lesion("L1", "APPARENT_DLM", **CT), patient(mriContra="device", pregnant="yes"))
    assert "MRI not possible" in card.summary
    assert "Pregnancy is on record" in card.detail


def test_a_line_in_another_card_asks_for_no_mri_either() -> None:
    operation = fact("plan", hepatic="yes", opDay=TODAY + timedelta(days=30))
    card = first(lesion("L1", "APPARENT_DLM", **CT), operation, DEVICE)
    assert not [line for line in block(card, "Also") if ASKS.search(line)]


def test_an_adequate_mri_is_not_called_limited() -> None:
    """A reason against MRI keeps the status below confirmed; the MRI that was done stays what it is (R-82)."""
    adequate = (
        fact(
            "best_negative", lesion="L1", day=date(2026, 10, 1), exam="M", grade="strong", **{"class": "MRI"}
        ),
    )
    mine = lesion("L1", "APPARENT_DLM", **{"class": "MRI"}, **WATCHED)
    capped = first(mine, adequate, patient(mriContra="claustrophobia"))
    weak = first(mine, patient(mriContra="claustrophobia"))
    assert "limited MRI" in weak.summary
    assert "limited" not in f"{capped.summary}{capped.detail}"
    assert capped.summary == (
        "Watch-and-wait: L1 not seen on MRI 2026-10-01, yet MRI marked as not possible; check that entry."
    )
    assert "not visible on CT" not in capped.detail
    assert capped.suggestions == ()


# ------------------------------------------------------------------------------------------ left in place
def test_left_in_place_is_not_called_watch_and_wait() -> None:
    left = {"disposition": "left-in-situ", "dispositionLevel": "lesion"}
    seen_before = fact("last_seen", lesion="L1", sighting="S", day=date(2026, 4, 2))
    card = first(lesion("L1", "APPARENT_DLM", **CT, **left), seen_before)
    assert card.summary.startswith("Leaving in situ rests on CT alone for L1")
    assert "atch-and-wait is recorded" not in card.detail
    mixed = first(
        lesion("L1", "APPARENT_DLM", **CT, **left), lesion("L2", "APPARENT_DLM", **CT, **WATCHED), seen_before
    )
    assert mixed.summary.startswith("Waiting rests on CT alone for L1, L2")


# ------------------------------------------------------------------------------------------ the response
def test_the_count_of_visible_lesions_leaves_out_what_was_treated() -> None:
    nodules = fact(
        "pathology", operationDay=date(2026, 10, 5), worst=5, best=2, graded=2, viableSum=85, viableCount=2,
        meanPercent=42, worstPercent=80,
    )  # fmt: skip

    def summary(*lesions: tuple[Fact, ...]) -> str:
        settings = Settings(cards=Cards(response_summary=True))
        cards = advise(decided(*lesions, nodules), "patient-view", settings=settings)
        return next(card.summary for card in cards if card.family == "F12")

    assert summary(lesion("L1", "REAPPEARED"), lesion("L2", "TREATED")) == (
        "Response summary: by status 1 of 1 untreated lesions visible."
    )
    assert summary(lesion("L2", "TREATED")) == (
        "Response summary: every tracked lesion is recorded as treated."
    )
