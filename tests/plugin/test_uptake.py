"""Uptake of advice: what is counted, and Wilson's interval against figures worked out elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.sent import Answered, Reply, SentRule
from plugin.uptake import NO_REASON, WORDS_ONLY, rate, report, uptake, wilson
from tests.plugin.test_sent import AT, sent


def reply(outcome: str = "overridden", **more: Any) -> Reply:
    return Reply(outcome=outcome, at=AT, **more)


def card(answer: Reply | None = None, **more: Any) -> Answered:
    return Answered(sent=sent(**more), reply=answer)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of) == pytest.approx((low, high), abs=5e-5)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_mirrors(pair: tuple[int, int]) -> None:
    count, of = pair
    low, high = wilson(count, of)
    assert 0 <= low <= count / of <= high <= 1
    assert wilson(of - count, of) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("count", "of"), [(0, 0), (2, 1), (-1, 3)])
def test_what_is_no_share_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(count, of)


def test_nothing_to_count_has_no_rate() -> None:
    none = rate(0, 0)
    assert (none.share, none.low, none.high) == (None, None, None)


def test_a_card_without_feedback_is_in_no_rate() -> None:
    cards = [card(), card(), card(reply(reason_code="a")), card(reply("accepted", accepted=("s1",)))]
    made = uptake("all", cards)
    assert (made.shown, made.answered, made.silent) == (4, 2, 2)
    assert (made.accepted.count, made.accepted.of, made.overridden.count) == (1, 2, 1)


def test_a_card_counts_for_each_of_its_rules_once() -> None:
    one = card(reply(), rules=(SentRule(rule="DA-10"), SentRule(rule="DA-01"), SentRule(rule="DA-01")))
    other = card(None, rules=(SentRule(rule="DA-01"),))
    made = report([one, other], unmatched=3)
    assert [(each.name, each.shown, each.answered) for each in made.rules] == [
        ("DA-01", 2, 1),
        ("DA-10", 1, 1),
    ]
    assert (made.cards.shown, made.unmatched) == (2, 3)


def test_patients_are_counted_once() -> None:
    assert uptake("all", [card(patient="p"), card(patient="p"), card(patient="q")]).patients == 2


def test_reasons_by_code_and_never_in_words() -> None:
    cards = [
        card(reply(reason_code="wrong-data", reason_display="x")),
        card(reply(reason_code="wrong-data")),
        card(reply(commented=True)),
        card(reply(reason_display="words of a person")),
        card(reply()),
        card(reply("accepted", accepted=("s1",))),
    ]
    reasons = uptake("all", cards).reasons
    assert {name: (one.count, one.of) for name, one in reasons.items()} == {
        "wrong-data": (2, 5),
        WORDS_ONLY: (2, 5),
        NO_REASON: (1, 5),
    }


def test_an_acceptance_of_what_was_not_offered_is_named() -> None:
    cards = [card(reply("accepted", accepted=("s2",))), card(reply("accepted", accepted=("elsewhere",)))]
    assert report(cards, 0).foreign == 1
    assert report(cards, 0).revisions == ("abc123",)
