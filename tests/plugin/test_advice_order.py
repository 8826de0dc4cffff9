"""The order of cards, folding, and that a critical card is never folded."""

from __future__ import annotations

import random

import msgspec
import pytest

from plugin.advice import advise
from plugin.advice.families import FAMILIES, RULES
from plugin.settings import Cards, Settings
from rules.finding import Finding
from tests.plugin.advising import finding, lesion, with_findings

LESIONS = (
    lesion("L1", "VISIBLE") + lesion("L2", "APPARENT_DLM") + lesion("L10", "CANNOT_DECIDE", reason="quality")
)


def told(*findings: Finding, most: int = 20) -> list[tuple[str, str]]:
    settings = msgspec.structs.replace(Settings(), cards=Cards(max_cards=most))
    cards = advise(with_findings(*findings, facts=LESIONS), "order-sign", settings=settings)
    return [(card.family, card.indicator) for card in cards]


def test_indicator_before_family_before_rule() -> None:
    spread = [
        finding("DA-15", None, indicator="info"),
        finding("DC-03", "L1"),
        finding("DA-02", "L1"),
        finding("DA-10", "L2", indicator="critical"),
        finding("DQ-09", None),
        finding("DC-04", None),
        finding("HN-03", "L10"),
    ]
    random.Random(4).shuffle(spread)
    assert told(*[one for one in spread if one.rule not in ("DA-15", "DC-03")]) == [
        ("F3", "critical"),
        ("F2", "warning"),
        ("F7", "warning"),
        ("F8", "warning"),
        ("F11", "warning"),
    ]


def test_a_critical_contradiction_comes_before_the_search() -> None:
    contradiction = finding("DQ-11", "L10", indicator="critical", display="card")
    assert told(finding("DA-10", "L2", indicator="critical"), contradiction) == [
        ("F7", "critical"),
        ("F3", "critical"),
    ]


def test_every_family_has_its_place_and_its_rules() -> None:
    assert sorted(FAMILIES) == sorted(RULES)
    listed = [rule for rules in RULES.values() for rule in rules]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_findings_does_not_matter(seed: int) -> None:
    findings = [
        finding("DA-10", "L2"),
        finding("DA-02", "L1"),
        finding("HN-03", "L10"),
        finding("DC-04", None),
        finding("DQ-09", None),
        finding("DC-05", None),
    ]
    wanted = advise(with_findings(*findings, facts=LESIONS), "order-sign", settings=Settings())
    random.Random(seed).shuffle(findings)
    assert advise(with_findings(*findings, facts=LESIONS), "order-sign", settings=Settings()) == wanted


MANY = (
    finding("DA-02", "L1"),
    finding("DA-10", "L2"),
    finding("HN-03", "L10"),
    finding("DC-04", None),
    finding("DC-06", None),
    finding("DQ-09", None),
)


def test_surplus_cards_become_titles_in_the_last() -> None:
    cards = advise(with_findings(*MANY, facts=LESIONS), "order-sign", settings=Settings())
    assert len(cards) == 4
    assert "Also found" in cards[-1].detail
    assert "Size says progression" in cards[-1].detail
    assert "Last CT or MRI of the liver" in cards[-1].detail
    assert all("Also found" not in card.detail for card in cards[:-1])


def test_critical_cards_are_never_folded() -> None:
    urgent = [finding("DA-04", "L1", indicator="critical"), finding("DA-10", "L2", indicator="critical")]
    assert told(*urgent, most=1) == [("F1", "critical"), ("F3", "critical")]


def test_the_summary_names_the_lesions_of_the_highest_indicator_only() -> None:
    made = with_findings(
        finding("DA-10", "L2", indicator="critical", case="operation-cancelled"),
        finding("DA-10", "L1", indicator="warning", case="watched"),
        facts=LESIONS,
    )
    (card,) = advise(made, "order-sign", settings=Settings())
    assert "L2" in card.summary
    assert "L1" not in card.summary
    assert card.indicator == "critical"
    assert "| L1 |" in card.detail


def test_the_response_card_comes_last_and_only_beside_others() -> None:
    response = finding("RC-02", None, indicator="info", case="stable", says=({"category": "SD"},))
    alone = advise(with_findings(response), "patient-view", settings=Settings())
    asked = advise(
        with_findings(response),
        "patient-view",
        settings=msgspec.structs.replace(Settings(), cards=Cards(response_summary=True)),
    )
    beside = advise(with_findings(response, finding("DC-04", None)), "patient-view", settings=Settings())
    elsewhere = advise(with_findings(response, finding("DC-04", None)), "order-sign", settings=Settings())
    assert alone == ()
    assert [card.family for card in asked] == ["F12"]
    assert [card.family for card in beside] == ["F8", "F12"]
    assert [card.family for card in elsewhere] == ["F8"]


def test_lesions_are_in_natural_order_and_three_are_named() -> None:
    names = ("L10", "L2", "L1", "L33", "L4")
    facts = tuple(one for name in names for one in lesion(name, "APPARENT_DLM"))
    made = with_findings(*[finding("DA-01", name) for name in names], facts=facts)
    (card,) = advise(made, "order-sign", settings=Settings())
    assert "L1, L2, L4 +2" in card.summary
