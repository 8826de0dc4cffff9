"""Every rule has at least three positive and three negative cases, and one for each input that may be missing."""

from __future__ import annotations

import re

import pytest

from rules.language import Statement, load_pack
from rules.language.lint import always_speaks, missing_name, wanted_missing

PACK = load_pack()
SPEAKING = [one for one in PACK.statements.values() if one.finding_specs()]
ALWAYS = {"LS-09"}
"""The status of the patient is said for every patient: nothing makes it silent, so it has no negative case."""
NAMED = re.compile(r"\bRECIST 1\.1\b|\bT2\b|\b0 mm\b|\bof 0\b|\bis 0\b|\bR-\d+\b")
"""Figures that are names or nothing at all, not limits."""


def names(statement: Statement) -> str:
    return statement.id


@pytest.mark.parametrize("statement", SPEAKING, ids=names)
def test_three_cases_of_each_kind(statement: Statement) -> None:
    assert len(statement.tests.positive) >= 3
    if statement.id in ALWAYS:
        assert always_speaks(statement)
    else:
        assert len(statement.tests.negative) >= 3


@pytest.mark.parametrize("statement", PACK.statements.values(), ids=names)
def test_a_case_for_each_input_that_may_be_missing(statement: Statement) -> None:
    tested = {missing_name(one) for one in statement.tests.missing}
    assert wanted_missing(PACK, statement) <= tested


@pytest.mark.parametrize("statement", SPEAKING, ids=names)
def test_no_limit_is_written_into_a_title(statement: Statement) -> None:
    """A site may set another value: what a title names stays true of every value."""
    texts = [statement.title, *(case.title or "" for case in statement.cases)]
    texts += [spec.advice or "" for spec in statement.finding_specs()]
    texts += [spec.must_not or "" for spec in statement.finding_specs()]
    assert [text for text in texts if re.search(r"\d", NAMED.sub("", text))] == []


def test_the_counts_can_fail() -> None:
    assert NAMED.sub("", "A nodule below 10 mm") == "A nodule below 10 mm"
    assert len(SPEAKING) >= 95
