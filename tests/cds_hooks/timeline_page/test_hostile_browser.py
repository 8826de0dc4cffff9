"""A patient whose record carries markup, through reading, deciding and telling to the page."""

import copy
import json
from collections.abc import Callable
from typing import Any

import msgspec

from cds_hooks.rulebook import evaluator_here
from cds_hooks.timeline_page.fixtures import page_document
from fhir_profiles import samples
from plugin.settings import Settings
from tests.cds_hooks.timeline_page.documents import HOSTILE
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]


def marked(sample: samples.Sample) -> samples.Sample:
    """Returns the sample with markup in its name, its lesions' labels, its studies' and its reports' texts."""
    bundle = copy.deepcopy(sample.bundle)
    for entry in bundle["entry"]:
        one = entry["resource"]
        if one["resourceType"] == "Patient":
            one["name"] = [{"text": HOSTILE}]
        for name in ("description", "conclusion"):
            if name in one:
                one[name] += HOSTILE
        for identifier in one.get("identifier", []) if one["resourceType"] == "BodyStructure" else []:
            identifier["value"] += HOSTILE
    return msgspec.structs.replace(sample, bundle=bundle)


def test_markup_in_the_record_reaches_the_page_as_text(opened: Opened) -> None:
    settings = Settings()
    rules = msgspec.structs.replace(settings.rules, engine="reference")
    settings = msgspec.structs.replace(settings, rules=rules)
    with evaluator_here(settings, timeout=60.0) as evaluator:
        made = page_document(marked(samples.sample("ct-only-watch-and-wait")), evaluator, settings)
    document = json.loads(msgspec.json.encode(made))
    page = opened(Says(document=document))
    assert page.locator("h1").inner_text() == HOSTILE
    assert any("<img" in lesion["label"] for lesion in document["lesions"])
    for part in page.locator("details").all():
        part.evaluate("one => { one.open = true; }")
    page.locator(".matrix tbody td.cell").first.click()
    page.get_by_role("dialog").wait_for()
    assert page.locator("img:not([src^='static/'])").count() == 0
    assert page.locator("main script, dialog script").count() == 0
    assert page.title() == "Lesion timeline"
