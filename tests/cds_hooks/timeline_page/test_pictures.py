"""The page of each sample patient looks as it did when it was last looked at.

The pictures beside this file were looked at by a person. `VESTIGE_PICTURES=write` takes them anew, to be looked at
again. They are compared as an eye from afar would: in grey and in blocks, so that the smoothing of letters changes
nothing, but a part that is gone or a row more does. Where text is drawn in another font they say nothing: skipped.
"""

import base64
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles import samples
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]
Documents = dict[str, dict[str, Any]]
PICTURES = Path(__file__).parent / "pictures"
TALLER = 0.02
"""How much of its height a page may gain or lose."""
BLOCK = 24.0
"""How much a block's mean grey may differ, of 255."""

WIDTHS = """() => {
  const brush = document.createElement("canvas").getContext("2d");
  return ["16px system-ui", "bold 16px system-ui", "16px sans-serif"].map((font) => {
    brush.font = font;
    return Math.round(brush.measureText("Lesion timeline 27 mm, segment VIII; not seen on MRI").width);
  });
}"""

# Both pictures on a grid of 20 blocks across: the greatest difference of a block's mean grey.
COMPARE = """async ([one, other]) => {
  const grid = async (data, rows) => {
    const image = new Image();
    image.src = "data:image/png;base64," + data;
    await image.decode();
    const canvas = document.createElement("canvas");
    const tall = rows ?? Math.max(1, Math.round(20 * image.height / image.width));
    [canvas.width, canvas.height] = [160, tall * 8];
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    brush.imageSmoothingQuality = "high";
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    const means = [];
    for (let row = 0; row < tall; row += 1) for (let column = 0; column < 20; column += 1) {
      const { data: pixels } = brush.getImageData(column * 8, row * 8, 8, 8);
      let sum = 0;
      for (let at = 0; at < pixels.length; at += 4) sum += (pixels[at] + pixels[at + 1] + pixels[at + 2]) / 3;
      means.push(sum / 64);
    }
    return { means, tall, height: image.height };
  };
  const first = await grid(one);
  const second = await grid(other, first.tall);
  const block = Math.max(...first.means.map((mean, at) => Math.abs(mean - second.means[at])));
  return { block, taller: Math.abs(first.height - second.height) / first.height };
}"""


def in_the_same_font(page: Any) -> None:
    """Skips where letters are wider or narrower than in the pictures."""
    file, drawn = PICTURES / "widths.json", page.evaluate(WIDTHS)
    if os.environ.get("VESTIGE_PICTURES") == "write":
        PICTURES.mkdir(exist_ok=True)
        file.write_text(json.dumps(drawn) + "\n")
    if drawn != json.loads(file.read_text()):
        pytest.skip(f"text is drawn in another font than in the pictures: {drawn}")


def taken(opened: Opened, document: dict[str, Any]) -> tuple[Any, bytes]:
    """The page and its picture, at half size."""
    page = opened(Says(document=document), device_scale_factor=0.5)
    page.evaluate("document.fonts.ready")
    picture: bytes = page.screenshot(full_page=True, animations="disabled", caret="hide")
    return page, picture


def difference(page: Any, one: bytes, other: bytes) -> dict[str, float]:
    blank = page.context.browser.new_page()
    try:
        found: dict[str, float] = blank.evaluate(
            COMPARE, [base64.b64encode(picture).decode() for picture in (one, other)]
        )
        return found
    finally:
        blank.close()


def same(found: dict[str, float]) -> bool:
    return found["block"] <= BLOCK and found["taller"] <= TALLER


@pytest.mark.parametrize("name", samples.names())
def test_the_page_of_a_sample_looks_as_it_was_looked_at(
    opened: Opened, sample_documents: Documents, name: str
) -> None:
    page, picture = taken(opened, sample_documents[name])
    in_the_same_font(page)
    file = PICTURES / f"{name}.png"
    if os.environ.get("VESTIGE_PICTURES") == "write":
        file.write_bytes(picture)
    found = difference(page, file.read_bytes(), picture)
    end = time.monotonic() + 60
    while not same(found) and time.monotonic() < end:  # a busy machine may not have drawn all of it yet
        time.sleep(1)
        found = difference(page, file.read_bytes(), page.screenshot(full_page=True, caret="hide"))
    assert same(found), found


def test_the_comparison_sees_what_a_person_would(opened: Opened, sample_documents: Documents) -> None:
    """Another patient, a row less, and a part that is gone are each seen."""
    names = samples.names()
    page, picture = taken(opened, sample_documents[names[1]])
    in_the_same_font(page)
    assert not same(difference(page, (PICTURES / f"{names[0]}.png").read_bytes(), picture))
    page.locator(".matrix tbody tr").last.evaluate("(row) => row.remove()")
    fewer: bytes = page.screenshot(full_page=True)
    page.locator(".card").first.evaluate("(card) => { card.style.visibility = 'hidden'; }")
    gone: bytes = page.screenshot(full_page=True)
    told = [difference(page, picture, one) for one in (picture, fewer, gone)]
    assert told[0] == {"block": 0, "taller": 0}
    assert told[1]["block"] > BLOCK
    assert told[2]["block"] > BLOCK
