"""docs/conformance.md: every requirement of the register has one row, and what a row names exists."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
import yaml

from tests.docs.naming import ROOT

PAGE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
REGISTER = yaml.safe_load(
    (ROOT / "cds_hooks" / "conformance" / "requirements.yaml").read_text(encoding="utf-8")
)
ROW = re.compile(r"^\| (\d+) \| (.+?) \| ([^|]+?) \| ([^|]+?) \| (.+?) \|$", re.MULTILINE)
ROWS = [(int(number), *rest) for number, *rest in ROW.findall(PAGE)]
QUOTED = re.compile(r"`([^`]+)`")
WHY = ("deviation: ", "not applicable: ")


@cache
def functions(file: str) -> frozenset[str]:
    """The test functions that a file defines."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_number_has_one_row_in_order() -> None:
    assert [number for number, *_ in ROWS] == list(range(1, 211))


def test_no_line_of_a_table_escapes_the_test() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert len(lines) == len(ROWS) + 2 * len(REGISTER["parts"])


def test_rows_are_those_of_the_register() -> None:
    told = {number: (title, strength.removesuffix(" (3.0)")) for number, title, strength, *_ in ROWS}
    assert told == {one["number"]: (one["title"], one["strength"]) for one in REGISTER["requirements"]}


@pytest.mark.parametrize(
    ("number", "title", "strength", "where", "shown"), ROWS, ids=[row[0] for row in ROWS]
)
def test_what_a_row_names_exists(number: int, title: str, strength: str, where: str, shown: str) -> None:
    for module in QUOTED.findall(where):
        assert (ROOT / module).is_file(), module
    tests = [name for name in QUOTED.findall(shown) if name.startswith("tests/")]
    for test in tests:
        file, _, function = test.partition("::")
        assert function in functions(file), test
    reason = next((start for start in WHY if shown.startswith(start)), None)
    if reason is None:
        assert tests, "neither a test nor a reason"
    else:
        assert len(shown.removeprefix(reason).split()) >= 4, "a reason that says nothing"
    assert QUOTED.findall(where) or reason or tests


def test_a_binding_requirement_that_is_not_met_says_so() -> None:
    """Only these deviate; another one must be argued here, too."""
    assert [number for number, *_, shown in ROWS if shown.startswith(WHY[0])] == [20, 21, 63, 81, 105, 193]
