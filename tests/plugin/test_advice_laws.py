"""Laws of advice over random patients: nothing falls between two chairs, and more doubt never means less advice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plugin.advice import advise, shown
from plugin.advice.markdown import units
from plugin.advice.placing import speaks
from plugin.decision import Decision
from plugin.settings import Settings
from rules.facts import Fact
from tests.plugin.advising import TODAY, decided, fact, lesion, patient

HOOKS = ("patient-view", "order-select", "order-sign", "appointment-book", "encounter-start")
VISIBLE = ("VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED")
GONE = ("APPARENT_DLM", "CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS")
URGENCY = {"critical": 0, "warning": 1, "info": 2}
NEAR = st.integers(-120, 120).map(lambda days: TODAY + timedelta(days=days))
PAST = st.integers(-120, 0).map(lambda days: TODAY + timedelta(days=days))
YES = st.sampled_from(["yes", "no", "unknown"])


def some(**properties: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Properties, each of which may be left out."""
    return st.fixed_dictionaries({}, optional=properties)


LESION = st.builds(
    lambda status, reason, values: (status, reason, values),
    st.sampled_from([*VISIBLE, *GONE, "TREATED", "CANNOT_DECIDE"]),
    st.sampled_from(
        ["not-reported", "quality", "identity", "baseline-missing", "contradiction", "incomplete-record"]
    ),
    some(
        disposition=st.sampled_from(["resect", "watch-and-wait", "left-in-situ", "undecided"]),
        dispositionReason=st.sampled_from(["disappeared", "patient-declines", "unfit"]),
        dispositionLevel=st.sampled_from(["lesion", "patient"]),
        dispositionDay=PAST,
        depthMm=st.sampled_from([5, 10, 42]),
        extraResection=st.sampled_from(["wedge", "segmentectomy"]),
        marker=YES,
        inPlannedSpecimen=YES,
        inPlannedSpecimenBefore=YES,
        nature=st.sampled_from(["metastasis", "benign"]),
        asOf=PAST,
        preopMri=YES,
        seenIntraop=YES,
        class_=st.sampled_from(["CT", "MRI", "PET", "IOUS", "CEIOUS"]),
    ),
)
PLAN = some(hepatic=YES, opDay=NEAR, opInProgress=YES, ious=YES, cancelledDay=PAST, hbMri=st.sampled_from(["ordered", "booked"]), hbMriDay=NEAR)  # fmt: skip
PATIENT = some(
    ecog=st.sampled_from([1, 3]),
    ecogDay=PAST,
    extrahepatic=st.sampled_from(["none", "progression-definite", "progression-indeterminate"]),
    extrahepaticDay=PAST,
    flrPercent=st.sampled_from([22, 45]),
    mdtLast=PAST,
    transplantPathway=YES,
    mriContra=st.sampled_from(["none-known", "device"]),
)
THERAPY = some(known=st.just("yes"), ici=YES, cycles=st.integers(0, 9), nextOrdered=YES, lastDose=PAST)
STATE = st.sampled_from(["ALL_DISAPPEARED", "SOME_DISAPPEARED", "NONE_DISAPPEARED", "UNDETERMINED"])


@st.composite
def patients(draw: st.DrawFn) -> tuple[Fact, ...]:
    facts: list[Fact] = [
        patient(**draw(PATIENT)),
        fact("plan", **draw(PLAN)),
        fact("therapy", **draw(THERAPY)),
        fact("patient_status", value=draw(STATE)),
    ]
    for place, (status, reason, values) in enumerate(draw(st.lists(LESION, min_size=1, max_size=4))):
        reason = reason if status == "CANNOT_DECIDE" else "none"
        facts += lesion(f"L{place + 1}", status, reason=reason, **values)
    if draw(st.booleans()):
        facts.append(fact("exam", id="U", day=draw(PAST), unmatched=0, **{"class": "IOUS"}))
    return tuple(facts)


def carried(made: Decision, hook: str) -> None:
    """Every message that is not a card gave way to one that is, on the same hook."""
    places = shown(made, hook)
    cards = {one.finding.rule for one in places if one.shown == "card"}
    by_rule = {one.finding.rule: one for one in places}
    for each in places:
        finding = each.finding
        if finding.display != "card" or not speaks(finding, hook) or each.shown == "card":
            continue
        actor, seen = each.hidden_by, set()
        while actor is not None and actor not in cards and actor not in seen:
            seen.add(actor)
            actor = by_rule[actor].hidden_by if actor in by_rule else None
        assert actor in cards, f"{finding.rule} on {finding.subject} gave way to nothing that is shown"


@given(patients())
@hypothesis_settings(max_examples=100)
def test_nothing_falls_between_two_chairs(facts: tuple[Fact, ...]) -> None:
    made = decided(*facts)
    assert made.evaluation.alarms == ()
    for hook in HOOKS:
        carried(made, hook)


@given(patients())
@hypothesis_settings(max_examples=60)
def test_cards_are_well_formed(facts: tuple[Fact, ...]) -> None:
    made = decided(*facts)
    for hook in HOOKS:
        found = advise(made, hook, settings=Settings())
        assert len([one for one in found if one.indicator != "critical" and one.family != "F12"]) <= 4
        assert len({one.family for one in found}) == len(found)
        for card in found:
            assert 0 < units(card.summary) < 140
            assert "{" not in card.summary + card.detail
            assert "None" not in card.summary + card.detail
            assert card.topic.isalnum()
        ranks = [URGENCY[one.indicator] for one in found if one.family != "F12"]
        assert ranks == sorted(ranks)


@given(patients())
@hypothesis_settings(max_examples=60)
def test_a_watched_visible_lesion_is_always_spoken_of(facts: tuple[Fact, ...]) -> None:
    """On every hook, in a card or a row of one: a visible lesion that is watched without a recorded reason."""
    made = decided(*facts)
    for status in (one.values for one in facts if one.kind == "status"):
        about = made.about("lesion", str(status["lesion"]))
        if (
            status["value"] in VISIBLE
            and about.get("disposition") == "watch-and-wait"
            and about.get("dispositionReason", "unknown") in ("unknown", "disappeared")
            and about.get("nature") != "benign"
        ):
            rules = {one.rule for one in made.findings if one.subject == status["lesion"]}
            assert rules & {"DA-02", "DA-04", "DA-18"}
            for hook in HOOKS:
                assert advise(made, hook, settings=Settings())


@given(patients())
@hypothesis_settings(max_examples=60)
def test_doubt_at_a_planned_operation_always_asks_for_the_search(facts: tuple[Fact, ...]) -> None:
    made = decided(*facts)
    if not made.fact("operation"):
        return
    plan = made.fact("plan")
    if "yes" in (plan.get("ious"), plan.get("ceious")):
        return
    for status in (one.values for one in facts if one.kind == "status"):
        about = made.about("lesion", str(status["lesion"]))
        if status["value"] in (*GONE, "CANNOT_DECIDE") and about.get("nature") != "benign":
            found = [one for one in made.findings if (one.rule, one.subject) == ("DA-03", status["lesion"])]
            assert found


def test_a_date_far_in_the_future_is_no_reason_to_be_silent() -> None:
    made = decided(
        lesion("L1", "APPARENT_DLM", **{"class": "CT"}),
        fact("plan", hbMri="booked", hbMriDay=date(2030, 1, 1)),
    )
    assert [one.rules[0] for one in advise(made, "order-sign", settings=Settings())] == ["DA-01"]
