"""The liver map and the theatre sheet in a real browser, and on paper."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.cds_hooks.timeline_page.documents import document, grid, lesion, study
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]
PLACES = ("I", "II", "III", "IVa", "IVb", "V", "VI", "VII", "VIII")


def centre(page: Any, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("segment", PLACES)
def test_each_lesion_stands_in_its_segment(opened: Opened, segment: str) -> None:
    made = document([lesion(0, {}, segment=segment, segments=[segment])], [study(0)])
    page = opened(Says(document=made))
    symbol = page.locator(".liver .lesion circle, .liver .lesion path, .liver .lesion rect").first
    symbol.scroll_into_view_if_needed()
    box = symbol.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    under = page.evaluate(
        "([x, y]) => document.elementsFromPoint(x, y).map(one => one.dataset.segment).find(Boolean)", [x, y]
    )
    assert under == segment


def test_the_segments_fill_the_outline_without_holes(opened: Opened) -> None:
    page = opened(Says(document=grid(1, 1)))
    page.locator(".liver").scroll_into_view_if_needed()
    holes = page.evaluate("""() => {
      const liver = document.querySelector(".liver"), outline = liver.querySelector(".outline"), made = [];
      for (let x = 0; x < 720; x += 9) for (let y = 0; y < 440; y += 9) {
        const at = new DOMPoint(x, y);
        if (!outline.isPointInFill(at)) continue;
        if (![...liver.querySelectorAll(".segment, .caudate")].some(one => one.isPointInFill(at) || one.isPointInStroke(at))) made.push([x, y]);
      }
      return made;
    }""")
    assert holes == []


def test_state_modality_marker_and_specimen_are_drawn(opened: Opened) -> None:
    gone = [
        {"modality": "CT", "latest": {"visibility": "sought-not-seen"}},
        {"modality": "MRI", "latest": {"visibility": "seen"}},
    ]
    lesions = [
        lesion(0, {}, status="APPARENT_DLM", landmarks=gone, marker=True, inPlannedSpecimen=True),
        lesion(1, {}, status="VISIBLE", landmarks=[], marker=None, inPlannedSpecimen=False),
        lesion(2, {}, status="CANNOT_DECIDE", landmarks=[], marker=False, inPlannedSpecimen=None),
        lesion(3, {}, status="TREATED", landmarks=[], marker=False, inPlannedSpecimen=None),
    ]
    page = opened(Says(document=document(lesions, [study(0)])))
    kinds = page.locator(".liver g.lesion")
    assert [kinds.nth(n).get_attribute("class") for n in range(4)] == [
        f"lesion {one}" for one in ("gone", "seen", "unclear", "treated")
    ]
    assert kinds.nth(0).locator(".modalities").text_content() == "CT"
    assert [kinds.nth(n).locator(".marker").count() for n in range(4)] == [1, 0, 0, 0]
    assert [kinds.nth(n).locator(".specimen").count() for n in range(4)] == [1, 0, 0, 0]
    rows = page.locator(".map-table tbody tr")
    assert rows.nth(0).locator("td").all_inner_texts()[2:] == ["MRI", "CT", "yes", "yes"]
    assert rows.nth(1).locator("td").all_inner_texts()[2:] == ["–", "–", "not recorded", "no"]


def test_a_lesion_without_a_known_segment_is_named_beside_the_map(opened: Opened) -> None:
    lesions = [lesion(0, {}, segment=None, segments=[]), lesion(1, {}, segment="left lobe", segments=[])]
    page = opened(Says(document=document(lesions, [study(0)])))
    assert page.locator(".liver g.lesion").count() == 0
    assert page.locator(".nowhere").inner_text() == "Segment not recorded: L1, L2"


@pytest.mark.parametrize("lesions", [3, 20])
def test_the_theatre_sheet_is_one_page(opened: Opened, lesions: int) -> None:
    page = opened(Says(document=grid(lesions, 5)))
    page.get_by_role("button", name="Theatre sheet on one page").click()
    assert page.locator("#matrix").is_hidden()
    assert page.locator("#map .theatre li").count() == lesions
    made = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", made)) == 1
    assert re.search(rb"/MediaBox\s*\[\s*0 0 59[45][.\d]* 84[12]", made)
    page.get_by_role("button", name="Back to the page").click()
    assert page.locator("#matrix").is_visible()


def test_the_whole_page_prints_every_part_but_the_form(opened: Opened) -> None:
    page = opened(Says(document=grid(4, 5)))
    page.emulate_media(media="print")
    assert page.locator("#matrix").is_visible()
    assert page.locator("#map").is_visible()
    assert page.locator("#reading").is_hidden()
    assert page.get_by_role("button", name="Close this session").is_hidden()
