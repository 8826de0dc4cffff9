"""A missing tool skips a test, unless the run says that the tool must be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import require as module
from tests.require import find, require


@pytest.fixture
def no_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.TOOLS, "node", (("a-command-that-is-not-there",), "get it"))


@pytest.mark.usefixtures("no_tool")
def test_a_missing_tool_skips_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VESTIGE_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="node is not here: get it"):
        require("node")
    monkeypatch.setenv("VESTIGE_REQUIRE", "java,chromium")
    with pytest.raises(pytest.skip.Exception):
        require("node")


@pytest.mark.usefixtures("no_tool")
def test_a_missing_tool_fails_where_the_run_requires_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VESTIGE_REQUIRE", "java, node")
    with pytest.raises(pytest.fail.Exception, match="VESTIGE_REQUIRE"):
        require("node")


def test_a_tool_that_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.TOOLS, "node", (("sh",), "get it"))
    found = find("node")
    assert found is not None
    assert require("node") == found
    assert Path(found).exists()
