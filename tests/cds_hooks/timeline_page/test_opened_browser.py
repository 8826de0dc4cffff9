"""The timeline opened from the demo EHR in a browser: from the chart, and from a card."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cds_hooks.timeline_page.conftest import PATIENCE
from tests.cds_hooks.timeline_page.site import Site, demo_site

PATIENT = "vestige-5-patient"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo_site(tmp_path_factory.mktemp("page"), "report-silent") as running:
        yield running


@pytest.fixture
def chart(browser: Any, site: Site) -> Iterator[Any]:
    """The demo EHR's page with the patient's chart open."""
    made = browser.new_context()
    made.set_default_timeout(PATIENCE)
    page = made.new_page()
    page.goto(f"{site.ehr}/#{PATIENT}")
    page.locator("#timeline button").wait_for()
    yield page
    made.close()


def test_the_chart_opens_the_timeline(site: Site, chart: Any) -> None:
    with chart.context.expect_page() as opening:
        chart.get_by_role("button", name="Lesion timeline").click()
    page = opening.value
    page.wait_for_selector(".part")
    assert page.url == f"{site.service}/timeline/"
    assert "Sample-Five" in page.inner_text("body")


def test_a_card_opens_the_timeline_at_its_lesions(site: Site, chart: Any) -> None:
    chart.get_by_role("button", name="Open chart").click()
    card = chart.locator("article.card").first
    card.wait_for()
    with chart.context.expect_page() as opening, chart.expect_request(f"{site.ehr}/launch/*") as asked:
        card.get_by_role("button", name="Lesion timeline").click()
    lesions = asked.value.post_data_json["lesions"]
    assert lesions
    page = opening.value
    page.wait_for_selector(".part")
    told = page.evaluate("fetch('session').then((answer) => answer.json())")
    assert told["selected"] == lesions
