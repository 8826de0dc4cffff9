"""The evaluator: agreement, disagreement, faults, and independence of any order."""

from __future__ import annotations

import pickle
import random
import tempfile
import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.admission import Admitted
from rules.errors import EngineFault, FactError, LimitExceeded
from rules.evaluate import Alarm, Evaluator
from rules.facts import Fact
from rules.language import load_pack
from rules.language.model import Pack
from rules.trace import Trace
from tests.rules.packing import TINY, pack_of
from tests.rules.program import Maker, loaded

D = Decimal

FACTS = [
    Fact("patient", {"today": date(2026, 6, 1)}, ("p",)),
    Fact("lesion", {"id": "L1", "baseline": D(20)}, ("l1",)),
    Fact("lesion", {"id": "L2"}, ("l2",)),
    Fact("sighting", {"id": "S1", "lesion": "L1", "visibility": "visible", "mm": D(20), "day": date(2026, 1, 1)}, ("s1",)),
    Fact("sighting", {"id": "S2", "lesion": "L1", "visibility": "visible", "mm": D(10), "day": date(2026, 3, 1)}, ("s2",)),
    Fact("sighting", {"id": "S3", "lesion": "L2", "visibility": "not-visible", "strong": "yes"}, ("s3",)),
]  # fmt: skip


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(TINY)


def concluded(evaluator: Evaluator, facts: list[Fact] = FACTS) -> list[tuple[str, str | None, str | None]]:
    return [(finding.rule, finding.case, finding.subject) for finding in evaluator.evaluate(facts).findings]


TOLD = [("SHRUNK", None, "L1"), ("ST", "seen", "L1"), ("ST", "gone", "L2"), ("NOTE", None, "L2")]


class Bent:
    """Stands for an engine that answers wrongly, or not at all."""

    def __init__(self, inner: Any, bend: Any) -> None:
        self.inner, self.bend = inner, bend

    def evaluate(self, admitted: Admitted, timeout: float = 1.0) -> Trace:
        trace = self.inner.evaluate(admitted, timeout)
        self.bend(trace)
        return trace

    def alarms(self) -> tuple[Alarm, ...]:
        return ()

    def close(self) -> None:
        self.inner.close()


def fail(fault: Exception) -> Any:
    def bend(_trace: Trace) -> None:
        raise fault

    return bend


