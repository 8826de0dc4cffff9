"""Load times of the lesion timeline in Chromium: `python -m tests.bench.page_bench [--rounds N]`.

From the address to the drawn page, in a browser without a cache, over a stub that answers at once: 60 cells
(aim 1 s) and 20 lesions by 30 studies (aim 2 s), with the compressed weight of what is loaded.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import sys
from typing import Any

from tests.cds_hooks.serving import served
from tests.cds_hooks.timeline_page.documents import grid
from tests.cds_hooks.timeline_page.stub import STATIC, Says
from tests.require import find

SIZES = (("60 cells", 10, 6, 1.0), ("20 lesions by 30 studies", 20, 30, 2.0))
PATIENCE = 120_000
# Two frames after the last plot has its canvas, everything has been painted once.
DRAWN = """() => new Promise(done => {
  const plots = () => {
    const made = [...document.querySelectorAll(".plot")];
    if (made.length && made.every(one => one.querySelector("canvas"))) requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
    else requestAnimationFrame(plots);
  };
  plots();
})"""


def load(browser: Any, address: str) -> float:
    """Returns the seconds from the navigation's start until the page is drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/timeline/")
        page.wait_for_selector(".part")
        return float(page.evaluate(DRAWN)) / 1000
    finally:
        context.close()


def weight() -> int:
    """Returns the bytes of the page's files, each compressed."""
    loaded = (path for path in STATIC.iterdir() if path.suffix != ".txt")
    return sum(len(gzip.compress(path.read_bytes())) for path in loaded)


def main() -> int:
    """Prints a row for each size; returns 1 where there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    chromium = find("chromium")
    if chromium is None:
        print("page bench: needs Chromium (Debian: apt-get install chromium)", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    print(f"page: {weight() / 1000:.0f} kB compressed; load average {os.getloadavg()[0]:.1f}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        for name, lesions, studies, aim in SIZES:
            with served(Says(document=grid(lesions, studies)).app()) as address:
                load(browser, address)
                times = sorted(load(browser, address) for _ in range(rounds))
            print(
                f"  {name:26} median {statistics.median(times):.2f} s, longest {times[-1]:.2f} s (aim {aim:.0f} s)"
            )
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
