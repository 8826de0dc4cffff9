"""The threat model names for each threat the tests that show what stands against it, and they exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.security.patterns import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\w+\d+) \| (.*) \| (.*) \| (.*) \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_letter_of_stride_is_there() -> None:
    assert len(ROWS) >= 25
    assert {row[0][0] for row in ROWS} == set("STRIDE")
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_test_of_a_row_exists(row: tuple[str, ...]) -> None:
    named = re.findall(r"`(tests/[\w./-]+\.py)::(\w+)`", row[4])
    assert named, f"{row[0]} names no test"
    assert row[4].count("`") == 2 * len(named)
    for file, test in named:
        assert test.startswith("test_")
        assert test in functions(file), f"{file}::{test}"
    assert row[5].strip()
