"""docs/clinical/evidence.md: all contradictions are there, what they name exists, and the corrected figures are right."""

from __future__ import annotations

import re
from fractions import Fraction
from math import comb

import pytest

from tests.docs.naming import ROOT, faults, names, pack

TEXT = (ROOT / "docs" / "clinical" / "evidence.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (C\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
WRONG = re.findall(r"^\| (S\d{3}[^|]*) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)


def test_every_contradiction_has_one_row() -> None:
    assert [row[0] for row in ROWS] == [f"C{number}" for number in range(1, 15)]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_contradiction_says_what_follows_and_where(row: tuple[str, str, str, str]) -> None:
    assert len(row[2].split()) >= 3
    assert names(row[3])


def test_all_that_is_named_exists() -> None:
    assert not faults(TEXT)


@pytest.mark.parametrize(
    "statement",
    ["S004-04", "S004-09", "S004-15", "S004-17", "S004-18", "S004-19", "S004-20", "S004-21", "S004-22", "S004-27", "S004-28", "S004-29",
     "S004-30", "S004-31", "S004-32", "S004-33", "S004-34", "S004-35", "S004-36", "S004-38", "S004-39", "S004-40", "S004-53", "S003-04"],
)  # fmt: skip
def test_a_wrong_figure_has_its_row(statement: str) -> None:
    assert any(statement in row[0] for row in WRONG)


def fisher(a: int, b: int, c: int, d: int) -> float:
    """Returns the two-sided exact p-value of the table [[a, b], [c, d]]."""
    rows, column, total = a + b, a + c, a + b + c + d

    def chance(x: int) -> Fraction:
        return Fraction(comb(column, x) * comb(total - column, rows - x), comb(total, rows))

    ways = range(max(0, rows + column - total), min(rows, column) + 1)
    return float(sum(chance(x) for x in ways if chance(x) <= chance(a)))


def test_recomputed() -> None:
    """The figures of part 2 that follow from printed counts."""
    assert 20 + 12 + 23 == 55
    assert round(100 * 55 / 66) == 83
    assert round(100 * 12 / 15) == 80
    assert round(fisher(3, 5, 9, 1), 3) == 0.043
    assert 8 + 10 == 18
    assert round(fisher(4, 7, 10, 4), 3) == 0.116
    assert round(fisher(6, 8, 8, 3), 3) == 0.227
    assert round(fisher(9, 7, 5, 1), 3) == 0.351
    assert round(fisher(4, 1, 3, 2), 3) == 1.0
    assert round(100 * 10 / 18, 1) == 55.6
    assert round(100 * 12 / 22, 1) == 54.5
    assert round(100 * 1 / 24, 1) == 4.2
    assert round(100 * 10 / 22, 1) == 45.5
    assert (10 + 3, 8 + 3) == (13, 11)
    assert fisher(10, 3, 8, 3) == pytest.approx(1.0)


def test_what_is_left_unread_is_neither_printed_nor_named() -> None:
    unread = re.findall(r"\b(Tanaka|Arita|Owen|Kim|Park|Tani|Oba|Melstrom) (20\d\d)", TEXT)
    assert len(unread) == 8
    cited = " ".join(entry.citation for entry in pack().evidence.values() if entry.read)
    assert [f"{name} {year}" for name, year in unread if re.search(rf"\b{name} {year}", cited)] == []
