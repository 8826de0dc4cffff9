"""Why a finding was made, and why one was not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from rules.errors import RulesError
from rules.evaluate import Evaluator
from rules.explain import Reason, why, why_not
from rules.facts import Fact
from rules.language import load_pack
from rules.language.model import Pack
from tests.rules.packing import TINY, pack_of, write_pack
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
                assert fired == why_not(pack, facts, id_).fired, (statement.id, count)


WHY_NOT = """\
rules:
  - id: PATIENT
    title: about a lesion, from the patient
    stratum: 1
    when:
      - patient P: {today: "> 2026-01-01"}
      - lesion L: {}
    subject: = L.id
    conclusion: c
    indicator: info
    hooks: [all]
  - id: COUNT
    title: how many
    stratum: 1
    each: lesion L
    from: {sighting S: {lesion: = L.id, vis: gone}}
    give: {out: {lesion: = L.id, n: count}}
  - id: LIST
    title: a list
    stratum: 1
    each: lesion L
    subject: = L.id
    conclusion: c
    indicator: info
    hooks: [all]
    cases:
      - id: seen
        when: [{sighting S: {lesion: = L.id, vis: visible}}]
      - id: small
        when: [{sighting S: {lesion: = L.id, mm: "> 0"}}]
        silent: true
      - id: rest
  - id: TRIAL
    title: in trial
    stratum: 1
    status: shadow
    when: [{lesion L: {}}]
    subject: = L.id
    conclusion: c
    indicator: info
    hooks: [all]
"""
SEEN = [
    Fact("patient", {"today": date(2026, 5, 1)}),
    Fact("lesion", {"id": "L1"}),
    Fact("lesion", {"id": "L2"}),
    Fact("sighting", {"id": "S1", "lesion": "L1", "vis": "visible", "mm": Decimal(3)}),
    Fact("sighting", {"id": "S2", "lesion": "L2", "vis": "gone", "mm": Decimal(0)}),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(write_pack(tmp_path_factory.mktemp("pack"), WHY_NOT))


def test_a_rule_that_begins_with_something_else_is_asked_about_a_lesion(told: Pack) -> None:
    assert why_not(told, SEEN, "PATIENT", "L1").fired
    assert "there is no lesion L" in str(why_not(told, SEEN, "PATIENT", "L9"))


def test_a_count_of_nothing_is_a_conclusion(told: Pack) -> None:
    assert why_not(told, SEEN, "COUNT", "L1").fired


def test_a_silent_case_says_nothing(told: Pack) -> None:
    small = [*SEEN[:3], Fact("sighting", {"id": "S1", "lesion": "L1", "mm": Decimal(3)})]
    answer = why_not(told, small, "LIST", "L1")
    assert not answer.fired
    assert "case small: won, and says nothing" in str(answer)


def test_a_list_is_told_for_each_that_it_is_gone_through_for(told: Pack) -> None:
    answer = why_not(told, SEEN, "LIST")
    assert [(case.id, case.about) for case in answer.cases if case.won] == [("seen", "L1"), ("rest", "L2")]
    assert "case seen for L1: won" in str(answer)
    assert "case rest for L2: won" in str(answer)


def test_a_value_of_zero_is_named(told: Pack) -> None:
    assert "wanted mm is above 0 mm, met 0" in str(why_not(told, SEEN, "LIST", "L2"))


def test_a_rule_that_is_not_in_force_is_told_as_such(told: Pack) -> None:
    assert "not in force here (shadow), so nothing follows" in str(why_not(told, SEEN, "TRIAL", "L1"))
    assert "in force" not in str(why_not(told, SEEN, "LIST", "L1"))


def test_a_fact_that_two_rules_gave_names_both(tmp_path: Path) -> None:
    snippet = """
    - id: A1
      title: from a sighting
      stratum: 1
      when: [{sighting S: {vis: gone}}]
      then: {out: {lesion: = S.lesion}}
    - id: A2
      title: from the lesion
      stratum: 1
      when: [{lesion L: {nature: unknown}}]
      then: {out: {lesion: = L.id}}
    - id: B
      title: b
      stratum: 2
      when: [{out O: {}}]
      subject: = O.lesion
      conclusion: c
      indicator: info
      hooks: [all]
    """
    facts = [
        Fact("lesion", {"id": "L1"}, ("l",)),
        Fact("sighting", {"id": "S", "lesion": "L1", "vis": "gone"}, ("s",)),
    ]
    with Evaluator(pack_of(tmp_path, snippet)) as evaluator:
        (found,) = why(evaluator.evaluate(facts), "L1")
    (reason,) = found.rests_on
    assert reason.rule == "A1, A2"
    assert {below.fact.kind for below in reason.rests_on} == {"lesion", "sighting"}