def test_both_evaluations_answer(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        evaluation = evaluator.evaluate(FACTS)
        assert concluded(evaluator) == TOLD
    assert evaluation.engines == ("durable", "reference")
    assert evaluation.alarms == ()
    assert evaluation.refused == ()
    assert evaluation.revision == pack.revision


def test_the_reference_alone_says_the_same(pack: Pack) -> None:
    with Evaluator(pack) as both, Evaluator(pack, mode="reference") as alone:
        one, two = both.evaluate(FACTS), alone.evaluate(FACTS)
    assert two.engines == ("reference",)
    assert (one.findings, one.facts) == (two.findings, two.facts)


def test_facts_of_a_kind(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        evaluation = evaluator.evaluate(FACTS)
    assert [fact.values["value"] for fact in evaluation.of("status")] == ["SEEN", "GONE"]
    assert evaluation.of("nothing") == ()
    assert evaluation.values("status") == tuple(fact.values for fact in evaluation.of("status"))
    assert evaluation.values("nothing") == ()


def test_derived_facts_are_told_when_they_are_asked_for(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        first, second = evaluator.evaluate(FACTS), evaluator.evaluate(FACTS)
    kinds = {derived.fact.kind for derived in first.facts}
    assert len(kinds) > 3
    for kind in kinds:
        mine = list(dict.fromkeys(derived.fact for derived in first.facts if derived.fact.kind == kind))
        assert list(second.of(kind)) == mine
        assert list(second.values(kind)) == [fact.values for fact in mine]
    copied = pickle.loads(pickle.dumps(second))
    assert copied == first
    assert copied.of("status") == first.of("status")
    assert copied.values("status") == first.values("status")
    assert replace(second, engines=()).facts == first.facts
    with pytest.raises(AttributeError):
        _ = second.nothing  # type: ignore[attr-defined]


def drop(id_: str) -> Any:
    def bend(trace: Trace) -> None:
        trace.outcomes.pop(id_)

    return bend


@pytest.mark.parametrize("which", ["engine", "reference"])
def test_a_statement_the_evaluations_differ_on_is_withheld(pack: Pack, which: str) -> None:
    with Evaluator(pack) as evaluator:
        setattr(evaluator, which, Bent(getattr(evaluator, which), drop("SHRUNK")))
        evaluation = evaluator.evaluate(FACTS)
    assert evaluation.refused == ("SHRUNK",)
    assert [finding.rule for finding in evaluation.findings] == ["ST", "ST", "NOTE"]
    assert evaluation.of("shrunk") == ()
    assert evaluation.alarms == (Alarm("disagreement", "the two evaluations differ on SHRUNK"),)


@pytest.mark.parametrize("which", ["engine", "reference"])
def test_what_rests_on_a_withheld_statement_is_withheld(pack: Pack, which: str) -> None:
    with Evaluator(pack) as evaluator:
        setattr(evaluator, which, Bent(getattr(evaluator, which), drop("BEST")))
        evaluation = evaluator.evaluate(FACTS)
    # The finding on L2 rests on no 'best' fact, but it is one of the statement that does.
    assert evaluation.refused == ("BEST", "NOTE", "SHRUNK", "ST")
    assert evaluation.findings == ()
    assert {derived.rule for derived in evaluation.facts} == {"FS", "SEEN"}


def test_support_is_compared_too(pack: Pack) -> None:
    def bend(trace: Trace) -> None:
        for support in trace.outcomes["FS"].gifts.values():
            support.add(0)

    with Evaluator(pack) as evaluator:
        evaluator.engine = Bent(evaluator.engine, bend)
        assert evaluator.evaluate(FACTS).refused == ("FS", "SHRUNK")


def test_what_is_said_is_compared_too(pack: Pack) -> None:
    def bend(trace: Trace) -> None:
        for way in trace.outcomes["SHRUNK"].ways.values():
            way.says.clear()
            way.says.add((("mm", D("10.000001")),))

    with Evaluator(pack) as evaluator:
        evaluator.engine = Bent(evaluator.engine, bend)
        assert evaluator.evaluate(FACTS).refused == ("SHRUNK",)


def test_a_fact_that_only_one_evaluation_gives_is_withheld(pack: Pack) -> None:
    def bend(trace: Trace) -> None:
        key = ("seen", ("L9", 9, "yes", None))
        trace.numbers = {key: trace.asserted} | {
            known: number + 1 if number >= trace.asserted else number
            for known, number in trace.numbers.items()
        }
        for outcome in trace.outcomes.values():
            for support in [*outcome.gifts.values(), *(way.support for way in outcome.ways.values())]:
                moved = {number + 1 if number >= trace.asserted else number for number in support}
                support.clear()
                support |= moved
        trace.outcomes["SEEN"].gifts[(key, 0)] = {0}

    with Evaluator(pack) as evaluator:
        evaluator.engine = Bent(evaluator.engine, bend)
        evaluation = evaluator.evaluate(FACTS)
    assert evaluation.refused == ("SEEN",), "the other facts are matched although their numbers differ"
    assert not evaluation.of("seen")


def test_alarms_name_no_values(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        evaluator.engine = Bent(evaluator.engine, drop("ST"))
        (alarm,) = evaluator.evaluate(FACTS).alarms
    assert "L1" not in alarm.message
    assert "L2" not in alarm.message


def test_durable_rules_is_unavailable(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        evaluator.engine = Bent(evaluator.engine, fail(EngineFault("it is lost")))
        evaluation = evaluator.evaluate(FACTS)
        assert concluded(evaluator) == TOLD
    assert evaluation.engines == ("reference",)
    assert evaluation.alarms == (Alarm("engine-unavailable", "durable_rules did not answer: it is lost"),)


def test_the_reference_is_unavailable(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        evaluator.reference = Bent(evaluator.reference, fail(EngineFault("it is lost")))  # type: ignore[assignment]
        evaluation = evaluator.evaluate(FACTS)
        assert concluded(evaluator) == TOLD
    assert evaluation.engines == ("durable",)
    assert evaluation.alarms[0].kind == "engine-unavailable"


def test_neither_answers(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        evaluator.engine = Bent(evaluator.engine, fail(EngineFault("one")))
        evaluator.reference = Bent(evaluator.reference, fail(EngineFault("two")))  # type: ignore[assignment]
        with pytest.raises(EngineFault, match="two"):
            evaluator.evaluate(FACTS)


def test_a_defect_of_ours_is_not_hidden(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        evaluator.engine = Bent(evaluator.engine, fail(ZeroDivisionError()))
        with pytest.raises(ZeroDivisionError):
            evaluator.evaluate(FACTS)


def test_the_engine_is_built_anew_after_a_fault(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {}
        - sighting T: {lesion: = S.lesion, mm: "> 1.5 * S.mm"}
      then: {out: {lesion: = S.lesion}}
    """
    pack = pack_of(tmp_path, snippet)
    small = [Fact("sighting", {"id": f"S{n}", "lesion": "L1", "mm": n}) for n in (1, 2)]
    large = [Fact("sighting", {"id": f"S{n}", "lesion": "L1", "mm": n}) for n in (1, 900_000_000)]
    with Evaluator(pack) as evaluator:
        for _ in range(3):
            assert evaluator.evaluate(small).engines == ("durable", "reference")
            spoilt = evaluator.evaluate(large)
            assert spoilt.engines == ("reference",)
            assert "too large for the engine" in spoilt.alarms[0].message
            assert len(spoilt.facts) == 1


def test_facts_are_refused_before_any_evaluation(pack: Pack) -> None:
    with Evaluator(pack) as evaluator:
        with pytest.raises(FactError):
            evaluator.evaluate([Fact("lesion", {})])
        assert concluded(evaluator) == TOLD


def test_a_limit_that_both_pass(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {}
        - sighting T: {lesion: = S.lesion}
      then: {out: {lesion: = S.lesion}}
    """
    facts = [Fact("sighting", {"id": f"S{n}", "lesion": "L1"}) for n in range(460)]
    with (
        Evaluator(pack_of(tmp_path, snippet), timeout=60) as evaluator,
        pytest.raises(LimitExceeded, match="200000"),
    ):
        evaluator.evaluate(facts)


UNIQUE = """
- id: A
  title: a
  stratum: 1
  when: [{sighting S: {mm: present}}]
  then: {single: {lesion: = S.lesion, mm: = S.mm}}
- id: B
  title: b
  stratum: 2
  each: single O
  subject: = O.lesion
  conclusion: one
  indicator: info
  hooks: [all]
  cases: [{id: only}]
- id: C
  title: c
  stratum: 2
  when: [{lesion L: {}}]
  subject: = L.id
  conclusion: other
  indicator: info
  hooks: [all]
"""


def test_two_facts_where_one_is_allowed_are_withheld(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, UNIQUE)
    facts = [Fact("lesion", {"id": "L1"})] + [
        Fact("sighting", {"id": f"S{n}", "lesion": "L1", "mm": n}) for n in (1, 2)
    ]
    with Evaluator(pack) as evaluator:
        once = evaluator.evaluate(facts[:2])
        twice = evaluator.evaluate(facts)
    assert [finding.rule for finding in once.findings] == ["B", "C"]
    assert [finding.rule for finding in twice.findings] == ["C"]
    assert twice.refused == ("A", "B")
    assert twice.of("single") == ()
    assert twice.alarms == (Alarm("not-unique", "more than one fact was given where one is allowed, by A"),)


def test_several_threads(pack: Pack) -> None:
    failures: list[object] = []
    sets = [FACTS[:n] for n in range(1, len(FACTS) + 1)]
    with Evaluator(pack, timeout=60) as evaluator:
        wanted = [evaluator.evaluate(facts) for facts in sets]

        def work(offset: int) -> None:
            for n in range(40):
                at = (n + offset) % len(sets)
                if evaluator.evaluate(sets[at]) != wanted[at]:
                    failures.append(at)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_shadow_and_off_by_a_site() -> None:
    pack = load_pack(TINY, states={"ST": "shadow", "NOTE": "off"})
    with Evaluator(pack) as evaluator:
        evaluation = evaluator.evaluate(FACTS)
    assert [(f.rule, f.status) for f in evaluation.findings] == [
        ("SHRUNK", "active"),
        ("ST", "shadow"),
        ("ST", "shadow"),
    ]
    assert evaluation.of("status") == ()
    assert evaluation.revision.startswith(load_pack(TINY).revision + "+site.")


def test_a_parameter_by_a_site() -> None:
    with Evaluator(load_pack(TINY, parameters={"shrink_ratio": D("0.4")})) as evaluator:
        assert ("SHRUNK", None, "L1") not in concluded(evaluator)


# ---------------------------------------------------------------- order


@given(seed=st.integers(0, 10**9), order=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_neither_facts_nor_statements_have_an_order(seed: int, order: random.Random) -> None:
    maker = Maker(random.Random(seed))
    program = maker.program()
    facts = maker.facts(program)
    mixed = list(facts)
    order.shuffle(mixed)
    statements = list(program.statements)
    order.shuffle(statements)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first = loaded(program, Path(one))
        second = loaded(replace(program, statements=statements), Path(two))
        with Evaluator(first, timeout=60) as evaluator:
            wanted = evaluator.evaluate(facts)
            assert evaluator.evaluate(mixed) == wanted
        with Evaluator(second, timeout=60) as evaluator:
            found = evaluator.evaluate(mixed)
    assert wanted.alarms == ()
    assert found.facts == wanted.facts
    assert tuple(replace(f, revision="") for f in found.findings) == tuple(
        replace(f, revision="") for f in wanted.findings
    )


@given(seed=st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_a_doubled_fact_changes_nothing_but_sources(seed: int) -> None:
    maker = Maker(random.Random(seed))
    program = maker.program()
    facts = maker.facts(program)
    with tempfile.TemporaryDirectory() as folder:
        with Evaluator(loaded(program, Path(folder)), timeout=60) as evaluator:
            once, twice = evaluator.evaluate(facts), evaluator.evaluate(facts + facts)
    assert once == twice
