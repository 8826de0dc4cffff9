"""A browser, and the page opened over a stub; a fault in the console fails the test that does not expect it."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from fhir_profiles import samples
from plugin.settings import Settings
from tests.cds_hooks.serving import served
from tests.cds_hooks.timeline_page.stub import Says
from tests.require import ROOT, require

PATIENCE = 60_000
Opened = Callable[..., Any]


@pytest.fixture
def opened(browser: Any) -> Iterator[Opened]:
    """Opens the page over what the endpoints say: `opened(Says(...), width=360)`."""
    faults: list[str] = []
    with contextlib.ExitStack() as stack:

        def open_page(
            says: Says, *, width: int = 1280, wait: bool = True, clock: bool = False, **context: Any
        ) -> Any:
            address = stack.enter_context(served(says.app()))
            made = browser.new_context(viewport={"width": width, "height": 900}, **context)
            stack.callback(made.close)
            made.set_default_timeout(PATIENCE)
            page = made.new_page()
            page.faults = faults
            page.on(
                "console",
                lambda told: faults.append(told.text) if told.type in ("error", "warning") else None,
            )
            page.on("pageerror", lambda error: faults.append(str(error)))
            if clock:
                page.clock.install()
            page.goto(f"{address}/timeline/")
            if wait:
                page.wait_for_selector(".part, .failure.whole")
            return page

        yield open_page
    assert not faults


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, installed from the page's lock file."""
    require("node")
    subprocess.run([str(ROOT / "scripts" / "page.sh"), "tools"], check=True, capture_output=True, timeout=300)
    return (ROOT / "build" / "page" / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="session")
def sample_documents() -> dict[str, dict[str, Any]]:
    """The timeline documents of the sample patients, as JSON gives them."""
    from cds_hooks.rulebook import evaluator_here
    from cds_hooks.timeline_page.fixtures import page_document

    settings = Settings()
    settings = msgspec.structs.replace(
        settings, rules=msgspec.structs.replace(settings.rules, engine="reference")
    )
    with evaluator_here(settings, timeout=60.0) as evaluator:
        return {
            name: json.loads(msgspec.json.encode(page_document(samples.sample(name), evaluator, settings)))
            for name in samples.names()
        }
