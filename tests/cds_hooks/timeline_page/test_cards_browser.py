"""The cards of the page in a real browser: both sides of the evidence, what is missing, what was used."""

from collections.abc import Callable
from typing import Any

from tests.cds_hooks.timeline_page.documents import HOSTILE, card, document, grid, hostile, lesion, study
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]


def test_a_card_shows_both_sides_and_what_is_missing(opened: Opened) -> None:
    page = opened(Says(document=grid(2, 3)))
    found = page.get_by_role("article", name="Look again before watching")
    assert "Critical" in found.locator(".indicator").inner_text()
    sides = found.locator(".scales section")
    assert "Half of them come back" in sides.nth(0).inner_text()
    assert "none found" in sides.nth(1).inner_text()
    assert found.get_by_text("L1: a statement. Radiology can add it.").is_visible()
    assert found.get_by_text("Order MRI (recommended)").is_visible()


def test_parameters_tell_what_the_site_has_set(opened: Opened) -> None:
    page = opened(Says(document=grid(1, 2)))
    page.locator("summary", has_text="Parameters used").click()
    row = page.locator(".card tbody tr").last
    assert row.locator("th, td").all_inner_texts() == [
        "an MRI may be awaited",
        "28 d",
        "this site",
        "site setting",
    ]


def test_a_card_that_weighs_nothing_shows_its_text(opened: Opened) -> None:
    made = document([lesion(0, {})], [study(0)], cards=[card(weighed=False, evidenceFor=[])])
    page = opened(Says(document=made))
    assert page.locator(".card .scales").count() == 0
    assert page.locator(".card .detail table").first.is_visible()


def test_undecided_is_said_before_anything_else(opened: Opened) -> None:
    page = opened(Says(document=document([lesion(0, {})], [study(0)], undecided=True)))
    assert "This is not an all-clear" in page.get_by_role("alert").inner_text()
    assert page.locator(".patient-status").count() == 0


def test_refused_rules_alarms_and_decisive_gaps_are_loud(opened: Opened) -> None:
    gap = {
        "resource": "Observation",
        "reason": "timeout",
        "reasonText": "no answer",
        "detail": "page 2",
        "decisive": True,
    }
    pack = {
        "id": "crlm",
        "version": "1",
        "revision": "a",
        "engines": [],
        "refused": ["DA-10"],
        "alarms": [{"kind": "k", "message": "the engines differ"}],
    }
    page = opened(Says(document=document([lesion(0, {})], [study(0)], gaps=[gap], rulePack=pack)))
    told = page.locator(".patient .failure").all_inner_texts()
    assert len(told) == 3
    assert "DA-10" in told[0]
    assert "the engines differ" in told[1]
    assert "Observation: no answer: page 2" in told[2]


def test_markup_of_the_record_stays_text(opened: Opened) -> None:
    why = {
        "lesion": "l",
        "label": HOSTILE,
        "status": HOSTILE,
        "chains": [{"said": HOSTILE, "because": [{"said": HOSTILE}]}],
    }
    page = opened(Says(document=hostile(), why={"BodyStructure/l0": why}))
    assert page.locator("h1").inner_text() == HOSTILE
    for part in page.locator("details").all():
        part.evaluate("one => { one.open = true; }")
    page.locator(".matrix tbody td.cell").first.click()
    page.get_by_role("dialog").locator(".chain").first.wait_for()
    assert page.locator("img:not([src^='static/'])").count() == 0
    assert page.locator("main script, dialog script").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.get_by_role("link", name="good", include_hidden=True).count() == 1
    assert page.title() == "Lesion timeline"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
