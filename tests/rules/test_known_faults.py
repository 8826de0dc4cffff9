"""What durable_rules 2.0.28 is known to crash on or to get wrong, and that our layer does not.

Each test states, as a rule of our language, something that the engine answers wrongly or dies of when it is asked
directly. Most run in a process that other libraries have used, where uninitialised memory is not nought.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rules.admission import Admission
from rules.engine import DurableEngine
from rules.engine.columns import SENTINEL
from rules.engine.group import Group
from rules.engine.hashing import fnv1a32
from rules.engine.session import CHECKED, MAX_FIRINGS, Budget, Ruleset
from rules.engine.sift import MAX_PAIRS
from rules.engine.units import AT_ONCE, END, MAX_PER_KIND
from rules.errors import EngineFault, EngineTimeout, LimitExceeded
from rules.facts import Fact
from rules.language import load_pack
from rules.language.model import Pack
from tests.rules.engines import given, run
from tests.rules.packing import TINY, pack_of

D = Decimal


def sighting(id_: str, lesion: str = "L1", **values: Any) -> Fact:
    return Fact("sighting", {"id": id_, "lesion": lesion, **values}, (id_,))


def pair(test: str) -> str:
    return f"""
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {{vis: visible}}
        - sighting T: {{vis: gone, {test}}}
      then: {{out: {{lesion: = T.id}}}}
    """


def concluded(pack: Pack, facts: list[Fact]) -> list[str]:
    return [fact["lesion"] for fact in given(run("durable", pack, facts), "out")]


def ruleset(rules: dict[str, Any], sizes: dict[str, int]) -> Ruleset:
    sentinel = {END: {"all": [{"a0": {"$and": [{SENTINEL: 1}]}}], "pri": 9}}
    capped = {name: {"cap": AT_ONCE, **rule} for name, rule in {**rules, **sentinel}.items()}
    return Ruleset("test", capped, sizes)


def rulesets(engine: DurableEngine) -> Iterator[dict[str, Any]]:
    """Yields the JSON rules that a pack becomes."""
    from rules.engine.units import compile_ruleset

    for group in engine.groups:
        for _, units in group.rulesets:
            yield compile_ruleset(units, group.columns)


# ---------------------------------------------------------------- crashes


def test_a_session_in_which_no_rule_fired_is_freed_many_times(tmp_path: Path) -> None:
    # The sentinel fires always, so that no session is freed with its context uninitialised.
    pack = pack_of(tmp_path, pair("lesion: = S.lesion"))
    with DurableEngine(pack) as engine:
        # Each condition is met, so that a session is opened; the join never is.
        admitted = Admission(pack).admit([sighting("S1", vis="visible"), sighting("S2", "L2", vis="gone")])
        for _ in range(3000):
            assert not engine.evaluate(admitted).outcome("T").gifts


def test_a_join_whose_last_comparison_is_false(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair('lesion: = S.lesion, mm: "> S.mm"'))
    for _ in range(100):
        assert concluded(pack, [sighting("S1", vis="visible", mm=5), sighting("S2", vis="gone", mm=4)]) == []
    assert concluded(pack, [sighting("S1", vis="visible", mm=3), sighting("S2", vis="gone", mm=4)]) == ["S2"]


def test_every_condition_with_a_join_ends_with_one_that_holds() -> None:
    with DurableEngine(load_pack(TINY)) as engine:
        seen = 0
        for rules in rulesets(engine):
            for rule in rules.values():
                for condition in rule["all"]:
                    ((_, body),) = condition.items()
                    tests = body["$and"]
                    assert set(body) == {"$and"}
                    ((kind, one),) = tests[0].items()
                    assert re.fullmatch(r"k\d+", kind) and one == 1, "the first test is the kind"
                    joined = [test for test in tests if "a0" in json.dumps(test)]
                    seen += bool(joined)
                    ((first,),) = (first["$and"][0] for first in rule["all"][0].values())
                    assert not joined or tests[-1] == {"$gte": {kind: {"a0": first}}}
        assert seen >= 3


def test_equal_hashes_of_joined_values_with_different_values(tmp_path: Path) -> None:
    # Two integers whose texts have one 32-bit hash, as millionths.
    seen: dict[int, int] = {}
    found: tuple[int, int] | None = None
    for number in range(999_999):
        other = seen.setdefault(fnv1a32(str(number)), number)
        if other != number:
            found = other, number
            break
    assert found is not None
    first, second = (Decimal(number).scaleb(-6) for number in found)
    pack = pack_of(tmp_path, pair("mm: = S.mm"))
    for _ in range(20):
        assert (
            concluded(pack, [sighting("S1", vis="visible", mm=first), sighting("S2", vis="gone", mm=second)])
            == []
        )
    assert concluded(
        pack, [sighting("S1", vis="visible", mm=first), sighting("S2", vis="gone", mm=first)]
    ) == ["S2"]


def test_more_evaluations_than_sessions_the_engine_can_hold(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair("lesion: = S.lesion"))
    facts = Admission(pack).admit([sighting("S1", vis="visible"), sighting("S2", vis="gone")])
    with DurableEngine(pack) as engine:
        for _ in range(1500):
            assert len(engine.evaluate(facts).outcome("T").gifts) == 1


def test_no_facts_at_all(tmp_path: Path) -> None:
    assert concluded(pack_of(tmp_path, pair("lesion: = S.lesion")), []) == []


def test_more_than_255_rules_that_end_alike(tmp_path: Path) -> None:
    rules = "\n".join(
        f'- id: R{n}\n  title: t\n  stratum: 1\n  when: [{{sighting S: {{vis: gone, mm: "> {n}"}}}}]\n  then: {{out: {{lesion: = S.lesion, n: {n}}}}}'
        for n in range(300)
    )
    pack = pack_of(tmp_path, rules)
    with DurableEngine(pack) as engine:
        sizes = [len(units) for group in engine.groups for _, units in group.rulesets]
    assert sum(sizes) == 300
    assert max(sizes) <= MAX_PER_KIND
    assert (
        len(given(run("durable", pack, [sighting("S1", vis="gone", mm=299), sighting("S2", "L2")]), "out"))
        == 299
    )


def test_600_distinct_tests_on_one_property(tmp_path: Path) -> None:
    rules = "\n".join(
        f"- id: R{n}\n  title: t\n  stratum: 1\n  when: [{{sighting S: {{exam: E{n}}}}}]\n  then: {{out: {{lesion: = S.exam}}}}"
        for n in range(600)
    )
    assert concluded(
        pack_of(tmp_path, rules), [sighting("S1", exam="E577"), sighting("S2", exam="E600")]
    ) == ["E577"]


def test_nothing_is_calculated_inside_the_engine() -> None:
    with DurableEngine(load_pack(TINY)) as engine:
        text = json.dumps(list(rulesets(engine)))
    for word in (
        "$add",
        "$sub",
        "$mul",
        "$div",
        "$or",
        "$not",
        "$nex",
        "$ex",
        "$mt",
        "$s",
        "$m",
        "$iany",
        "count",
    ):
        assert f'"{word}"' not in text


# ---------------------------------------------------------------- wrong answers


@pytest.mark.parametrize("reverse", [False, True])
def test_unless_does_not_depend_on_the_order(tmp_path: Path, reverse: bool) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - lesion L: {}
      unless:
        - sighting S: {lesion: = L.id}
      then: {out: {lesion: = L.id}}
    - id: U
      title: u
      stratum: 1
      when:
        - lesion L: {}
      then: {single: {lesion: = L.id}}
    """
    facts = [Fact("lesion", {"id": "L1"}), sighting("S1"), Fact("lesion", {"id": "L2"})]
    result = run("durable", pack_of(tmp_path, snippet), facts[::-1] if reverse else facts)
    assert [fact["lesion"] for fact in given(result, "out")] == ["L2"]
    assert [fact["lesion"] for fact in given(result, "single")] == ["L1", "L2"]


