"""A slow, failing or strange service in a real browser: "not assessed", never an empty all-clear."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cds_hooks.timeline_page.documents import grid
from tests.cds_hooks.timeline_page.stub import Says

Opened = Callable[..., Any]


@pytest.mark.parametrize("status", [412, 500, 502, 503])
def test_a_failing_server_is_shown_as_not_assessed(opened: Opened, status: int) -> None:
    says = Says(document=grid(2, 3), status=status)
    page = opened(says)
    alert = page.get_by_role("alert")
    assert "Not assessed" in alert.inner_text()
    assert "may be read as an all-clear" in alert.inner_text()
    assert "The FHIR server did not answer in time." in alert.inner_text()
    assert page.locator(".part").count() == 0
    says.status = 200
    page.get_by_role("button", name="Try again").click()
    page.locator(".part").first.wait_for()
    page.faults.clear()


def test_no_session_asks_to_open_the_page_from_the_chart(opened: Opened) -> None:
    page = opened(Says(session_status=401))
    assert "No patient is open" in page.get_by_role("alert").inner_text()
    page.faults.clear()


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"schema": 2}, {**grid(1, 1), "lesions": None}],
    ids=["null", "empty", "schema", "half"],
)
def test_an_answer_of_another_shape_is_not_assessed(opened: Opened, answer: Any) -> None:
    page = opened(Says(document=answer))
    assert "not a lesion timeline of schema 1" in page.get_by_role("alert").inner_text()
    assert page.locator(".part").count() == 0


def test_a_slow_server_is_waited_for_and_said_to_be_slow(opened: Opened) -> None:
    page = opened(Says(document=grid(2, 3), seconds=3), wait=False, clock=True)
    page.get_by_text("Reading the record…").wait_for()
    assert page.locator("main").get_attribute("aria-busy") == "true"
    page.clock.fast_forward(6_000)
    page.get_by_text("Nothing has been assessed yet.").wait_for()
    page.locator(".part").first.wait_for()
    assert page.locator("main").get_attribute("aria-busy") is None


def test_a_server_that_never_answers_is_given_up(opened: Opened) -> None:
    page = opened(Says(document=grid(2, 3), seconds=20), wait=False, clock=True)
    page.get_by_text("Reading the record…").wait_for()
    page.clock.fast_forward(91_000)
    page.get_by_text("There was no answer within 90 seconds.").wait_for()
    assert "Not assessed" in page.get_by_role("alert").inner_text()
    page.faults.clear()


def test_a_server_that_hangs_up_is_said_to_be_out_of_reach(opened: Opened) -> None:
    page = opened(Says(document=grid(2, 3)))
    page.route("**/timeline/session", lambda route: route.abort())
    page.reload()
    page.get_by_text("The service could not be reached.").wait_for()
    page.faults.clear()


def test_a_part_that_cannot_be_drawn_says_so_and_leaves_the_others(opened: Opened) -> None:
    broken = {**grid(2, 3), "recist": None}
    page = opened(Says(document=broken))
    told = page.locator("#plots [role=alert]")
    assert "could not be drawn; nothing in it may be taken as absent" in told.inner_text()
    assert page.locator("#matrix .matrix").is_visible()
    page.faults.clear()


def test_reasons_that_cannot_be_fetched_are_not_no_reasons(opened: Opened) -> None:
    says = Says(document=grid(2, 3))
    page = opened(says)
    says.status = 503
    page.locator(".matrix tbody td.cell").first.click()
    page.locator(".why .failure").wait_for()
    assert "did not answer in time" in page.locator(".why").inner_text()
    page.faults.clear()


def test_a_closed_session_leaves_nothing_of_the_patient(opened: Opened) -> None:
    says = Says(document=grid(2, 3))
    page = opened(says)
    page.get_by_role("button", name="Close this session").click()
    page.get_by_text("The session is closed.").wait_for()
    assert "Sample-Grid" not in page.locator("body").inner_text()
    assert says.calls[-1][0] == "logout"


def test_a_session_that_ends_takes_the_patient_off_the_screen(opened: Opened) -> None:
    page = opened(Says(document=grid(2, 3)), clock=True)
    page.locator(".matrix tbody td.cell").first.click()
    page.get_by_role("dialog").wait_for()
    page.clock.fast_forward(601_000)
    page.get_by_text("No patient is open").wait_for()
    assert "Sample-Grid" not in page.locator("body").inner_text()
    assert page.get_by_role("dialog").count() == 0
