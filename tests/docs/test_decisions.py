"""docs/clinical/decisions.md: every clause R-1 to R-111 has a line, and what a line names exists."""

from __future__ import annotations

import re
from fnmatch import fnmatch

import pytest

from tests.docs.naming import ROOT, pack

TEXT = (ROOT / "docs" / "clinical" / "decisions.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (R-[^|]+) \| ([^|]+) \| (.+) \|$", TEXT, re.MULTILINE)
RULE = re.compile(r"\b(?:ST|AX|DQ|LS|DA|DC|RC|PT|HN|SU|TP|SC)-[\w*-]+")


def clauses() -> set[int]:
    return {int(number) for first, _, _ in ROWS for number in re.findall(r"R-(\d+)", first)}


def unknown(where: str) -> list[str]:
    """Returns the rules, files and folders of a cell that nobody has; `ST-read-*` stands for all that fit."""
    paths = re.findall(r"`([^`]*/[^`]*)`", where) + re.findall(
        r"\btests/[\w./-]+\.\w+", re.sub(r"`[^`]*`", "", where)
    )
    missing = [path for path in paths if not (ROOT / path).exists()]
    bare = re.sub(r"`[^`]*/[^`]*`|\btests/\S+", "", where)
    missing += [
        name for name in RULE.findall(bare) if not any(fnmatch(id_, name) for id_ in pack().statements)
    ]
    files = [file.name for file in (pack().folder / "statements").iterdir()] + [
        file.name for file in pack().folder.iterdir()
    ]
    named = re.findall(r"\b\d\d-[a-z-]+", RULE.sub("", bare)) + re.findall(r"\b\w+\.yaml\b", bare)
    return missing + [name for name in named if name not in files and f"{name}.yaml" not in files]


def test_every_clause_has_a_line() -> None:
    assert set(range(1, 112)) - clauses() == set()
    assert max(clauses()) == 111


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_line_names_what_exists_and_says_what_was_done(row: tuple[str, str, str]) -> None:
    _, where, decision = row
    assert unknown(where) == []
    assert RULE.search(where) or "`" in where or "tests/" in where or re.search(r"\d\d-[a-z]", where)
    assert decision.strip()


@pytest.mark.parametrize(
    "where", ["DA-99", "`plugin/none.py`", "ST-none-*", "tests/none.py", "99-none", "none.yaml"]
)
def test_a_name_that_does_not_exist_is_found(where: str) -> None:
    assert unknown(where)
