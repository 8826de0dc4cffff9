"""Makes the pictures of the README: `.venv/bin/python -m scripts.screenshots`.

Needs the development requirements and a Chromium that is already installed.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PORT, EHR_PORT, TODAY = 8070, 8071, "2026-11-21"


def main() -> None:
    """Writes docs/images/demo.png and docs/images/card.png."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("screenshots: needs Chromium (Debian: apt-get install chromium)")
    vestige = Path(sys.executable).with_name("vestige")
    command = [str(vestige), "demo", "--port", str(PORT), "--ehr-port", str(EHR_PORT), "--today", TODAY]
    demo = subprocess.Popen(command)  # noqa: S603
    try:
        wait(f"http://127.0.0.1:{EHR_PORT}/")
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
        browser.close()


if __name__ == "__main__":
    main()
