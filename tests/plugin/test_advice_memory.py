"""An answer to a message holds only while nothing has changed, and never for what must be seen (R-80)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from plugin.advice import advise
from plugin.advice.digest import LENGTH, digest, digests
from plugin.decision import Advice, Decision
from plugin.settings import Settings
from rules.facts import Fact
from tests.plugin.advising import TODAY, decided, fact, lesion, pack

WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion", "dispositionDay": date(2026, 10, 5)}
CRITICAL = {**WATCHED, "dispositionReason": "disappeared"}


def confirmed(**values: Any) -> tuple[Fact, ...]:
    return lesion("L1", "CONFIRMED_DLM", **{**WATCHED, **values})


def answered(made: Decision, rule: str, *, times: int = 1, **values: Any) -> Decision:
    """The decision with answers to the message of a rule as it is now."""
    answers = tuple(
        fact("override", **{"id": f"A{number}", "rule": rule, "digest": digest(rule, made), "outcome": "overridden", "reason": "mdt-decision", "day": TODAY, **values})
        for number in range(times)
    )  # fmt: skip
    return replace(made, facts=(*made.facts, *answers))


def cards(made: Decision, hook: str = "patient-view") -> list[tuple[str, str]]:
    found = advise(made, hook, settings=Settings())
    return [(one.rules[0], one.indicator) for one in found if one.family != "F12"]


def response(made: Decision) -> Advice:
    return next(one for one in advise(made, "patient-view", settings=Settings()) if one.family == "F12")


def test_the_digest_is_stable_and_short() -> None:
    one, other = decided(confirmed()), decided(confirmed())
    assert digest("DA-09", one) == digest("DA-09", other)
    assert len(digest("DA-09", one)) == LENGTH
    assert digest("DA-09", one) != digest("DA-12", one)


def test_the_order_of_lesions_does_not_change_the_digest() -> None:
    first, second = confirmed(), lesion("L2", "CONFIRMED_DLM", **WATCHED)
    assert digest("DA-09", decided(first, second)) == digest("DA-09", decided(second, first))


CHANGES: dict[str, Callable[[], Decision]] = {
    "another lesion": lambda: decided(confirmed(), lesion("L2", "CONFIRMED_DLM", **WATCHED)),
    "a newer study": lambda: decided(confirmed(asOf=date(2026, 10, 8))),
    "another plan for the lesion": lambda: decided(confirmed(dispositionReason="unfit")),
    "the plan of a later day": lambda: decided(confirmed(dispositionDay=date(2026, 10, 6))),
    "an MRI is booked": lambda: decided(confirmed(), fact("plan", hbMri="booked", hbMriDay=date(2027, 6, 1))),
    "an operation was cancelled": lambda: decided(confirmed(), fact("plan", cancelledDay=date(2026, 10, 9))),
    "a further dose": lambda: decided(confirmed(), fact("therapy", known="yes", lastDose=date(2026, 10, 9))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_arms_the_message_again(change: str) -> None:
    before, after = decided(confirmed()), CHANGES[change]()
    assert digest("DA-09", before) != digest("DA-09", after)
    old = [one for one in answered(before, "DA-09").facts if one.kind == "override"]
    assert ("DA-09", "warning") in cards(replace(after, facts=(*after.facts, *old)))


def test_a_new_value_of_the_patient_arms_the_message_again() -> None:
    def told(value: int) -> Decision:
        return decided(
            fact("patient_status", value="ALL_DISAPPEARED"),
            fact("marker_series", last=value, lastDay=TODAY, uln=5),
        )

    assert digest("DC-04", told(14)) != digest("DC-04", told(20))
    assert digest("DC-04", told(14)) == digest("DC-04", told(14))


def test_an_answered_card_is_hidden_with_a_line_in_the_response() -> None:
    made = answered(decided(confirmed(), lesion("L2", "REAPPEARED")), "DA-09")
    assert cards(made) == [("DA-17", "warning")]
    assert "Answered before, unchanged since: Not seen on hepatobiliary MRI" in response(made).detail
    assert f"(DA-09, Decided by the MDT, {TODAY})" in response(made).detail


def test_all_answered_is_an_empty_answer() -> None:
    made = answered(decided(confirmed()), "DA-09")
    assert advise(made, "patient-view", settings=Settings()) == ()
    assert cards(made, "order-sign") == []


def test_a_critical_card_comes_back_once_as_a_warning_on_orders() -> None:
    made = decided(lesion("L1", "SMALL_RESIDUAL", mm=6, **CRITICAL))
    assert cards(made, "order-sign") == [("DA-02", "critical")]
    assert cards(answered(made, "DA-02"), "order-sign") == [("DA-02", "warning")]
    assert cards(answered(made, "DA-02", times=2), "order-sign") == []
    assert cards(answered(made, "DA-02")) == []


def test_an_accepted_message_is_remembered_too() -> None:
    made = answered(decided(confirmed()), "DA-09", outcome="accepted", reason="accepted")
    assert cards(made) == []


def test_an_answer_to_another_digest_changes_nothing() -> None:
    made = answered(decided(confirmed()), "DA-09", digest="0" * LENGTH)
    assert cards(made) == [("DA-09", "warning")]


def test_what_was_not_answered_gets_its_own_card_back() -> None:
    """The line of DA-01 stood in the card of DA-10; when that is answered alone, DA-01 is still to be said."""
    made = decided(lesion("L1", "APPARENT_DLM", **{"class": "CT"}, **WATCHED))
    assert cards(answered(made, "DA-10")) == [("DA-01", "warning")]


NEVER = {"DA-04", "DQ-11", "HN-03", "HN-03g", "SC-01", "DA-15", "TP-01"}


def test_the_theatre_and_what_cannot_be_decided_are_never_held_back() -> None:
    held = {str(row["rule"]) for row in pack().tables["remembered"]}
    assert held & NEVER == set()
    assert held <= set(pack().statements)
    seen = fact(
        "sighting", id="S", lesion="L1", exam="U", day=TODAY, visibility="visible", **{"class": "IOUS"}
    )
    made = decided(lesion("L1", "RESIDUAL_TINY", seenIntraop="yes", asOf=TODAY, **{"class": "IOUS"}), seen)
    assert cards(answered(made, "DA-04")) == [("DA-04", "warning")]
    undecided = decided(lesion("L1", "CANNOT_DECIDE", reason="quality"))
    assert cards(answered(undecided, "HN-03", times=3)) == [("HN-03", "warning")]


def test_a_card_carries_the_digest_of_each_of_its_rules() -> None:
    made = decided(lesion("L1", "APPARENT_DLM", **{"class": "CT"}, **WATCHED))
    (card,) = advise(made, "order-sign", settings=Settings())
    assert card.digests == digests(("DA-10", "DA-01"), made)
    answers = [fact("override", id=rule, rule=rule, digest=mark, day=TODAY) for rule, mark in card.digests]
    assert cards(replace(made, facts=(*made.facts, *answers))) == []


def test_a_later_visit_without_news_stays_quiet() -> None:
    made = answered(decided(confirmed()), "DA-09")
    later = decided(confirmed(), today=TODAY + timedelta(days=3))
    old = [one for one in made.facts if one.kind == "override"]
    assert cards(replace(later, facts=(*later.facts, *old))) == []
