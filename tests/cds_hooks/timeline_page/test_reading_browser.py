"""The reading room's form in a real browser, over a stub and over the whole service."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.cds_hooks.timeline_page.conftest import PATIENCE
from tests.cds_hooks.timeline_page.documents import grid, study
from tests.cds_hooks.timeline_page.site import SECONDS, demo_site
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]
BUNDLE = {"resourceType": "Bundle", "type": "transaction", "entry": []}


def form(**changes: Any) -> dict[str, Any]:
    def asked(number: int, **said: Any) -> dict[str, Any]:
        empty = {
            "segment": "VI",
            "lastSeen": None,
            "readable": True,
            "asked": False,
            "known": None,
            "state": "x",
        }
        return {"id": f"BodyStructure/l{number}", "label": f"L{number + 1}", **empty, **said}

    look = study(0)
    codes = [{"code": one, "display": one.title()} for one in ("adequate", "limited")]
    made = {
        "study": look["id"],
        "studies": [{"id": look["id"], "label": "CT", "day": look["day"], "modality": "CT", "asked": True}],
        "asks": [{"lesion": "BodyStructure/l0", "label": "L1", "what": "visibility", "text": "no statement"}],
        "examination": {
            "needed": True,
            "known": {
                "adequacy": "limited",
                "agent": None,
                "hbp": None,
                "dwi": None,
                "coverage": None,
                "sliceMm": 3,
            },
            "options": {"adequacy": codes, "agent": [], "coverage": []},
        },
        "lesions": [
            asked(0, asked=True),
            asked(1, known={"visibility": "seen", "mm": 9, "sources": []}),
            asked(2, readable=False),
        ],
    }
    return {**made, **changes}


def shown(**changes: Any) -> dict[str, Any]:
    one = {"lesion": "BodyStructure/l0", "label": "L1", "beforeText": "cannot decide", "afterText": "visible"}
    side: dict[str, Any] = {
        "lesions": [],
        "patientStatus": {},
        "cards": [{"indicator": "info", "summary": "Old"}],
    }
    after = {**side, "cards": []}
    return {"before": side, "after": after, "changes": [one], "bundle": BUNDLE, "problems": [], **changes}


def says(**changes: Any) -> Says:
    values = {
        "document": grid(3, 3),
        "form": form(),
        "preview": shown(),
        "stored": {"stored": False, "bundle": BUNDLE},
    }
    return Says(**{**values, **changes})


def start(page: Any) -> None:
    page.get_by_role("button", name="Start a reading").click()
    page.locator(".reading-form").wait_for()


def asked_of(said: Says, path: str) -> list[Any]:
    return [body for name, body in said.calls if name == path]


def test_the_form_asks_what_is_missing_and_knows_the_rest(opened: Opened) -> None:
    page = opened(says())
    start(page)
    assert page.locator(".asks li").all_inner_texts() == ["L1: no statement"]
    assert page.locator("fieldset.asked").get_attribute("data-lesion") == "BodyStructure/l0"
    assert page.locator("[data-lesion='BodyStructure/l1'] input[value=seen]").is_checked()
    assert page.locator("select[name=adequacy]").input_value() == "limited"
    assert page.get_by_text("Cannot be stated in a reading: L3.").is_visible()


def test_a_reading_by_keyboard_alone_sends_only_what_is_new(opened: Opened) -> None:
    said = says()
    page = opened(said)
    page.get_by_role("button", name="Start a reading").focus()
    page.keyboard.press("Enter")
    page.locator(".reading-form").wait_for()
    while not page.evaluate("document.activeElement.closest('fieldset.asked') !== null"):
        page.keyboard.press("Tab")
    page.keyboard.press("1")
    page.keyboard.press("Tab")
    page.keyboard.type("7,5")
    page.keyboard.press("Enter")
    page.locator(".compared").wait_for()
    sent = {
        "study": "ImagingStudy/s0",
        "lesions": [{"lesion": "BodyStructure/l0", "visibility": "seen", "mm": 7.5}],
    }
    assert asked_of(said, "reading/preview") == [sent]
    assert page.locator(".compared tbody tr").inner_text().split("\t") == ["L1", "cannot decide", "visible"]
    assert page.locator(".compared .scales").inner_text().split("\n\n") != []
    assert asked_of(said, "reading") == []


def test_what_is_taken_back_or_too_small_is_sent_so(opened: Opened) -> None:
    said = says()
    page = opened(said)
    start(page)
    first = page.locator("fieldset.asked")
    first.locator("input[value=seen]").check()
    first.get_by_label("too small to measure").check()
    page.locator("select[name=adequacy]").select_option("adequate")
    page.get_by_role("button", name="See what it changes").click()
    page.locator(".compared").wait_for()
    [sent] = asked_of(said, "reading/preview")
    assert sent["lesions"] == [{"lesion": "BodyStructure/l0", "visibility": "seen", "tooSmall": True}]
    assert sent["examination"] == {"adequacy": "adequate", "sliceMm": 3}


def test_only_what_is_seen_is_asked_for_a_size(opened: Opened) -> None:
    said = says()
    page = opened(said)
    start(page)
    first = page.locator("fieldset.asked")
    first.locator("input[value=seen]").check()
    first.get_by_label("Size (mm)").fill("12")
    first.locator("input[value=indeterminate]").check()
    assert not first.get_by_label("Size (mm)").is_visible()
    page.get_by_role("button", name="See what it changes").click()
    page.locator(".compared").wait_for()
    [sent] = asked_of(said, "reading/preview")
    assert sent["lesions"] == [{"lesion": "BodyStructure/l0", "visibility": "indeterminate"}]


def test_an_unusable_size_and_an_empty_reading_are_refused_before_they_are_sent(opened: Opened) -> None:
    said = says()
    page = opened(said)
    start(page)
    page.get_by_role("button", name="See what it changes").click()
    page.get_by_text("Say something about at least one lesion").wait_for()
    first = page.locator("fieldset.asked")
    first.locator("input[value=seen]").check()
    first.get_by_label("Size (mm)").fill("-4")
    page.get_by_role("button", name="See what it changes").click()
    page.get_by_text("L1: the size must be a number of millimetres above 0.").wait_for()
    assert asked_of(said, "reading/preview") == []


def test_a_change_after_the_preview_must_be_previewed_again(opened: Opened) -> None:
    page = opened(says())
    start(page)
    page.locator("fieldset.asked input[value=seen]").check()
    page.get_by_role("button", name="See what it changes").click()
    page.locator(".store").wait_for()
    page.locator("fieldset.asked input[value=not-assessed]").check()
    page.get_by_text("preview again before storing").wait_for()
    assert page.locator(".store").count() == 0


def test_without_the_right_to_write_the_reading_is_downloaded(opened: Opened) -> None:
    page = opened(says())
    start(page)
    assert page.get_by_text("The record cannot be written from here").is_visible()
    page.locator("fieldset.asked input[value=sought-not-seen]").check()
    page.get_by_role("button", name="See what it changes").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download as FHIR Bundle").click()
    assert saved.value.suggested_filename == "reading.json"
    assert json.loads(Path(saved.value.path()).read_text()) == BUNDLE
    assert page.get_by_text("nothing was written to the record").is_visible()


def test_problems_leave_nothing_to_store(opened: Opened) -> None:
    page = opened(says(preview=shown(problems=["L1 was resected before this study."])))
    start(page)
    page.locator("fieldset.asked input[value=seen]").check()
    page.get_by_role("button", name="See what it changes").click()
    page.get_by_text("L1 was resected before this study.").wait_for()
    assert page.locator(".store").count() == 0


def test_a_reading_through_the_whole_service(browser: Any, tmp_path: Path) -> None:
    """From the demo EHR: form, preview, permission to write, store, and the record read again."""
    with demo_site(tmp_path, "report-silent") as site:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        launched = requests.post(f"{site.ehr}/launch/vestige-5-patient", timeout=SECONDS).json()["url"]
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(launched)
        page.get_by_text("Cannot decide on L3.").wait_for()
        start(page)
        page.locator("fieldset.asked input[value=sought-not-seen]").check()
        page.get_by_role("button", name="See what it changes").click()
        assert "L3\tcannot decide\tnot seen on adequate MRI" in page.locator(".compared table").inner_text()
        page.get_by_role("button", name="Store in the record").click()
        page.get_by_role("link", name="Give the permission to write").click()
        page.locator(".pending .store").click()
        page.get_by_text("Stored: 2 resources.").wait_for()
        page.get_by_role("button", name="Read the record again").click()
        page.get_by_text("Cannot decide on L3.").wait_for(state="detached")
        row = page.locator(".matrix tr[data-lesion$=l3]")
        row.wait_for()
        assert "not seen on adequate MRI" in row.inner_text()
        assert not [one for one in addresses if "vestige-5" in one and not one.startswith(site.ehr)]
        assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
        page.close()
