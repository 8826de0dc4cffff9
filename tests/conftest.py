"""Hypothesis profiles, and the list of tools that were not there at the end of a run."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.log_guard import Guard
from tests.require import require

settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("ci")

GUARD = Guard()
logging.getLogger().addHandler(GUARD)
logging.getLogger("vestige").setLevel(logging.INFO)


@pytest.fixture(autouse=True)
def no_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings of the person who runs the tests must not reach them."""
    for name in [name for name in os.environ if name.startswith("VESTIGE_") and "__" in name]:
        monkeypatch.delenv(name)
    yield


@pytest.fixture(autouse=True)
def nothing_of_a_patient_in_the_log() -> Iterator[None]:
    """Fails the test during which any logger wrote what tells a patient, or a token."""
    yield
    assert not GUARD.taken()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium for one module: Playwright allows one at a time in a process, and no event loop beside it."""
    from playwright.sync_api import sync_playwright

    chromium = require("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        yield started
        started.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons: dict[str, int] = {}
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        terminalreporter.section("not run here")
        for reason, count in sorted(reasons.items()):
            terminalreporter.write_line(f"{count:4d}  {reason}")
