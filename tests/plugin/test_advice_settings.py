"""What a card says of the numbers it rests on: those of its rules, and every one that the site has set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.advice import advise
from plugin.decision import Advice
from plugin.settings import Settings
from rules.evaluation import Evaluation
from rules.language import load_pack
from tests.plugin.advising import decided, lesion

WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion"}
THICK = load_pack(parameters={"max_slice": 20})


def cards(site: bool, *facts: object, hook: str = "order-sign") -> tuple[Advice, ...]:
    made = decided(*facts)  # type: ignore[arg-type]
    return advise(replace(made, pack=THICK) if site else made, hook, settings=Settings())


FAMILIES = [
    ((lesion("L1", "CONFIRMED_DLM", **WATCHED),), "order-sign"),
    ((lesion("L1", "APPARENT_DLM", **{"class": "CT"}, **WATCHED),), "order-sign"),
    ((lesion("L1", "CANNOT_DECIDE", reason="quality"),), "patient-view"),
]


@pytest.mark.parametrize(("facts", "hook"), FAMILIES)
def test_what_a_site_has_set_is_on_every_card(facts: tuple[object, ...], hook: str) -> None:
    """A thicker slice that counts as adequate makes a lesion CONFIRMED; no rule of the card names it."""
    plain, set_ = cards(False, *facts, hook=hook), cards(True, *facts, hook=hook)
    assert plain
    assert all("slices of an adequate MRI" not in one.detail for one in plain)
    assert all("slices of an adequate MRI up to 20 mm (set by this site)" in one.detail for one in set_)


def test_a_default_is_not_called_a_setting_of_the_site() -> None:
    (card,) = [one for one in cards(False, *FAMILIES[0][0]) if "DA-09" in one.rules]
    assert "(default)" in card.detail
    assert "set by this site" not in card.detail


def test_a_withheld_rule_says_it_too() -> None:
    made = decided(lesion("L1", "CONFIRMED_DLM", **WATCHED))
    known = made.evaluation
    withheld = Evaluation(known.revision, known.findings, known.facts, ("DA-09",), (), ("reference",))
    told = advise(replace(made, pack=THICK, evaluation=withheld), "order-sign", settings=Settings())
    (card,) = [one for one in told if one.topic == "F7REFUSED"]
    assert "20 mm (set by this site)" in card.detail