@pytest.mark.parametrize("alias", ["e", "u", "E", "U", "a"])
def test_unless_takes_nothing_from_other_rules_whatever_its_alias(tmp_path: Path, alias: str) -> None:
    snippet = f"""
    - id: T
      title: t
      stratum: 1
      when:
        - lesion L: {{}}
      unless:
        - sighting {alias}: {{lesion: = L.id}}
      then: {{out: {{lesion: = L.id}}}}
    - id: V
      title: v
      stratum: 1
      when:
        - sighting {alias}: {{}}
      then: {{single: {{lesion: = {alias}.id}}}}
    """
    result = run("durable", pack_of(tmp_path, snippet), [Fact("lesion", {"id": "L1"}), sighting("S1")])
    assert given(result, "out") == []
    assert given(result, "single") == [{"lesion": "S1"}]


def test_a_comparison_with_an_absent_property_of_the_same_fact(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when: [{sighting S: {mm: "> own.now"}}]
      then: {out: {lesion: = S.id}}
    """
    pack = pack_of(tmp_path, snippet)
    facts = [sighting("S1", mm=1), sighting("S2", mm=2, now=1), sighting("S3", now=-1), sighting("S4", mm=1)]
    assert concluded(pack, facts) == ["S2"]


def test_an_absent_property_in_an_ordering_join_drops_no_other_fact(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair('lesion: = S.lesion, mm: "> S.mm"'))
    facts = [sighting("S1", vis="visible"), sighting("S2", vis="visible", mm=1), sighting("S3", vis="gone"),
             sighting("S4", vis="gone", mm=2)]  # fmt: skip
    assert concluded(pack, facts) == ["S4"]


def test_either_of_two_codes_fires_once(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when: [{sighting S: {vis: [gone, visible], exam: "not in [x]"}}]
      subject: = S.id
      conclusion: c
      indicator: info
      hooks: [all]
    """
    result = run("durable", pack_of(tmp_path, snippet), [sighting("S1", vis="gone", exam="y")])
    assert [(f.subject, len(f.says)) for f in result.findings] == [("S1", 1)]


@pytest.mark.parametrize(
    ("left", "right"),
    [("", "1"), ("5", "05"), ("true", "True"), ("1", "1.0"), ("ab", "ab "), ("x" * 3000, "x" * 3000 + "y"), ("é", "e\u0301"),
     ("Obs-162382", "Obs-379599"), ("pat-4d58c2d3", "pat-5a1d94f3"), ('q"', "q"), ("a\\", "a"), ("\ud83d\ude00", "\ud83d\ude01")],
)  # fmt: skip
def test_texts_are_equal_only_to_themselves(tmp_path: Path, left: str, right: str) -> None:
    pack = pack_of(tmp_path, pair("exam: = S.exam"))
    assert (
        concluded(pack, [sighting("S1", vis="visible", exam=left), sighting("S2", vis="gone", exam=right)])
        == []
    )
    assert concluded(
        pack, [sighting("S1", vis="visible", exam=left), sighting("S2", vis="gone", exam=left)]
    ) == ["S2"]


def test_a_text_that_is_no_unicode_text_is_a_text(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair("exam: = S.exam"))
    facts = [sighting("S1", vis="visible", exam="\ud800"), sighting("S2", vis="gone", exam="\ud800")]
    assert concluded(pack, facts) == ["S2"]


def test_small_and_large_numbers_drop_no_fact(tmp_path: Path) -> None:
    # 1e-05 and 1e16 as JSON numbers end the engine's batch in silence.
    pack = pack_of(tmp_path, pair('mm: "= S.mm"'))
    for number in (D("0.00001"), D("1E-6"), D("1E+8"), D("999999999.999999"), D("-999999999.999999")):
        facts = [
            sighting("S1", vis="visible", mm=number),
            sighting("S2", vis="gone", mm=number),
            sighting("S3", vis="gone", mm=1),
        ]
        assert concluded(pack, facts) == ["S2"]


def test_neighbours_are_told_apart_at_the_limit(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair('lesion: = S.lesion, mm: "> S.mm"'))
    high, low = D("999999999.999999"), D("999999999.999998")
    assert concluded(pack, [sighting("S1", vis="visible", mm=low), sighting("S2", vis="gone", mm=high)]) == [
        "S2"
    ]
    assert concluded(pack, [sighting("S1", vis="visible", mm=high), sighting("S2", vis="gone", mm=low)]) == []


def test_a_product_beyond_the_limit_is_a_fault_not_an_answer(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair('lesion: = S.lesion, mm: "> 1.5 * S.mm"'))
    with pytest.raises(LimitExceeded, match="too large for the engine"):
        concluded(pack, [sighting("S1", vis="visible", mm=D(900_000_000)), sighting("S2", vis="gone", mm=1)])


def test_facts_whose_ids_have_one_hash_are_both_seen(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair("lesion: = S.lesion"))
    facts = [
        sighting("S", vis="visible"),
        sighting("Obs-162382", vis="gone"),
        sighting("Obs-379599", vis="gone"),
    ]
    assert concluded(pack, facts) == ["Obs-162382", "Obs-379599"]


def test_properties_whose_names_have_one_hash_are_two(tmp_path: Path) -> None:
    facts = """\
kinds:
  thing: {title: t, input: true, properties: {talzdl: {type: int}, pcrcwx: {type: int}, id: {type: id, required: true}}}
  out: {title: o, properties: {lesion: {type: id, required: true}}}
"""
    snippet = """
    - id: T
      title: t
      stratum: 1
      when: [{thing T: {talzdl: 1, pcrcwx: 2}}]
      then: {out: {lesion: = T.id}}
    """
    pack = pack_of(tmp_path, snippet, facts=facts)
    things = [Fact("thing", {"id": f"{a}{b}", "talzdl": a, "pcrcwx": b}) for a in (1, 2) for b in (1, 2)]
    assert concluded(pack, things) == ["12"]


def test_two_patients_with_one_session_hash_never_meet(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair("lesion: = S.lesion"))
    with DurableEngine(pack) as engine:
        admission = Admission(pack)
        # The other sighting of each belongs to a third lesion: each session is opened, and nothing fires.
        first = admission.admit(
            [sighting("pat-4d58c2d3", "L1", vis="visible"), sighting("X", "L3", vis="gone")]
        )
        second = admission.admit(
            [sighting("pat-5a1d94f3", "L1", vis="gone"), sighting("X", "L3", vis="visible")]
        )
        for _ in range(50):
            assert not engine.evaluate(first).outcome("T").gifts
            assert not engine.evaluate(second).outcome("T").gifts


def test_what_a_rule_gives_is_no_fact_of_its_own_stratum(tmp_path: Path) -> None:
    snippet = """
    - id: A
      title: a
      stratum: 1
      when: [{sighting S: {}}]
      then: {out: {lesion: = S.lesion}}
    - id: B
      title: b
      stratum: 2
      when: [{out O: {}}]
      then: {single: {lesion: = O.lesion}}
    - id: C
      title: c
      stratum: 3
      when: [{single O: {}}]
      subject: = O.lesion
      conclusion: c
      indicator: info
      hooks: [all]
    """
    result = run(
        "durable", pack_of(tmp_path, snippet), [sighting("S1"), sighting("S2"), sighting("S3", "L2")]
    )
    assert [f.subject for f in result.findings] == ["L1", "L2"]


def test_a_fact_that_satisfies_many_rules_at_once(tmp_path: Path) -> None:
    rules = "\n".join(
        f'- id: R{n}\n  title: t\n  stratum: 1\n  when:\n    - lesion L: {{base: "> {n}"}}\n    - sighting S: {{lesion: = L.id, mm: "> {n}"}}\n'
        f"  then: {{out: {{lesion: = S.lesion, n: {n}}}}}"
        for n in range(130)
    )
    facts = [Fact("lesion", {"id": "L1", "base": 500}), sighting("S1", mm=500)]
    assert len(given(run("durable", pack_of(tmp_path, rules), facts), "out")) == 130


# ---------------------------------------------------------------- the door to the engine


def fire(kind: str) -> dict[str, Any]:
    return {"all": [{"a0": {"$and": [{kind: 1}]}}]}


def test_the_sentinel_proves_that_every_fact_was_read() -> None:
    rules = ruleset({"r": fire("k1")}, {"r": 1})
    assert rules.run(['{"k1":1,"id":1}'], 2, Budget(5)) == {"r": [(1,)]}
    assert rules.run([], 1, Budget(5)) == {}
    rules.close()


@pytest.mark.parametrize(
    "count", [AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE, AT_ONCE * (CHECKED + 1) + 1]
)
def test_more_firings_than_one_message_holds_are_all_told_once(count: int) -> None:
    pair = [{"a0": {"$and": [{"k1": 1}]}}, {"a1": {"$and": [{"k2": 1}, {"$gte": {"k2": {"a0": "k1"}}}]}}]
    rules = ruleset({"r": fire("k1"), "s": {"all": pair}, "t": fire("k2")}, {"r": 1, "s": 2, "t": 1})
    facts = [f'{{"k1":1,"id":{n}}}' for n in range(1, count + 1)]
    for _ in range(2):
        told = rules.run([*facts, f'{{"k2":1,"id":{count + 1}}}'], count + 2, Budget(30))
        assert sorted(told["r"]) == [(n,) for n in range(1, count + 1)]
        assert sorted(told["s"]) == [(n, count + 1) for n in range(1, count + 1)]
        assert told["t"] == [(count + 1,)]
    rules.close()


def test_firings_are_counted_while_they_are_told() -> None:
    rules = ruleset({"r": fire("k1")}, {"r": 1})
    facts = [f'{{"k1":1,"id":{n}}}' for n in range(1, AT_ONCE * (CHECKED + 1) + 1)]
    with pytest.raises(LimitExceeded):
        rules.run(facts, len(facts) + 1, Budget(30, firings=AT_ONCE * CHECKED - 1))
    assert rules.broken


def test_a_batch_that_the_engine_ends_early_is_a_fault() -> None:
    # The engine drops this fact and all behind it, the sentinel too, and returns success.
    rules = ruleset({"r": fire("k1")}, {"r": 1})
    with pytest.raises(EngineFault):
        rules.run(['{"k1":1,"id":1}', '{"k1":1,"id":2,"x":1e-05}'], 3, Budget(5))
    assert rules.broken
    with pytest.raises(EngineFault, match="given up"):
        rules.run([], 1, Budget(5))


def test_a_doubled_id_is_a_fault() -> None:
    rules = ruleset({"r": fire("k1")}, {"r": 1})
    with pytest.raises(EngineFault):
        rules.run(['{"k1":1,"id":1}', '{"k1":1,"id":1}'], 2, Budget(5))
    assert rules.broken


@pytest.mark.parametrize("size", [2, 3])
def test_a_firing_with_fewer_facts_than_the_rule_has_is_a_fault(size: int) -> None:
    rules = ruleset({"r": fire("k1")}, {"r": size})
    with pytest.raises(EngineFault, match="wrong number of facts"):
        rules.run(['{"k1":1,"id":1}'], 2, Budget(5))
    assert rules.broken


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_firing_with_more_facts_than_the_rule_has_is_a_fault(size: int) -> None:
    conditions = [{f"a{n}": {"$and": [{f"k{n + 1}": 1}]}} for n in range(3)]
    rules = ruleset({"r": {"all": conditions}}, {"r": size})
    with pytest.raises(EngineFault, match="wrong number of facts"):
        rules.run([f'{{"k{n}":1,"id":{n}}}' for n in (1, 2, 3)], 4, Budget(5))
    assert rules.broken


def test_a_ruleset_the_engine_refuses_is_a_fault() -> None:
    with pytest.raises(EngineFault, match="refused ruleset"):
        Ruleset("test", {"r": {"all": [{"a0": {"$and": [{"$what": {"k1": 1}}]}}]}}, {"r": 1})


def test_firings_are_counted(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {}
        - sighting T: {lesion: = S.lesion}
      then: {out: {lesion: = S.lesion}}
    """
    pack = pack_of(tmp_path, snippet)
    many = Admission(pack).admit([sighting(f"S{n}") for n in range(460)])
    engine = DurableEngine(pack)
    with pytest.raises(LimitExceeded, match=str(MAX_FIRINGS)):
        engine.evaluate(many)
    assert engine.broken
    with pytest.raises(EngineFault, match="given up"):
        engine.evaluate(many)


def test_pairs_are_counted_before_the_engine_holds_them(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair('lesion: = S.lesion, mm: "> S.mm"'))
    many = [sighting(f"S{n}", vis=("visible", "gone")[n % 2], mm=1) for n in range(2100)]
    few = [sighting(f"S{n}", f"L{n % 50}", vis=("visible", "gone")[n // 50 % 2], mm=1) for n in range(2100)]
    with DurableEngine(pack) as engine:
        assert not engine.evaluate(Admission(pack).admit(few), timeout=30).outcomes
        with pytest.raises(LimitExceeded, match=f"more than {MAX_PAIRS} pairs"):
            engine.evaluate(Admission(pack).admit(many))


def test_time_is_limited(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair("lesion: = S.lesion"))
    engine = DurableEngine(pack)
    with pytest.raises(EngineTimeout):
        engine.evaluate(Admission(pack).admit([]), timeout=-1)
    assert engine.broken


def test_units_are_shared_between_statements(tmp_path: Path) -> None:
    same = "\n".join(
        f"- id: R{n}\n  title: t\n  stratum: 1\n  when: [{{sighting S{n}: {{vis: gone}}}}]\n  then: {{out: {{lesion: = S{n}.lesion, n: {n}}}}}"
        for n in range(5)
    )
    pack = pack_of(tmp_path, same)
    with DurableEngine(pack) as engine:
        group: Group = engine.groups[0]
        assert [len(units) for _, units in group.rulesets] == [1]
    assert [fact["n"] for fact in given(run("durable", pack, [sighting("S1", vis="gone")]), "out")] == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_days_enter_as_numbers(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, pair('lesion: = S.lesion, day: "> S.day + 1"'))
    facts = [sighting("S1", vis="visible", day=date(2023, 12, 31))]
    assert concluded(pack, [*facts, sighting("S2", vis="gone", day=date(2024, 1, 1))]) == []
    assert concluded(pack, [*facts, sighting("S2", vis="gone", day=date(2024, 1, 2))]) == ["S2"]
