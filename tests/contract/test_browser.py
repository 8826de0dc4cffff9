"""A browser as the CDS client: the demo EHR's page, at an origin of its own, calls a service that asks who calls.

The service is `vestige serve` in a process of its own with trust on. The page's EHR signs each call (ES384), the
browser asks for the right to call from another origin, the service reads the EHR's FHIR server with the token of the
call, and a person accepts one suggestion and overrides a card.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.page.ehr import create_ehr
from fhir_profiles import samples
from tests.cds_hooks.jwts import Client, elliptic, key_file
from tests.cds_hooks.serving import free_port, served
from tests.service import running

TODAY = date.today()
NAME = "ct-only-watch-and-wait"
WAIT = 60_000


class Site:
    """An EHR with its page, and a service that trusts it alone."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.client = client
        self.folder = folder
        self.port, self.ehr_port = free_port(), free_port()
        self.service = f"http://127.0.0.1:{self.port}"
        self.origin = f"http://127.0.0.1:{self.ehr_port}"

    def config(self) -> Path:
        path = self.folder / "vestige.toml"
        path.write_text(
            f"""
[service]
public_url = "{self.service}"
cors_origins = ["{self.origin}"]
[trust]
behind_tls_proxy = true
[[trust.issuers]]
issuer = "{self.client.issuer}"
jwks_file = "{key_file(self.folder, self.client)}"
[[fhir.servers]]
base = "{self.origin}/fhir"
issuer = "{self.client.issuer}"
[fhir]
budget = 30
read_timeout = 20
[store]
url = "sqlite:///{self.folder / "vestige.db"}"
"""
        )
        return path

    def sign(self, audience: str) -> str:
        return self.client.token(self.client.claims(aud=audience))

    def ehr(self, sign: Callable[[str], str], port: int) -> Any:
        made = [samples.sample(name, TODAY) for name in (NAME, "nothing-to-say")]
        origin = f"http://127.0.0.1:{port}"
        return served(create_ehr(made, origin=origin, service=self.service, sign=sign), port)

    def feedback(self) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(self.folder / "vestige.db")) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("select * from feedback")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), elliptic("https://demo-ehr.example"))
    options = ["--config", str(made.config())]
    with running(made.folder, options=options, port=made.port, trusting=False):
        yield made


@contextlib.contextmanager
def opened(browser: Any, address: str) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(WAIT)
    page.goto(address)
    yield page
    page.close()


def fire(page: Any, data: str) -> None:
    page.click(f"#patients button:has-text('{samples.sample(NAME, TODAY).title}')")
    page.check(f"input[value={data}]")
    page.click("[data-hook=order-sign]")
    page.wait_for_selector("#cards > *")


@pytest.mark.parametrize("data", ["both", "prefetch", "fhir"])
def test_a_trusted_ehr_gets_cards_and_gives_feedback(browser: Any, site: Site, data: str) -> None:
    before = len(site.feedback())
    with site.ehr(site.sign, site.ehr_port) as origin, opened(browser, origin) as page:
        calls: list[Any] = []
        page.on("request", lambda request: calls.append(request) if site.service in request.url else None)
        fire(page, data)
        card = page.locator(".card").first
        card.locator(".suggestions button").first.click()
        page.get_by_text("Order added; the service was told.").wait_for()
        card.locator("select").select_option(index=1)
        card.get_by_role("button", name="Dismiss").click()
        page.get_by_text("Dismissed; the service was told.").wait_for()
        posts = [call for call in calls if call.method == "POST"]
        tokens = [call.headers["authorization"] for call in posts]
    # Every address asks for a token of its own: none is used twice.
    assert len(posts) == 3
    assert len(set(tokens)) == 3
    accepted, overridden = site.feedback()[before:]
    assert (accepted["outcome"], overridden["outcome"]) == ("accepted", "overridden")
    assert accepted["client"] == overridden["client"] == site.client.issuer
    assert accepted["card"] == overridden["card"]


def test_a_token_of_nobody_we_know_is_no_all_clear(browser: Any, site: Site) -> None:
    stranger = elliptic("https://elsewhere.example", kid="ec-9")
    sign = lambda audience: stranger.token(stranger.claims(aud=audience))  # noqa: E731
    with site.ehr(sign, site.ehr_port) as origin, opened(browser, origin) as page:
        page.get_by_text("answered discovery with status 401").wait_for()


def test_a_token_that_is_refused_at_the_call_is_no_all_clear(browser: Any, site: Site) -> None:
    def late(audience: str) -> str:
        claims = site.client.claims(aud=audience)
        return site.client.token({**claims, "exp": claims["iat"] - 900, "iat": claims["iat"] - 1000})

    sign = lambda audience: (site.sign if audience.endswith("/cds-services") else late)(audience)  # noqa: E731
    with site.ehr(sign, site.ehr_port) as origin, opened(browser, origin) as page:
        fire(page, "both")
        assert "could not answer (401)" in page.locator("#cards").inner_text()
        assert "not assessed" in page.locator("#status").inner_text()


def test_a_page_of_another_origin_is_kept_out_by_the_browser(browser: Any, site: Site) -> None:
    with site.ehr(site.sign, free_port()) as origin, opened(browser, origin) as page:
        page.get_by_text("does not answer").wait_for()
        assert page.locator("#patients button").count() == 0
