"""Every advice statement does what its own table says, by both evaluations, and carries what a card needs."""

from __future__ import annotations

import pytest

from rules.language import Statement, lint_pack, load_pack
from rules.tables import run_tests

PACK = load_pack()
FILES = ("50-", "55-", "60-", "70-", "72-", "75-", "77-", "80-")
MINE = [one for one in PACK.statements.values() if one.file.rsplit("/", 1)[-1].startswith(FILES)]
SPEAKING = [one for one in MINE if one.finding_specs()]


def names(statement: Statement) -> str:
    return statement.id


@pytest.mark.parametrize("statement", MINE, ids=names)
def test_table(statement: Statement) -> None:
    results = run_tests(PACK, statement.id)
    assert results
    assert [(one.table, one.name, one.message) for one in results if not one.passed] == []


def test_nothing_to_complain_of() -> None:
    files = {one.file for one in MINE} | {"evidence.yaml", "tables.yaml"}
    assert [str(problem) for problem in lint_pack(PACK) if problem.file in files] == []


@pytest.mark.parametrize("statement", SPEAKING, ids=names)
def test_speaking_statement_is_complete(statement: Statement) -> None:
    for spec in statement.finding_specs():
        assert spec.family
        assert spec.hooks
        assert spec.conclusion
        if spec.display == "card":
            assert spec.advice
    assert statement.evidence_for
    assert statement.evidence_against


@pytest.mark.parametrize("statement", SPEAKING, ids=names)
def test_what_is_cited_was_read(statement: Statement) -> None:
    for id_ in statement.evidence_for + statement.evidence_against:
        if id_ != "none-found":
            assert PACK.evidence[id_].read, f"{id_} is recalled only"


def test_what_may_be_printed_was_read_and_has_its_figures() -> None:
    for entry in PACK.evidence.values():
        assert entry.reading in ("text", "abstract", "secondary", "recalled")
        assert entry.read == (entry.reading != "recalled")
        if entry.printable:
            assert entry.read
            assert entry.figures


def test_critical_only_where_the_catalogue_says_so() -> None:
    critical = {one.id for one in MINE for spec in one.finding_specs() if spec.indicator == "critical"}
    assert critical == {"DA-02", "DA-04", "DA-10"}
