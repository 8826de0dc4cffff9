"""The table of lesions by studies in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cds_hooks.timeline_page.documents import KINDS, cell, document, grid, lesion, study
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]
TEXTS = {
    "seen": "seen",
    "sought-not-seen": "sought, not seen",
    "indeterminate": "indeterminate",
    "not-assessed": "not assessed",
    "not-mentioned": "not mentioned",
    "not-read": "not read",
    "contradicted": "contradiction",
}


def test_each_kind_of_cell_has_a_shape_and_a_text_of_its_own(opened: Opened) -> None:
    looks = [study(n) for n in range(len(KINDS))]
    cells = {
        look["id"]: cell(kind, 12 if kind == "seen" else None)
        for look, kind in zip(looks, KINDS, strict=True)
    }
    page = opened(Says(document=document([lesion(0, cells)], looks)))
    found = page.locator(".matrix tbody td.cell")
    assert [one.split("\n")[0] for one in found.all_inner_texts()] == [TEXTS[kind] for kind in KINDS]
    shapes = [found.nth(n).locator("svg.mark").inner_html() for n in range(len(KINDS))]
    assert len(set(shapes)) == len(KINDS)
    assert "12 mm" in found.nth(0).inner_text()


def test_sizes_say_what_is_not_exact_and_what_is_too_small(opened: Opened) -> None:
    looks = [study(n) for n in range(3)]
    said = [cell("seen", 4, exact=False), cell("seen", None, tooSmall=True), cell("seen", None)]
    cells = {look["id"]: one for look, one in zip(looks, said, strict=True)}
    page = opened(Says(document=document([lesion(0, cells)], looks)))
    texts = [one.replace("\n", " ") for one in page.locator(".matrix tbody td.cell").all_inner_texts()]
    assert texts == ["seen about 4 mm", "seen too small to measure", "seen"]


def test_a_lesion_without_an_entry_for_a_study_is_not_mentioned_there(opened: Opened) -> None:
    page = opened(Says(document=document([lesion(0, {})], [study(0)])))
    assert page.locator(".matrix tbody td.cell").inner_text() == "not mentioned"


def test_treatments_stand_over_the_study_that_they_came_before(opened: Opened) -> None:
    def given(text: str, on: str, status: str = "done") -> dict[str, Any]:
        return {"kind": "cycle", "day": on, "dayLast": None, "text": text, "status": status, "draft": False}

    treatments = [
        given("first drug", "2024-01-10"),
        given("first drug", "2024-01-24"),
        given("operation", "2024-12-01", "planned"),
    ]
    page = opened(Says(document=document([lesion(0, {})], [study(0), study(1)], treatments=treatments)))
    band = [one.replace("\n", " ") for one in page.locator(".band td").all_inner_texts()]
    assert band[0] == ""
    assert "first drug, 2 times" in band[1]
    assert "2024-01-10 to 2024-01-24" in band[1]
    assert "operation" in band[2]
    assert "planned" in band[2]


def test_arrows_walk_the_table_and_enter_opens_the_lesion(opened: Opened) -> None:
    chain = {
        "chains": [
            {"said": "LS-01 says visible", "because": [{"said": "the fact", "resources": ["Observation/o1"]}]}
        ]
    }
    says = Says(
        document=grid(10, 6),
        why={"BodyStructure/l1": {"lesion": "BodyStructure/l1", "label": "L2", "status": "x", **chain}},
        resources={"Observation/o1": {"resourceType": "Observation", "id": "o1"}},
    )
    page = opened(says)
    page.locator(".matrix [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.locator(".matrix [tabindex='0']").count() == 1
    assert page.evaluate("document.activeElement.parentElement.dataset.lesion") == "BodyStructure/l1"
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="L2: apparent dlm")
    panel.get_by_text("LS-01 says visible").wait_for()
    panel.locator(".sightings summary").first.click()
    panel.get_by_role("button", name="Show Observation/o1").first.click()
    panel.locator("pre").wait_for()
    assert '"resourceType": "Observation"' in panel.locator("pre").inner_text()
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    assert page.evaluate("document.activeElement.parentElement.dataset.lesion") == "BodyStructure/l1"
    assert ("why", {"lesion": "BodyStructure/l1"}) in says.calls


def test_a_click_opens_the_lesion_and_leads_to_its_card(opened: Opened) -> None:
    made = grid(2, 3)
    advice = {"card": 0, "indicator": "critical", "family": "F3", "summary": "Look again", "rules": ["DA-10"]}
    made["lesions"][0]["openAdvice"] = [advice]
    page = opened(Says(document=made))
    assert "Critical" in page.locator(".matrix tbody td.advice").first.inner_text()
    page.locator(".matrix tbody td.cell").first.click()
    page.get_by_role("button", name="Go to the card").click()
    assert page.evaluate("document.activeElement.dataset.card") == "0"


def test_the_lesion_of_the_card_is_marked(opened: Opened) -> None:
    page = opened(Says(document=grid(4, 3), selected=["BodyStructure/l2"]))
    assert page.locator("tr.selected").get_attribute("data-lesion") == "BodyStructure/l2"
    assert page.get_by_text("Opened for L3.").is_visible()


@pytest.mark.parametrize("width", [360, 1280, 2560])
@pytest.mark.parametrize("size", [(10, 6), (20, 30)])
def test_the_page_never_scrolls_sideways_and_the_first_column_stays(
    opened: Opened, width: int, size: tuple[int, int]
) -> None:
    page = opened(Says(document=grid(*size)), width=width)
    assert page.locator(".matrix tbody td.cell").count() == size[0] * size[1]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".matrix-box").evaluate("box => box.scrollTo(box.scrollWidth, box.scrollHeight)")
    head, box = (
        page.locator(".matrix tbody th").last.bounding_box(),
        page.locator(".matrix-box").bounding_box(),
    )
    assert abs(head["x"] - box["x"]) < 3
    top = page.locator(".matrix thead").bounding_box()
    assert abs(top["y"] - box["y"]) < 3


def test_no_lesion_is_no_all_clear(opened: Opened) -> None:
    page = opened(Says(document=document([], [study(0)], patientStatus={"value": None, "certainty": None})))
    assert page.get_by_text("No lesion is recorded. This is no statement that there is none.").is_visible()
    assert page.get_by_text("That is not an all-clear").is_visible()
