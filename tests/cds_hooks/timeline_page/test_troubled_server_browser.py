"""The page, signed in for real, over a FHIR server that is slow, fails, or breaks off: never an empty all-clear."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.cds_hooks.timeline_page.site import Site, demo_site

SAMPLE, PATIENT = "mri-visible-called-gone", "vestige-2-patient"
PATIENCE = 120_000


@dataclass
class Trouble:
    """Stands before the FHIR server: `kind` is what happens to requests for this type of resource."""

    app: ASGIApp
    kind: str = "none"
    resource: str = "Observation"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or self.kind == "none" or path != f"/fhir/{self.resource}":
            await self.app(scope, receive, send)
        elif self.kind == "fails":
            await Response(status_code=500)(scope, receive, send)
        elif self.kind == "html":
            await HTMLResponse("<html><body>Please sign in</body></html>")(scope, receive, send)
        elif self.kind == "cut":
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"900")]}
            )
            await send(
                {"type": "http.response.body", "body": b'{"resourceType":"Bundle"', "more_body": False}
            )
        else:
            await asyncio.sleep(600)


@pytest.fixture(scope="module")
def trouble() -> Trouble:
    return Trouble(app=_nothing)


async def _nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("the demo EHR was not put behind the trouble")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, trouble: Trouble) -> Iterator[Site]:
    def around(app: ASGIApp) -> ASGIApp:
        trouble.app = app
        return trouble

    with demo_site(tmp_path_factory.mktemp("troubled"), SAMPLE, around=around, budget=12) as running:
        yield running


def opened(browser: Any, site: Site) -> Any:
    """Returns the page after the sign-in at the demo EHR."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    launched = context.request.post(f"{site.ehr}/launch/{PATIENT}", data="")
    page.goto(launched.json()["url"])
    page.wait_for_selector(".part, .failure.whole")
    return page


def statuses(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".matrix td.status").all_inner_texts()]


def test_a_sound_server_shows_the_lesions(browser: Any, site: Site, trouble: Trouble) -> None:
    trouble.kind = "none"
    page = opened(browser, site)
    assert statuses(page)
    assert "cannot decide" not in statuses(page)
    page.context.close()


@pytest.mark.parametrize("kind", ["fails", "html", "cut"])
def test_observations_that_cannot_be_read_are_named_and_decide_nothing(
    browser: Any, site: Site, trouble: Trouble, kind: str
) -> None:
    trouble.kind = kind
    page = opened(browser, site)
    shown = page.locator("main").inner_text()
    assert all(text.startswith("cannot decide") for text in statuses(page))
    assert "Observation" in shown or "Not assessed" in shown
    assert set(page.locator(".matrix td.cell").all_inner_texts()) == {"not read"}
    assert "Nothing to draw: a part of the record could not be read." in shown
    assert "not mentioned" not in page.locator("#cards").inner_text()
    assert "No CEA value is recorded." not in shown
    assert "not recorded" not in page.locator("#map").inner_text()
    trouble.kind = "none"
    page.reload()
    page.wait_for_selector(".part")
    assert "cannot decide" not in statuses(page)
    page.context.close()


def test_a_server_that_hangs_is_given_up_and_said(browser: Any, site: Site, trouble: Trouble) -> None:
    trouble.kind = "hangs"
    page = opened(browser, site)
    assert all(text.startswith("cannot decide") for text in statuses(page))
    assert "in time" in page.locator("main").inner_text()
    trouble.kind = "none"
    page.context.close()
