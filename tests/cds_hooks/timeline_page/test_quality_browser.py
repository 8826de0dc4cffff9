"""Accessibility, languages, directions and weight of the page in a real browser."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.cds_hooks.timeline_page.documents import grid
from tests.cds_hooks.timeline_page.stub import STATIC, Says
from tests.cds_hooks.timeline_page.test_reading_browser import says, start

Opened = Callable[..., Any]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    assert found["passes"], "axe-core has looked at nothing"
    return [f"{one['id']}: {node['html'][:150]}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_on_the_page(opened: Opened, axe: str, width: int) -> None:
    page = opened(Says(document=grid(6, 5), selected=["BodyStructure/l1"]), width=width)
    for part in page.locator("details").all():
        part.evaluate("one => { one.open = true; }")
    assert violations(page, axe) == []


def test_axe_finds_nothing_in_a_lesion_the_form_and_the_sheet(opened: Opened, axe: str) -> None:
    page = opened(says())
    start(page)
    page.locator("fieldset.asked input[value=seen]").check()
    page.get_by_role("button", name="See what it changes").click()
    page.locator(".compared").wait_for()
    assert violations(page, axe) == []
    page.locator(".matrix tbody td.cell").first.click()
    page.get_by_text("No rule has said anything of this lesion.").wait_for()
    assert violations(page, axe) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Theatre sheet on one page").click()
    assert violations(page, axe) == []


def test_axe_finds_nothing_where_nothing_is_assessed(opened: Opened, axe: str) -> None:
    page = opened(Says(session_status=401))
    assert violations(page, axe) == []
    page.faults.clear()


def test_every_stop_of_the_tab_key_is_seen(opened: Opened) -> None:
    page = opened(Says(document=grid(3, 4)))
    page.evaluate("document.activeElement.blur()")
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate("""() => {
          const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
          return [at.tagName, at.textContent.slice(0, 20), style.outlineStyle !== "none" && box.width > 0];
        }""")
        if stop[0] == "BODY":
            break
        stops.append(stop)
    assert [stop for stop in stops if not stop[2]] == []
    assert len(stops) > 12
    assert any(stop[1].startswith("Start a reading") for stop in stops)


def test_at_twice_the_size_nothing_is_cut_off(opened: Opened) -> None:
    page = opened(Says(document=grid(6, 5)), width=640, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_from_right_to_left_the_first_column_stands_on_the_right(opened: Opened) -> None:
    page = opened(Says(document=grid(6, 12)))
    page.evaluate("document.documentElement.dir = 'rtl'")
    box, head = (
        page.locator(".matrix-box").bounding_box(),
        page.locator(".matrix tbody th").first.bounding_box(),
    )
    assert abs(head["x"] + head["width"] - box["x"] - box["width"]) < 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".matrix [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.cellIndex") == 1


def test_another_language_is_used_and_english_fills_its_gaps(opened: Opened) -> None:
    page = opened(Says(document={**grid(2, 3), "language": "de-AT"}))
    assert page.evaluate("document.documentElement.lang") == "de"
    assert page.get_by_role("heading", name="Leberkarte").is_visible()
    assert page.locator(".matrix td.sought-not-seen span").first.inner_text() == "gesucht, nicht gesehen"
    assert page.get_by_role("button", name="Theatre sheet on one page").is_visible()


def test_nothing_is_kept_in_the_browser_and_no_address_names_a_lesion(opened: Opened) -> None:
    says = Says(document=grid(3, 3))
    page = opened(says)
    page.locator(".matrix tbody td.cell").first.click()
    page.get_by_role("dialog").wait_for()
    kept = page.evaluate(
        "[localStorage.length, sessionStorage.length, document.cookie, JSON.stringify(history.state)]"
    )
    assert kept == [0, 0, "", "null"]
    assert page.url.endswith("/timeline/")
    assert not [address for address in says.addresses if "l0" in address or "p1" in address]


def test_the_page_is_light() -> None:
    sent = [path for path in STATIC.iterdir() if path.name != "page.LICENSES.txt"]
    assert {path.name for path in sent} == {"index.html", "page.js", "style.css", "icon.svg"}
    assert sum(len(gzip.compress(path.read_bytes())) for path in sent) < 300_000


def test_the_page_itself_holds_no_script_and_no_style() -> None:
    text = (STATIC / "index.html").read_text()
    assert "<style" not in text
    assert " style=" not in text
    assert text.count("<script") == 1
    assert 'src="static/page.js"></script>' in text
