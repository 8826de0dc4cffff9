"""All 78 ids of the catalogue are accounted for, by statements that speak or by checks that exist."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rules.catalogue import catalogue_of, further
from rules.errors import PackError
from rules.language import load_pack

PACK = load_pack()
ENTRIES = {entry.id: entry for entry in catalogue_of(PACK)}
GROUPS = {"DQ": 16, "LS": 10, "DA": 18, "DC": 16, "RC": 9, "PT": 6, "HN": 3}
ROOT = Path(__file__).parents[3]


def test_every_id_is_listed() -> None:
    wanted = {f"{group}-{number:02}" for group, last in GROUPS.items() for number in range(1, last + 1)}
    assert set(ENTRIES) == wanted
    assert len(ENTRIES) == 78


@pytest.mark.parametrize("id_", ENTRIES)
def test_every_id_has_a_statement_that_speaks_or_a_check_that_exists(id_: str) -> None:
    entry = ENTRIES[id_]
    assert entry.title
    assert bool(entry.rules) != bool(entry.checks)
    assert all(PACK.statements[rule].finding_specs() for rule in entry.rules)
    assert all(
        (ROOT / check).is_file() and id_ in (ROOT / check).read_text("utf-8") for check in entry.checks
    )


def test_only_the_authors_rules_are_checks() -> None:
    assert {id_ for id_, entry in ENTRIES.items() if entry.checks} == {"HN-01", "HN-02", "PT-06"}


def test_every_statement_that_speaks_is_listed() -> None:
    listed = {rule for entry in ENTRIES.values() for rule in entry.rules} | set(further(PACK))
    assert {one.id for one in PACK.statements.values() if one.finding_specs()} == listed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("catalogue: {DQ-01: {rules: [DQ-99]}}", "DQ-01 names no statement: DQ-99"),
        ("catalogue: {DQ-01: {}}", "DQ-01 names neither rules nor checks"),
        ("catalogue: [DQ-01]", "mapping"),
    ],
)
def test_a_wrong_catalogue_is_refused(tmp_path: Path, line: str, message: str) -> None:
    shutil.copytree(PACK.folder, tmp_path / "crlm")
    (tmp_path / "crlm" / "catalogue.yaml").write_text(line, encoding="utf-8")
    with pytest.raises(PackError, match=message):
        catalogue_of(load_pack(tmp_path / "crlm"))


def test_a_pack_without_a_catalogue_promises_nothing(tmp_path: Path) -> None:
    shutil.copytree(PACK.folder, tmp_path / "crlm")
    (tmp_path / "crlm" / "catalogue.yaml").unlink()
    assert catalogue_of(load_pack(tmp_path / "crlm")) == ()
