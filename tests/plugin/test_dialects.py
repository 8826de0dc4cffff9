"""The dialects of FHIR servers as data: complete, sourced, shown by tests, and recognised."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from plugin.dialects import Dialect, Quirk, dialects, recognised

ROOT = Path(__file__).parents[2]
QUIRKS = [(name, quirk) for name, dialect in dialects().items() for quirk in dialect.quirks]


def test_the_known_dialects() -> None:
    assert set(dialects()) == {"epic", "oracle-health", "hapi"}


@pytest.mark.parametrize(("name", "quirk"), QUIRKS, ids=[f"{name}-{quirk.id}" for name, quirk in QUIRKS])
def test_every_quirk_has_a_source_and_a_test_that_exists(name: str, quirk: Quirk) -> None:
    assert quirk.says.endswith(".")
    assert quirk.does.endswith(".")
    assert len(quirk.source) > 10
    file, _, test = quirk.test.partition("::")
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    assert callable(getattr(module, test))


@pytest.mark.parametrize("dialect", dialects().values(), ids=list(dialects()))
def test_the_names_of_quirks_are_unique(dialect: Dialect) -> None:
    names = [quirk.id for quirk in dialect.quirks]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ({"software": {"name": "Epic"}}, "Epic"),
        ({"publisher": "Cerner"}, "Oracle Health"),
        ({"publisher": "Oracle Health", "software": None}, "Oracle Health"),
        ({"software": {"name": "HAPI FHIR Server"}}, "HAPI FHIR"),
    ],
)
def test_a_server_is_recognised_by_what_it_says_of_itself(statement: dict[str, object], name: str) -> None:
    found = recognised(statement)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "statement", [{}, {"software": "Epic"}, {"software": {"name": 1}}, {"publisher": ["Cerner"]}]
)
def test_any_other_is_not(statement: dict[str, object]) -> None:
    assert recognised(statement) is None


def test_the_table_of_the_documentation_is_that_of_the_data() -> None:
    text = (ROOT / "docs" / "fhir-access.md").read_text(encoding="utf-8")
    rows = [f"| {quirk.id} | {quirk.says} | {quirk.does} | {quirk.source} |" for _, quirk in QUIRKS]
    assert [row for row in rows if row not in text] == []
    assert text.count("\n| ") - text.count("\n| --") >= len(rows)
