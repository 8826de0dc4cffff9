"""Why a finding was made, and why one was not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from rules.errors import RulesError
from rules.evaluate import Evaluator
from rules.explain import Reason, why, why_not
from rules.facts import Fact
from rules.language import load_pack
from rules.language.model import Pack
from tests.rules.packing import TINY
from tests.rules.test_evaluate import FACTS


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(TINY)


def leaves(reason: Reason) -> set[str]:
    return {source for below in reason.rests_on for source in leaves(below)} or set(reason.sources)


def test_the_tree_goes_down_to_the_sources(pack: Pack) -> None:
    with Evaluator(pack, timeout=60) as evaluator:
        evaluation = evaluator.evaluate(FACTS)
    shrunk, seen = why(evaluation, "L1")
    assert (shrunk.finding.rule, seen.finding.case) == ("SHRUNK", "seen")
    best, first, lesion = shrunk.rests_on
    assert (best.fact.kind, best.rule, [below.fact.kind for below in best.rests_on]) == (
        "best",
        "BEST",
        ["lesion", "sighting"],
    )
    assert (first.rule, first.case) == ("FS", None)
    assert (lesion.rule, lesion.rests_on, lesion.sources) == (None, (), ("l1",))
    for explained in (shrunk, seen):
        assert set().union(*(leaves(reason) for reason in explained.rests_on)) == set(
            explained.finding.sources
        )


def test_a_finding_below_a_finding(pack: Pack) -> None:
    with Evaluator(pack, timeout=60) as evaluator:
        evaluation = evaluator.evaluate(FACTS)
    note = why(evaluation, "L2")[1]
    below = note.rests_on[0]
    assert (below.fact.kind, below.rule, below.case) == ("finding", "ST", "gone")
    assert [reason.fact.kind for reason in below.rests_on] == ["lesion", "sighting"]
    assert why(evaluation, "L9") == ()
    assert why(evaluation, None) == ()


@pytest.mark.parametrize(
    ("statement", "subject", "words"),
    [
        ("SHRUNK", "L2", ["did not conclude", "lesion L", "wanted baseline is stated, met not stated"]),
        ("ST", "L2", ["case seen: failed", "wanted visibility is visible, met not-visible", "case gone: won", "case open: not reached"]),
        ("ST", "L1", ["case seen: won", "case gone: not reached"]),
        ("NOTE", "L1", ["finding F", "wanted case is gone, met seen"]),
        ("NOTE", "L2", ["it did conclude"]),
        ("FS", "L2", ["sighting S", "wanted visibility is visible, met not-visible"]),
        ("FS", "L9", ["there is no lesion L"]),
    ],
)  # fmt: skip
def test_why_not(pack: Pack, statement: str, subject: str, words: list[str]) -> None:
    told = str(why_not(pack, FACTS, statement, subject))
    for word in words:
        assert word in told


def test_why_not_names_the_fact_and_its_value(pack: Pack) -> None:
    facts = [fact for fact in FACTS if fact.values.get("id") != "S2"] + [
        Fact("sighting", {"id": "S2", "lesion": "L1", "visibility": "visible", "mm": Decimal("14.1"), "day": date(2026, 3, 1)}),
    ]  # fmt: skip
    found = why_not(pack, facts, "SHRUNK", "L1")
    assert not found.fired
    assert found.failed is not None
    assert found.failed.closest is not None
    assert found.failed.closest.kind == "best"
    assert found.failed.value == Decimal("14.1")
    assert found.failed.test == "mm is at most 0.7 × L.baseline ($shrink_ratio)"


def test_why_not_names_what_forbids(pack: Pack) -> None:
    dose = Fact("dose", {"day": date(2026, 1, 1), "agent": "irinotecan"}, ("d",))
    found = why_not(pack, [*FACTS, dose], "NOTE", "L2")
    assert found.failed is not None
    assert found.failed.forbidden is not None
    assert found.failed.forbidden.kind == "dose"
    assert "forbidden by dose D" in str(found)


def test_a_case_that_is_forbidden(pack: Pack) -> None:
    strong = Fact("sighting", {"id": "S9", "lesion": "L1", "visibility": "not-visible", "strong": "yes"})
    told = why_not(pack, [*FACTS, strong], "ST", "L1")
    assert [(case.id, case.won, case.reached) for case in told.cases] == [
        ("seen", False, True), ("gone", True, True), ("open", False, False),
    ]  # fmt: skip


def test_without_a_subject(pack: Pack) -> None:
    assert why_not(pack, FACTS, "SHRUNK").fired
    assert not why_not(pack, FACTS[:3], "SHRUNK").fired


def test_an_unknown_statement(pack: Pack) -> None:
    with pytest.raises(RulesError, match="no statement 'X'"):
        why_not(pack, FACTS, "X")


def test_why_not_agrees_with_the_evaluation(pack: Pack) -> None:
    with Evaluator(pack, timeout=60) as evaluator:
        for count in range(len(FACTS) + 1):
            facts = FACTS[:count]
            evaluation = evaluator.evaluate(facts)
            for id_, statement in pack.statements.items():
                fired = any(f.rule == id_ for f in evaluation.findings) or any(
                    d.rule == id_ for d in evaluation.facts
                )
                counts = id_ == "SEEN"  # a count follows from nothing, too
                assert fired == why_not(pack, facts, id_).fired or counts, (statement.id, count)
