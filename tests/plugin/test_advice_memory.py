"""An answer to a message holds only while nothing has changed, and never for what must be seen (R-80)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plugin.advice import advise, shown
from plugin.advice.answers import MOST, answers
from plugin.advice.digest import LENGTH, digest, digests
from plugin.chart import Gap, GapReason
from plugin.decision import Advice, Decision
from plugin.sent import Answered, Reply, SentRule
from plugin.settings import Settings
from rules.facts import Fact
from tests.plugin.advising import TODAY, decided, fact, lesion, pack
from tests.plugin.test_advice_laws import HOOKS, patients
from tests.plugin.test_sent import sent

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


def remnant(percent: int) -> Decision:
    return decided(
        confirmed(),
        fact("site_context", here="yes"),
        fact("flr_low", percent=percent, limit=30),
    )


def test_a_new_value_on_a_lesion_arms_the_message_again() -> None:
    one, other = remnant(24), remnant(27)
    assert "DA-14" in {finding.rule for finding in one.findings}
    assert digest("DA-14", one) == digest("DA-14", remnant(24))
    assert digest("DA-14", one) != digest("DA-14", other)


def test_another_urgency_arms_the_message_again() -> None:
    made = decided(confirmed())
    louder = tuple(
        replace(one, indicator="critical") if one.rule == "DA-09" else one for one in made.findings
    )
    assert digest("DA-09", replace(made, findings=louder)) != digest("DA-09", made)


def test_the_days_that_pass_are_no_news() -> None:
    made = decided(confirmed())

    def aged(days: int) -> Decision:
        return replace(
            made, findings=tuple(replace(one, says=({"day": TODAY, "age": days},)) for one in made.findings)
        )

    assert digest("DA-09", aged(80)) == digest("DA-09", aged(81))


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
    assert "DA-09" in dict(cards(replace(after, facts=(*after.facts, *old))))


def test_a_new_value_of_the_patient_arms_the_message_again() -> None:
    def told(value: int) -> Decision:
        return decided(
            fact("patient_status", value="ALL_DISAPPEARED"),
            fact("marker_series", newest=value, newestDay=TODAY, newestUln=5),
        )

    assert digest("DC-04", told(14)) != digest("DC-04", told(20))
    assert digest("DC-04", told(14)) == digest("DC-04", told(14))


def test_an_answered_card_is_hidden_with_a_line_in_the_response() -> None:
    made = answered(decided(confirmed(), lesion("L2", "REAPPEARED")), "DA-09")
    assert cards(made) == [("DA-17", "warning")]
    assert "Answered before, unchanged since: Not seen on hepatobiliary MRI" in response(made).detail
    assert f"(DA-09, Decided by the MDT, {TODAY})" in response(made).detail


def test_all_answered_leaves_its_line_when_the_chart_is_opened_and_nothing_beside_an_order() -> None:
    made = answered(decided(confirmed()), "DA-09")
    (only,) = advise(made, "patient-view", settings=Settings())
    assert (only.family, only.indicator) == ("F12", "info")
    assert "Answered before, unchanged since" in only.detail
    assert "DA-09" in only.detail.splitlines()[-1]
    assert advise(made, "order-sign", settings=Settings()) == ()


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


# ----------------------------------------------------------------------- what is not known to be unchanged is said again
def test_a_decisive_gap_holds_nothing_back() -> None:
    made = answered(decided(confirmed()), "DA-09")
    gap = Gap(resource="Observation", reason=GapReason.TIMEOUT, detail="", decisive=True, query="imaging")
    assert cards(made) == []
    assert cards(replace(made, gaps=(gap,))) == [("DA-09", "warning")]
    assert cards(replace(made, gaps=(replace(gap, decisive=False),))) == []


def test_a_withheld_finding_holds_nothing_back() -> None:
    made = answered(decided(confirmed()), "DA-09")
    withheld = replace(made, evaluation=replace(made.evaluation, refused=("DA-02",)))
    assert ("DA-09", "warning") in cards(withheld)


def test_what_held_a_message_back_can_be_seen() -> None:
    made = answered(decided(confirmed()), "DA-09")
    assert [
        (one.shown, one.hidden_by) for one in shown(made, "order-sign") if one.finding.rule == "DA-09"
    ] == [("row", "answer")]


# ------------------------------------------------------------------------------------------------ from what was stored
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
RULES = (SentRule(rule="DA-09", digest="d09"), SentRule(rule="DA-12", digest="d12"))


def stored(minute: int = 0, **more: Any) -> Answered:
    names = ("rules", "card", "indicator")
    told = {"rules": RULES, **{name: more.pop(name) for name in names if name in more}}
    began = datetime(2026, 10, 9, 22, 30, tzinfo=UTC)
    told["made"] = began + timedelta(minutes=more.pop("made", 0) - 1)
    values = {"outcome": "overridden", "reason_code": "mdt-decision", **more}
    at = began + timedelta(minutes=minute)
    return Answered(sent=sent(**told), reply=Reply(at=at, **values))


def facts(*given: Answered) -> list[dict[str, Any]]:
    return [dict(one.values) for one in answers(given, pack(), AMSTERDAM)]


def test_an_answer_becomes_a_fact_of_the_day_at_the_site() -> None:
    one = stored()
    assert facts(one) == [
        {
            "id": one.sent.card,
            "rule": "DA-09",
            "digest": "d09",
            "outcome": "overridden",
            "reason": "mdt-decision",
            "day": date(2026, 10, 10),
        }
    ], "DA-12 is a line and is never held back"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({}, "mdt-decision"),
        ({"reason_code": "elsewhere"}, "other"),
        ({"reason_system": "urn:foreign"}, "other"),
        ({"reason_code": None, "reason_display": "Name of a person"}, "other"),
        ({"reason_code": None, "commented": True}, "words"),
        ({"outcome": "accepted", "accepted": ("s1",)}, "accepted"),
    ],
)
def test_a_reason_is_ours_or_its_kind(reply: dict[str, Any], reason: str) -> None:
    assert [one["reason"] for one in facts(stored(**reply))] == [reason]


@pytest.mark.parametrize(
    "told",
    [
        {"reason_code": None},
        {"outcome": "accepted", "accepted": ("not-of-this-card",)},
        {"outcome": "accepted"},
        {"rules": (SentRule(rule="DA-04", digest="d04"), SentRule(rule="DA-02", digest="d02"))},
        {"rules": (SentRule(rule="HN-03", digest="d03"), SentRule(rule="DA-01", digest="d01"))},
        {"rules": (SentRule(rule="DA-09"),)},
        {"rules": ()},
    ],
    ids=["no reason", "foreign", "nothing accepted", "theatre", "undecided", "no digest", "no rule"],
)
def test_what_does_not_count(told: dict[str, Any]) -> None:
    assert facts(stored(**told)) == []


def test_answers_to_cards_that_were_open_together_are_one() -> None:
    """Both readers saw the message before it was answered at all: it has not come back yet."""
    assert [one["digest"] for one in facts(stored(1), stored(2))] == ["d09"]
    assert len(facts(stored(1), stored(2, made=9, indicator="critical"))) == 1, "not as what comes back"
    back = stored(2, made=9, indicator="warning")
    assert [one["id"] for one in facts(stored(1), back)][-1] == back.sent.card
    assert len(facts(stored(1), back)) == 2
    assert len(facts(stored(1), stored(2), back)) == 2
    assert len(facts(stored(9), stored(2, made=9, indicator="warning"))) == 2, "whatever clock they have"


def test_at_most_two_answers_to_one_message_and_so_many_messages() -> None:
    same = [stored(0), *(stored(minute, made=minute, indicator="warning") for minute in range(1, 5))]
    assert [one["id"] for one in facts(*same)] == [same[3].sent.card, same[4].sent.card]
    many = [stored(at, rules=(SentRule(rule="DA-09", digest=f"d{at}"),)) for at in range(MOST + 5)]
    assert [one["digest"] for one in facts(*many)] == [f"d{at}" for at in range(5, MOST + 5)]


def test_a_pack_without_the_table_remembers_nothing() -> None:
    bare = replace(pack(), tables={})
    assert answers([stored()], bare, AMSTERDAM) == ()


# ------------------------------------------------------------------------------------------------------------- the law
@hypothesis_settings(max_examples=60, deadline=None)
@given(patients(), st.sampled_from(HOOKS), st.integers(1, 3))
def test_answers_to_everything_take_back_only_what_may_step_back(
    told: tuple[Fact, ...], hook: str, times: int
) -> None:
    """Whoever answers every message of a patient still gets each card of a rule that is never held back."""
    made = decided(*told)
    given_ = tuple(
        fact("override", id=f"{rule}-{number}", rule=rule, digest=digest(rule, made), day=TODAY)
        for rule in {finding.rule for finding in made.findings}
        for number in range(times)
    )
    after = replace(made, facts=(*made.facts, *given_))
    held = {str(row["rule"]) for row in pack().tables["remembered"]}
    for one, other in zip(shown(made, hook), shown(after, hook), strict=True):
        if one.finding.rule not in held:
            assert (other.shown, other.finding) == (one.shown, one.finding) or other.shown == "card"
        elif one.shown == "card":
            again = hook != "patient-view" and one.finding.indicator == "critical" and times == 1
            assert other.shown == ("card" if again else "row")
            assert other.finding.indicator == ("warning" if again else one.finding.indicator)
    assert after.findings == made.findings
