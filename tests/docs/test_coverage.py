"""docs/clinical/coverage.md: every statement of the primary documents has one row, and what a row names exists."""

from __future__ import annotations

import re

import pytest

from tests.docs.naming import ROOT, faults, names

LIVES = (ROOT / "docs" / "clinical" / "coverage.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (S\d{3}-\d\d[ab]?) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall(LIVES)


def statements() -> list[str]:
    """Returns every id that the documents were split into."""
    features = ["01", "02", "03", "04", "05", "06a", "06b", "07", "08a", "08b", "09"]
    counted = {"S001": 10, "S002": 6, "S003": 6, "S004": 53}
    return [f"S000-{number}" for number in features] + [
        f"{document}-{number:02}" for document, count in counted.items() for number in range(1, count + 1)
    ]


def test_every_statement_has_one_row() -> None:
    assert [id_ for id_, _, _ in ROWS] == statements()


def test_no_line_of_a_table_escapes_the_test() -> None:
    """A misshapen row would not be checked; every line of a table is a row, a heading or a rule."""
    lines = [line for line in LIVES.splitlines() if line.startswith("|")]
    assert len(lines) == len(ROWS) + 2 * LIVES.count("| id | what it says | where it lives |")


@pytest.mark.parametrize(("id_", "says", "lives"), ROWS, ids=[row[0] for row in ROWS])
def test_what_a_row_names_exists(id_: str, says: str, lives: str) -> None:
    assert len(says.split()) >= 3
    refused = re.search(r"refused[^:]*: (.+)", lives)
    assert names(lives) or (refused and len(refused[1]) >= 10), "neither a place nor a reason"
    assert not faults(lives)


def test_every_feature_of_the_table_is_in_the_reading_room() -> None:
    for id_, _, lives in ROWS:
        if id_.startswith("S000"):
            assert any(kind == "feature" for kind, _ in names(lives)), id_


@pytest.mark.parametrize(
    "text",
    ["rule `DA-99`", "parameter `nothing`", "feature `none`", "fact `sighting.adc`", "source `E99`", "file `no/such`", "test `tests/test_house.py::test_nothing`"],
)  # fmt: skip
def test_a_name_that_does_not_exist_is_found(text: str) -> None:
    assert faults(text)
