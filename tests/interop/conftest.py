"""The real servers and the rules, shared by the tests of a folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.servers.hapi import hapi
from tests.servers.sekmet import sekmet, sekmet_bearer

__all__ = ["hapi", "sekmet", "sekmet_bearer"]


@pytest.fixture(scope="session")
def rules() -> Iterator[Evaluator]:
    with Evaluator(load_pack(), mode="reference", timeout=120) as evaluator:
        yield evaluator
