"""The plots in a real browser: what is drawn is read from the canvas, pixel by pixel."""

from collections.abc import Callable
from typing import Any

from tests.cds_hooks.timeline_page.documents import cea, cell, document, fall, followed, grid, lesion, study
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]
SPIDER, CEA = "Change of each lesion from its baseline", "CEA with its reference limit"

# The columns of the canvas, in hundredths of its width, in which the first line's colour stands.
DRAWN = """canvas => {
  const {width, height} = canvas, copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  const pixels = copy.getImageData(0, 0, width, height).data, found = new Set();
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) {
    const at = 4 * (y * width + x);
    if (Math.abs(pixels[at] - 11) < 12 && Math.abs(pixels[at + 1] - 110) < 12 && Math.abs(pixels[at + 2] - 134) < 12) found.add(Math.floor(100 * x / width));
  }
  return [...found].sort((a, b) => a - b);
}"""


def figure(page: Any, title: str) -> Any:
    found = page.locator("figure", has=page.get_by_role("heading", name=title, exact=True))
    found.locator("canvas").first.wait_for()
    page.wait_for_function("document.querySelectorAll('.plot canvas').length > 0")
    return found


def drawn(page: Any, title: str) -> list[int]:
    canvas = figure(page, title).locator(".plot canvas")
    page.wait_for_function(f"canvas => ({DRAWN})(canvas).length > 0", arg=canvas.element_handle())
    found: list[int] = canvas.evaluate(DRAWN)
    return found


def table(page: Any, title: str) -> list[list[str]]:
    found = figure(page, title)
    found.locator("summary").click()
    rows = found.locator("tbody tr")
    return [rows.nth(n).locator("th, td").all_inner_texts() for n in range(rows.count())]


def gap(columns: list[int]) -> int:
    return max(b - a for a, b in zip(columns, columns[1:], strict=False))


def test_a_study_that_did_not_assess_the_lesion_leaves_a_gap(opened: Opened) -> None:
    whole = opened(Says(document=followed(["seen"] * 5, [30, 28, 26, 24, 20])))
    broken = opened(
        Says(document=followed(["seen", "seen", "not-assessed", "seen", "seen"], [30, 28, None, 24, 20]))
    )
    assert gap(drawn(whole, SPIDER)) <= 2
    assert gap(drawn(broken, SPIDER)) > 15
    assert ["L1", "CT", "2024-03-04", "not assessed", "no size", "", ""] in table(broken, SPIDER)


def test_a_lesion_that_is_not_seen_is_not_drawn_as_nothing(opened: Opened) -> None:
    seen = opened(Says(document=followed(["seen", "seen", "seen", "seen"], [30, 20, 18, 16])))
    gone = opened(
        Says(document=followed(["seen", "seen", "sought-not-seen", "sought-not-seen"], [30, 20, None, None]))
    )
    assert max(drawn(seen, SPIDER)) > 80
    # The line and the lesion's name end at its last size.
    assert max(drawn(gone, SPIDER)) < 65
    rows = table(gone, SPIDER)
    assert [row[3:6] for row in rows[2:]] == [["sought, not seen", "no size", ""]] * 2


def test_the_spider_says_what_recist_counts(opened: Opened) -> None:
    page = opened(Says(document=grid(3, 6)))
    caption = figure(page, SPIDER).locator("figcaption").inner_text()
    assert "at most 2 lesions of one organ" in caption
    assert "-30 %" in caption
    assert "+20 %" in caption
    assert "never as 0 mm" in caption


def test_the_waterfall_is_sorted_and_names_the_lesions_without_two_sizes(opened: Opened) -> None:
    made = grid(4, 3)
    made["waterfall"] = [fall(0, -40), fall(2, 25), fall(1, 0)]
    page = opened(Says(document=made))
    found = page.locator("figure", has=page.get_by_role("heading", name="Latest change of each lesion"))
    assert "missing here: L4." in found.locator("figcaption").inner_text()
    bars = found.locator("svg.waterfall rect")
    assert [bars.nth(n).get_attribute("class") for n in range(3)] == ["grown", "shrunk", "shrunk"]
    assert found.locator("svg text.value").all_text_contents() == ["25", "0", "-40"]


def test_cea_keeps_other_units_and_rejected_values_out_of_the_line(opened: Opened) -> None:
    values = [
        cea(0, 30),
        cea(1, 9, unit="ug/dL"),
        cea(2, None, rejected="no unit"),
        cea(3, 4, comparator="<"),
        cea(4, 6, limit=None),
    ]
    page = opened(Says(document=document([lesion(0, {})], [study(n) for n in range(5)], cea=values)))
    assert gap(drawn(page, CEA)) <= 2
    assert "in another unit" in figure(page, CEA).locator("figcaption").inner_text()
    rows = table(page, CEA)
    assert [row[1] for row in rows] == ["30 ng/mL", "9 ug/dL", "not recorded ng/mL", "< 4 ng/mL", "6 ng/mL"]
    assert rows[2][3] == "no unit"
    assert rows[4][2] == "not recorded"


def test_all_plots_share_one_axis_of_time(opened: Opened) -> None:
    made = followed(["seen"] * 3, [30, 20, 10])
    made["cea"] = [cea(0, 9), cea(2, 3)]
    page = opened(Says(document=made))
    spider, marker = drawn(page, SPIDER), drawn(page, CEA)
    assert abs(min(spider) - min(marker)) <= 1


def test_measures_stand_in_plots_of_their_own_unit(opened: Opened) -> None:
    def measure(kind: str, unit: str, on: int, value: float | None) -> dict[str, Any]:
        return {
            "kind": kind,
            "unit": unit,
            "study": "s",
            "day": study(on)["day"],
            "value": value,
            "sources": [],
        }

    given = [
        measure("adc", "um2/s", 0, 900),
        measure("adc", "um2/s", 1, 1200),
        measure("hu", "HU", 0, 60),
        measure("hu", "HU", 1, None),
    ]
    looks = [study(0), study(1)]
    made = document([lesion(0, {one["id"]: cell("seen", 9) for one in looks}, measures=given)], looks)
    page = opened(Says(document=made))
    assert [row[2] for row in table(page, "Apparent diffusion coefficient, um2/s")] == ["900", "1,200"]
    assert [row[2] for row in table(page, "Attenuation, HU")] == ["60", "not usable"]


def test_without_sizes_and_values_the_plots_say_so(opened: Opened) -> None:
    page = opened(Says(document=document([lesion(0, {})], [study(0)])))
    assert page.get_by_text("No lesion has two sizes on one modality.").is_visible()
    assert page.get_by_text("No CEA value is recorded.").is_visible()
