"""Makes the pictures of the README: `.venv/bin/python -m scripts.screenshots`.

With a folder as argument it writes the timeline page of every sample patient there instead, wide and narrow,
with its theatre sheet as PDF, to be looked at. Needs the development requirements and an installed Chromium.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import requests
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PORT, EHR_PORT, TODAY = 8070, 8071, "2026-11-21"


def main() -> None:
    """Writes demo.png, card.png and timeline.png to docs/images, or pictures of every sample to a folder."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("screenshots: needs Chromium (Debian: apt-get install chromium)")
    vestige = Path(sys.executable).with_name("vestige")
    command = [str(vestige), "demo", "--port", str(PORT), "--ehr-port", str(EHR_PORT), "--today", TODAY]
    demo = subprocess.Popen(command)  # noqa: S603
    try:
        wait(f"http://127.0.0.1:{EHR_PORT}/")
        if len(sys.argv) > 1:
            shoot_samples(chromium, Path(sys.argv[1]))
        else:
            shoot(chromium)
    finally:
        demo.terminate()
        demo.wait(20)


def wait(address: str) -> None:
    """Returns when the address answers; gives up after a minute."""
    for _ in range(600):
        try:
            requests.get(address, timeout=2)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    sys.exit("screenshots: the demo did not start")


def shoot(chromium: str) -> None:
    """Opens the first patient, signs the order, and takes both pictures."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 800}, device_scale_factor=1)
        page.goto(f"http://127.0.0.1:{EHR_PORT}/")
        page.locator("#patients button").first.click()
        page.get_by_role("button", name="Sign order").click()
        page.wait_for_selector("article")
        page.screenshot(path=str(IMAGES / "demo.png"), full_page=True)
        page.locator("article").first.screenshot(path=str(IMAGES / "card.png"))
        open_timeline(page, patients()[0])
        page.screenshot(path=str(IMAGES / "timeline.png"))
        browser.close()


def shoot_samples(chromium: str, folder: Path) -> None:
    """Opens the timeline page of every sample patient and writes what it looks like."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for patient in patients():
            for width in (1280, 360):
                page = browser.new_page(viewport={"width": width, "height": 900})
                open_timeline(page, patient)
                page.screenshot(path=str(folder / f"{patient}-{width}.png"), full_page=True)
                if width > 1000:
                    page.get_by_role("button", name="Theatre sheet on one page").click()
                    page.pdf(path=str(folder / f"{patient}.pdf"), prefer_css_page_size=True)
                page.close()
        browser.close()


def patients() -> list[str]:
    """Returns the ids of the demo's patients, in its order."""
    told = requests.get(f"http://127.0.0.1:{EHR_PORT}/demo.json", timeout=60).json()
    return [patient["id"] for patient in told["patients"]]


def open_timeline(page: Page, patient: str) -> None:
    """Launches the timeline page of a patient and returns when its plots are drawn."""
    launched = requests.post(f"http://127.0.0.1:{EHR_PORT}/launch/{patient}", timeout=60).json()
    page.goto(launched["url"])
    page.wait_for_selector(".part")
    page.wait_for_function(
        "[...document.querySelectorAll('.plot')].every(one => one.querySelector('canvas'))"
    )


if __name__ == "__main__":
    main()
