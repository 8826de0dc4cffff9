"""What the language means: hand-computed cases, for each evaluation by itself."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rules.errors import LimitExceeded
from rules.evaluation import Evaluation
from rules.facts import Fact
from rules.language.model import Pack
from tests.rules.engines import ENGINES, given, run
from tests.rules.packing import FACTS, pack_of
from tests.rules.program import in_state

Run = Callable[[Pack, list[Fact]], Evaluation]


@pytest.fixture(params=ENGINES)
def evaluate(request: pytest.FixtureRequest) -> Run:
    return lambda pack, facts: run(request.param, pack, facts)


def lesion(id_: str = "L1", **values: Any) -> Fact:
    return Fact("lesion", {"id": id_, **values}, (f"lesion/{id_}",))


def sighting(id_: str = "S1", lesion_: str = "L1", **values: Any) -> Fact:
    return Fact("sighting", {"id": id_, "lesion": lesion_, **values}, (f"sighting/{id_}",))


D = Decimal
DAY = date(2026, 3, 1)

# ---------------------------------------------------------------- one test on one fact

ALONE = [
    ("vis: visible", {"vis": "visible"}, True),
    ("vis: visible", {"vis": "gone"}, False),
    ("vis: visible", {}, False),
    ("vis: unknown", {}, True),
    ('vis: "!= visible"', {}, True),
    ('vis: "!= visible"', {"vis": "visible"}, False),
    ("vis: [visible, unknown]", {}, True),
    ("vis: [visible, gone]", {}, False),
    ('vis: "not in [visible, gone]"', {}, True),
    ('vis: "not in [visible, unknown]"', {}, False),
    ("sure: yes", {"sure": "yes"}, True),
    ("sure: no", {}, False),
    ("mm: 5", {"mm": D("5.0")}, True),
    ("mm: 5", {"mm": D("5.000001")}, False),
    ("mm: 0.3", {"mm": D("0.1") + D("0.2")}, True),
    ("mm: 0", {}, False),
    ('mm: "!= 5"', {}, False),
    ('mm: "!= 5"', {"mm": 4}, True),
    ('mm: "> 5"', {"mm": D("5.000001")}, True),
    ('mm: "> 5"', {"mm": 5}, False),
    ('mm: ">= 5"', {"mm": 5}, True),
    ('mm: "< 5"', {"mm": 5}, False),
    ('mm: "<= 5"', {"mm": 5}, True),
    ('mm: "< 5"', {}, False),
    ('mm: "<= 0"', {}, False),
    ('mm: ">= -5"', {"mm": -5}, True),
    ('mm: "< 0"', {"mm": D("-0.000001")}, True),
    ('mm: "> 5 and <= 10"', {"mm": 10}, True),
    ('mm: "> 5 and <= 10"', {"mm": 5}, False),
    ('mm: "<= $ratio"', {"mm": D("0.7")}, True),
    ('mm: "<= $ratio + 1"', {"mm": D("1.7")}, True),
    ('mm: "> 2 * $ratio"', {"mm": D("1.4")}, False),
    ("mm: [1, 2.5]", {"mm": D("2.50")}, True),
    ("mm: [1, 2.5]", {}, False),
    ('mm: "not in [1, 2.5]"', {}, False),
    ('mm: "not in [1, 2.5]"', {"mm": 2}, True),
    ("mm: present", {"mm": 0}, True),
    ("mm: present", {}, False),
    ("mm: absent", {}, True),
    ("mm: absent", {"mm": 0}, False),
    ("slices: 3", {"slices": 3}, True),
    ('slices: "> 2.5"', {"slices": 3}, True),
    ('slices: "<= $window"', {"slices": 28}, True),
    ("slices: 1000000", {"slices": 10**6}, True),
    ("slices: 1000000", {"slices": 10**6 + 1}, False),
    ('slices: "> 999999998"', {"slices": 999_999_999}, True),
    ("day: 2026-03-01", {"day": DAY}, True),
    ('day: "< 2026-03-01"', {"day": date(2026, 2, 28)}, True),
    ('day: "< 2026-03-01"', {}, False),
    ('day: "!= 2026-03-01"', {}, False),
    ("day: [2026-03-01, 2026-03-02]", {"day": DAY}, True),
    ("exam: E1", {"exam": "E1"}, True),
    ("exam: E1", {"exam": "E1 "}, False),
    ("exam: E1", {"exam": "e1"}, False),
    ("exam: E1", {}, False),
    ('exam: "!= E1"', {}, False),
    ('exam: "!= E1"', {"exam": "E2"}, True),
    ('exam: "5"', {"exam": "5"}, True),
    ('exam: "5"', {"exam": "05"}, False),
    ('exam: "true"', {"exam": "true"}, True),
    ("exam: é", {"exam": "é"}, True),
    ("exam: é", {"exam": "e\u0301"}, False),
    ("exam: [E1, E2]", {"exam": "E2"}, True),
    ('exam: "not in [E1, E2]"', {"exam": "E3"}, True),
    ('exam: "not in [E1, E2]"', {}, False),
    ("exam: Obs-162382", {"exam": "Obs-379599"}, False),
    ("exam: Obs-162382", {"exam": "Obs-162382"}, True),
    ("exam: 'not in [q\", x]'", {"exam": 'q"'}, False),
    ("exam: 'not in [q\", x]'", {"exam": "q"}, True),
    ("exam: 'in [\"a\", ''b'']'", {"exam": "a"}, True),
    ("exam: 'in [\"a\", ''b'']'", {"exam": "b"}, True),
    ('mm: "<= 0.7 * own.now"', {"mm": 7, "now": 10}, True),
    ('mm: "<= 0.7 * own.now"', {"mm": D("7.000001"), "now": 10}, False),
    ('mm: "<= 0.7 * own.now"', {"mm": 7}, False),
    ('mm: "> own.slices"', {"mm": D("3.5"), "slices": 3}, True),
    ('mm: "!= own.now"', {"mm": 7, "now": 7}, False),
    ('mm: "!= own.now"', {"mm": 7}, False),
    ('mm: "> -1 * own.now"', {"mm": -6, "now": 7}, True),
    ('mm: "> 0.5 * own.now"', {"mm": 6, "now": 10}, True),
    ('mm: "> 0.5 * own.now"', {"mm": 5, "now": 10}, False),
    ('mm: "> 2 * own.now"', {"mm": 15, "now": 10}, False),
    ('mm: "> 2 * own.now"', {"mm": D("20.1"), "now": 10}, True),
    ('mm: "> own.now + 2"', {"mm": 11, "now": 10}, False),
    ('mm: "> own.now - 2"', {"mm": 9, "now": 10}, True),
    ('mm: "= own.now + 2"', {"mm": 12, "now": 10}, True),
    ('mm: "<= own.now * $ratio + 1"', {"mm": 8, "now": 10}, True),
    ("grade: = own.vis", {"grade": "gone", "vis": "gone"}, True),
    ("grade: = own.vis", {}, True),
    ('grade: "!= own.vis"', {"grade": "doubtful", "vis": "gone"}, True),
    ("exam: = own.lesion", {"exam": "L1"}, True),
    ("exam: = own.lesion", {}, False),
    ('exam: "!= own.lesion"', {}, False),
]


@pytest.mark.parametrize(("test", "values", "holds"), ALONE, ids=lambda value: str(value))
def test_one_test(tmp_path: Path, evaluate: Run, test: str, values: dict, holds: bool) -> None:
    snippet = f"- id: T\n  title: t\n  stratum: 1\n  when: [{{sighting S: {{{test}}}}}]\n  then: {{out: {{lesion: = S.lesion}}}}"
    result = evaluate(pack_of(tmp_path, snippet), [sighting(**values)])
    assert bool(result.facts) is holds


# ---------------------------------------------------------------- two facts

JOINED = [
    ("", {}, {}, True),
    ('mm: "< L.base"', {"mm": 4}, {"base": 5}, True),
    ('mm: "< L.base"', {"mm": 5}, {"base": 5}, False),
    ('mm: "< L.base"', {}, {"base": 5}, False),
    ('mm: "< L.base"', {"mm": 4}, {}, False),
    ('mm: "!= L.base"', {"mm": 4}, {}, False),
    ('mm: "!= L.base"', {"mm": 4}, {"base": 5}, True),
    ('mm: "<= 0.7 * L.base"', {"mm": 7}, {"base": 10}, True),
    ('mm: "<= 0.7 * L.base"', {"mm": D("7.000001")}, {"base": 10}, False),
    ('mm: "<= $ratio * L.base - 1"', {"mm": 6}, {"base": 10}, True),
    ('mm: "> 1.2 * L.base + 5"', {"mm": D("17.1")}, {"base": 10}, True),
    ('mm: "= 0.3 * L.base"', {"mm": D("0.3")}, {"base": 1}, True),
    ('mm: "> -0.5 * L.base"', {"mm": -4}, {"base": 10}, True),
    ('slices: ">= L.base"', {"slices": 3}, {"base": D("2.999999")}, True),
    ('exam: "!= L.id"', {"exam": "L1"}, {}, False),
    ('exam: "!= L.id"', {"exam": "L2"}, {}, True),
    ('exam: "!= L.id"', {}, {}, False),
]


@pytest.mark.parametrize(("test", "values", "other", "holds"), JOINED, ids=lambda value: str(value))
def test_a_comparison_with_another_fact(
    tmp_path: Path, evaluate: Run, test: str, values: dict, other: dict, holds: bool
) -> None:
    tests = "lesion: = L.id" + (f", {test}" if test else "")
    positive = (
        f"- id: T\n  title: t\n  stratum: 1\n  when:\n    - lesion L: {{}}\n    - sighting S: {{{tests}}}\n"
        "  then: {out: {lesion: = L.id}}"
    )
    negative = (
        f"- id: T\n  title: t\n  stratum: 1\n  when:\n    - lesion L: {{}}\n  unless:\n    - sighting S: {{{tests}}}\n"
        "  then: {out: {lesion: = L.id}}"
    )
    facts = [lesion(**other), sighting(**values)]
    assert bool(evaluate(pack_of(tmp_path, positive), facts).facts) is holds
    assert bool(evaluate(pack_of(tmp_path, negative), facts).facts) is not holds


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2026, 1, 31), False),
        (date(2026, 2, 1), True),
        (date(2026, 3, 1), True),
        (date(2026, 3, 2), False),
    ],
)
def test_days_between_dates(tmp_path: Path, evaluate: Run, day: date, holds: bool) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {}
        - sighting T: {lesion: = S.lesion, exam: E2, day: ">= S.day - $window and <= S.day"}
      then: {out: {lesion: = S.lesion, day: = T.day + 1, n: = S.day - T.day}}
    """
    facts = [sighting("S1", day=DAY), sighting("S2", day=day, exam="E2")]
    result = evaluate(pack_of(tmp_path, snippet), facts)
    wanted = [{"lesion": "L1", "day": day + datetime.timedelta(days=1), "n": (DAY - day).days}]
    assert [
        {name: fact[name] for name in ("lesion", "day", "n")} for fact in given(result, "out")
    ] == wanted * holds


def test_days_do_not_leave_the_calendar(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {}
        - sighting T: {lesion: = S.lesion, day: "> S.day + 4000000"}
      then: {out: {lesion: = S.lesion}}
    """
    pack = pack_of(tmp_path, snippet)
    assert evaluate(pack, [sighting("S1", day=date.max), sighting("S2", day=date.min)]).facts == ()


def test_absent_texts_equal_nothing(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {}
        - sighting T: {exam: = S.exam}
      then: {out: {lesion: = S.lesion}}
    """
    pack = pack_of(tmp_path, snippet)
    assert evaluate(pack, [sighting("S1"), sighting("S2")]).facts == ()
    assert len(evaluate(pack, [sighting("S1", exam="E"), sighting("S2", exam="E")]).facts) == 1


def test_numbers_join_by_value(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {vis: visible}
        - sighting T: {vis: gone, slices: = S.mm}
      then: {out: {lesion: = S.lesion}}
    """
    pack = pack_of(tmp_path, snippet)
    for mm, holds in [(D("1.0"), True), (1, True), (D("1.000000"), True), (D("1.000001"), False)]:
        facts = [sighting("S1", vis="visible", mm=mm), sighting("S2", vis="gone", slices=1)]
        assert bool(evaluate(pack, facts).facts) is holds
    nothing = [sighting("S1", vis="visible"), sighting("S2", vis="gone")]
    assert evaluate(pack, nothing).facts == ()


def test_two_aliases_are_two_facts(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - sighting S: {}
        - sighting T: {lesion: = S.lesion}
      subject: = S.id
      conclusion: pair
      indicator: info
      hooks: [all]
      say: {other: = T.id}
    - id: U
      title: u
      stratum: 1
      when:
        - sighting S: {}
      unless:
        - sighting T: {lesion: = S.lesion}
      then: {out: {lesion: = S.lesion}}
    - id: V
      title: u
      stratum: 1
      each: sighting S
      from: {sighting T: {lesion: = S.lesion}}
      give: {single: {lesion: = S.id, mm: max T.mm}}
    - id: W
      title: w
      stratum: 1
      when:
        - lesion L: {}
        - sighting S: {lesion: = L.id}
      unless:
        - sighting T: {vis: unknown}
      then: {out: {lesion: = S.id}}
    """
    pack = pack_of(tmp_path, snippet)
    one = evaluate(pack, [lesion(), sighting("S1", mm=1)])
    assert one.findings == ()
    assert given(one, "out") == [
        {"lesion": "L1", "flag": "unknown", "vis": "unknown"},
        {"lesion": "S1", "flag": "unknown", "vis": "unknown"},
    ]
    assert given(one, "single") == []
    two = evaluate(pack, [lesion(), sighting("S1", mm=1), sighting("S2", mm=2)])
    assert [(f.subject, f.says) for f in two.findings] == [
        ("S1", ({"other": "S2"},)),
        ("S2", ({"other": "S1"},)),
    ]
    assert given(two, "out") == []
    assert given(two, "single") == [{"lesion": "S1", "mm": D(2)}, {"lesion": "S2", "mm": D(1)}]


def test_unless_conditions_are_independent(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - lesion L: {}
      unless:
        - sighting S: {lesion: = L.id, vis: gone}
        - sighting T: {lesion: = L.id, sure: yes}
        - patient P: {}
      then: {out: {lesion: = L.id}}
    """
    pack = pack_of(tmp_path, snippet)
    patient = Fact("patient", {"today": DAY})
    for facts, wanted in [
        ([], ["L1", "L2"]),
        ([sighting(vis="gone")], ["L2"]),
        ([sighting(sure="yes")], ["L2"]),
        ([sighting("S1", vis="gone"), sighting("S2", "L2", sure="yes")], []),
        ([sighting(vis="visible", sure="no")], ["L1", "L2"]),
        ([patient], []),
    ]:
        result = evaluate(pack, [lesion("L1"), lesion("L2"), *facts])
        assert [fact["lesion"] for fact in given(result, "out")] == wanted


def test_unless_compared_with_the_patient_only(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when:
        - lesion L: {}
        - patient P: {}
      unless:
        - sighting S: {day: "> P.today - 10"}
      then: {out: {lesion: = L.id}}
    """
    pack = pack_of(tmp_path, snippet)
    facts = [lesion("L1"), lesion("L2"), Fact("patient", {"today": DAY})]
    old, new = sighting(day=date(2026, 2, 19)), sighting(day=date(2026, 2, 20))
    assert len(evaluate(pack, [*facts, old]).facts) == 2
    assert evaluate(pack, [*facts, new]).facts == ()


# ---------------------------------------------------------------- derivations


def test_aggregates(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      each: lesion L
      from: {sighting S: {lesion: = L.id, vis: visible}}
      give: {out: {lesion: = L.id, mm: max S.mm, day: min S.day, n: count, flag: exists}}
    - id: U
      title: u
      stratum: 1
      each: lesion L
      from: {sighting S: {lesion: = L.id}}
      give: {single: {lesion: = L.id, mm: min S.slices}}
    """
    facts = [
        lesion("L1"), lesion("L2"),
        sighting("S1", mm=3, day=DAY, vis="visible", slices=7), sighting("S2", mm=D("3.5"), vis="visible"),
        sighting("S3", mm=9, vis="gone"), sighting("S4", vis="visible", mm=D("3.5")),
    ]  # fmt: skip
    result = evaluate(pack_of(tmp_path, snippet), facts)
    assert given(result, "out") == [
        {"lesion": "L1", "mm": D("3.5"), "day": DAY, "n": 3, "flag": "yes", "vis": "unknown"},
        {"lesion": "L2", "n": 0, "flag": "no", "vis": "unknown"},
    ]
    assert given(result, "single") == [{"lesion": "L1", "mm": D(7)}]
    assert isinstance(given(result, "single")[0]["mm"], Decimal)
    single = next(derived for derived in result.facts if derived.fact.kind == "single")
    assert [fact.values["id"] for fact in single.support] == ["L1", "S1"], "the support attains the minimum"
    counted = next(derived for derived in result.facts if derived.fact.kind == "out")
    assert [fact.values["id"] for fact in counted.support] == ["L1", "S1", "S2", "S4"]
    assert counted.fact.sources == ("lesion/L1", "sighting/S1", "sighting/S2", "sighting/S4")


def test_findings_are_counted_anew_in_every_stratum(tmp_path: Path, evaluate: Run) -> None:
    speak = "conclusion: c\n  indicator: info\n  hooks: [all]"
    count = (
        "each: lesion L\n  from: {finding F: {indicator: info}}\n  give: {out: {lesion: = L.id, n: count}}"
    )
    snippet = "".join(
        f"- id: {id_}\n  title: t\n  stratum: {stratum}\n  {body}\n"
        for id_, stratum, body in [
            ("A", 1, f"when: [{{lesion L: {{}}}}]\n  {speak}"),
            ("B", 2, count),
            ("C", 3, f"when: [{{lesion L: {{}}}}]\n  {speak}"),
            ("D", 4, count),
            ("E", 5, f"when: [{{lesion L: {{}}}}]\n  {speak}"),
            ("F", 6, count),
        ]
    )
    result = evaluate(pack_of(tmp_path, snippet), [lesion()])
    assert [(one.rule, one.fact.values["n"]) for one in result.facts] == [("B", 1), ("D", 2), ("F", 3)]


WINDOWS = [
    (">= T.day - 28", ["S0", "S1", "S2", "S4"]),
    ("> T.day - $window", ["S1", "S2", "S4"]),
    ("> T.day - 28 and <= T.day", ["S1", "S2"]),
    ("<= T.day - 1", ["S0", "S1"]),
    ("= T.day + 1", ["S4"]),
    ("!= T.day", ["S0", "S1", "S4"]),
    ("> T.day", ["S4"]),
]


@pytest.mark.parametrize(("test", "met"), WINDOWS)
def test_days_before_and_after_another_fact(tmp_path: Path, evaluate: Run, test: str, met: list[str]) -> None:
    snippet = f"""
    - id: T
      title: t
      stratum: 1
      each: {{sighting T: {{exam: E0}}}}
      from: {{sighting S: {{lesion: = T.lesion, day: "{test}"}}}}
      give: {{out: {{lesion: = T.lesion, n: count}}}}
    """
    facts = [
        sighting("S0", day=DAY - timedelta(28)), sighting("S1", day=DAY - timedelta(27)), sighting("S2", day=DAY),
        sighting("S3"), sighting("S4", day=DAY + timedelta(1)), sighting("T", day=DAY, exam="E0"),
    ]  # fmt: skip
    (derived,) = evaluate(pack_of(tmp_path, snippet), facts).facts
    assert [fact.values["id"] for fact in derived.support] == [*met, "T"]


PICK = """
- id: T
  title: t
  stratum: 1
  each: lesion L
  from: {sighting S: {lesion: = L.id}}
  pick: ["S.sure is yes", "S.day latest", "S.mm smallest"]
  give: {out: {lesion: = S.id, mm: = S.mm, day: = L.base * 0 + S.day}}
""".replace(", day: = L.base * 0 + S.day", "")


@pytest.mark.parametrize(
    ("sightings", "chosen"),
    [
        ([{"sure": "no", "day": DAY}, {"sure": "yes", "day": date(2020, 1, 1)}], "S2"),
        ([{"day": date(2026, 2, 1)}, {"day": DAY}], "S2"),
        ([{}, {"day": date(1990, 1, 1)}], "S2"),
        ([{"day": DAY, "mm": 3}, {"day": DAY, "mm": 2}], "S2"),
        ([{"day": DAY}, {"day": DAY, "mm": 2}], "S2"),
        ([{"day": DAY, "mm": 2}, {"day": DAY, "mm": 2}], "S1"),
        ([{"sure": "unknown"}, {"sure": "no"}], "S1"),
    ],
)
def test_pick(tmp_path: Path, evaluate: Run, sightings: list[dict], chosen: str) -> None:
    facts = [lesion(), *(sighting(f"S{n}", **values) for n, values in enumerate(sightings, 1))]
    pack = pack_of(tmp_path, PICK)
    for order in (facts, facts[::-1]):
        result = evaluate(pack, order)
        assert [fact["lesion"] for fact in given(result, "out")] == [chosen]
        assert [fact.values["id"] for fact in result.facts[0].support] == ["L1", chosen]


def test_a_full_tie_goes_to_the_smallest_text_not_to_the_first_seen(tmp_path: Path, evaluate: Run) -> None:
    pack = pack_of(tmp_path, PICK)
    names = ["Z", "é", "a", "B"]
    for order in (names, names[::-1]):
        result = evaluate(pack, [lesion(), *(sighting(name) for name in order)])
        assert given(result, "out")[0]["lesion"] == "B"


def test_where_and_unless_narrow_a_derivation(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      each: {lesion L: {nature: metastasis}}
      where:
        - sighting W: {lesion: = L.id, vis: visible}
      unless:
        - sighting N: {lesion: = L.id, vis: gone}
      from: {sighting S: {lesion: = L.id, vis: unknown}}
      give: {out: {lesion: = L.id, n: count}}
    """
    lesions = [lesion(f"L{n}", nature="metastasis") for n in (1, 2, 3)] + [lesion("L4", nature="benign")]
    facts = [
        *lesions, sighting("S1", "L1", vis="visible"), sighting("S2", "L1"), sighting("S3", "L2", vis="visible"),
        sighting("S4", "L2", vis="gone"), sighting("S5", "L4", vis="visible"),
    ]  # fmt: skip
    result = evaluate(pack_of(tmp_path, snippet), facts)
    assert [(fact["lesion"], fact["n"]) for fact in given(result, "out")] == [("L1", 1)]
    assert [fact.values["id"] for fact in result.facts[0].support] == ["L1", "S1", "S2"]


def test_from_without_equality_and_without_from(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      each: patient P
      from: {sighting S: {day: "<= P.today", vis: visible}}
      give: {out: {lesion: all, n: count}}
    - id: U
      title: u
      stratum: 1
      each: lesion L
      give: {single: {lesion: = L.id, mm: $ratio}}
    """
    facts = [Fact("patient", {"today": DAY}), lesion(), *(
        sighting(f"S{n}", f"L{n}", vis="visible", day=DAY + datetime.timedelta(days=n)) for n in (-1, 0, 1)
    )]  # fmt: skip
    result = evaluate(pack_of(tmp_path, snippet), facts)
    assert [(fact["lesion"], fact["n"]) for fact in given(result, "out")] == [("all", 2)]
    assert given(result, "single") == [{"lesion": "L1", "mm": D("0.7")}]


# ---------------------------------------------------------------- decision lists

LIST = """
- id: T
  title: The list
  stratum: 1
  each: lesion L
  when:
    - patient P: {}
  unless:
    - sighting Z: {lesion: = L.id, exam: stop}
  subject: = L.id
  conclusion: told
  indicator: info
  hooks: [patient-view]
  family: F2
  say: {today: = P.today}
  cases:
    - id: gone
      title: It is gone
      when:
        - sighting S: {lesion: = L.id, vis: gone}
      unless:
        - sighting V: {lesion: = L.id, vis: visible, day: ">= S.day"}
      then: {single: {lesion: = L.id, mm: 0}}
      indicator: critical
      family: F1
      display: row
      say: {seen: = S.id}
    - id: visible
      when:
        - sighting S: {lesion: = L.id, vis: visible}
      silent: true
    - id: rest
      then: {single: {lesion: = L.id}}
      conclusion: nothing-known
"""


def test_the_first_case_that_holds_wins(tmp_path: Path, evaluate: Run) -> None:
    facts = [
        Fact("patient", {"today": DAY}), *(lesion(f"L{n}") for n in range(1, 6)),
        sighting("S1", "L1", vis="gone", day=DAY), sighting("S2", "L1", vis="gone"),
        sighting("S3", "L2", vis="gone", day=DAY), sighting("S4", "L2", vis="visible", day=DAY),
        sighting("S5", "L3"), sighting("S6", "L5", exam="stop"), sighting("S7", "L5", vis="gone"),
    ]  # fmt: skip
    result = evaluate(pack_of(tmp_path, LIST), facts)
    told = [
        (f.case, f.subject, f.conclusion, f.indicator, f.family, f.display, f.title) for f in result.findings
    ]
    assert told == [
        ("gone", "L1", "told", "critical", "F1", "row", "It is gone"),
        ("rest", "L3", "nothing-known", "info", "F2", "card", "The list"),
        ("rest", "L4", "nothing-known", "info", "F2", "card", "The list"),
    ]
    assert result.findings[0].says == ({"seen": "S1", "today": DAY}, {"seen": "S2", "today": DAY})
    assert [fact.values.get("id") for fact in result.findings[0].facts] == ["L1", None, "S1", "S2"]
    assert result.findings[0].sources == ("lesion/L1", "sighting/S1", "sighting/S2")
    assert given(result, "single") == [{"lesion": "L1", "mm": D(0)}, {"lesion": "L3"}, {"lesion": "L4"}]
    assert [derived.case for derived in result.facts] == ["gone", "rest", "rest"]


def test_conditions_beside_the_cases_hold_for_every_case(tmp_path: Path, evaluate: Run) -> None:
    facts = [lesion("L1"), sighting("S1", "L1", vis="gone")]
    assert evaluate(pack_of(tmp_path, LIST), facts).findings == ()


def test_what_forbids_the_list_may_be_what_a_case_binds(tmp_path: Path, evaluate: Run) -> None:
    # The `unless` beside the cases knows the facts bound beside it, not those that a case binds.
    snippet = """
    - id: T
      title: t
      stratum: 1
      each: lesion L
      unless:
        - sighting N: {lesion: = L.id, vis: gone}
      cases:
        - id: only
          when: [{sighting S: {lesion: = L.id}}]
          then: {single: {lesion: = L.id}}
    - id: U
      title: u
      stratum: 1
      each: lesion L
      cases:
        - id: only
          when: [{sighting S: {lesion: = L.id}}]
          unless: [{sighting N: {lesion: = L.id, vis: gone}}]
          then: {out: {lesion: = L.id}}
    """
    pack = pack_of(tmp_path, snippet)
    gone = evaluate(pack, [lesion(), sighting("S1", vis="gone")])
    assert (given(gone, "single"), len(given(gone, "out"))) == ([], 1)
    seen = evaluate(pack, [lesion(), sighting("S1", vis="visible")])
    assert (len(given(seen, "single")), len(given(seen, "out"))) == (1, 1)


# ---------------------------------------------------------------- findings, strata, status

CHAIN = """
- id: A
  title: a
  stratum: 1
  status: {status}
  when: [{{sighting S: {{vis: gone}}}}]
  then: {{out: {{lesion: = S.lesion, mm: = S.mm}}}}
  subject: = S.lesion
  conclusion: gone
  indicator: warning
  hooks: [all]
- id: B
  title: b
  stratum: 2
  when:
    - finding F: {{rule: A, indicator: [warning, critical]}}
    - out O: {{lesion: = F.subject, mm: "< $ratio"}}
  subject: = F.subject
  conclusion: small
  indicator: info
  hooks: [all]
- id: C
  title: c
  stratum: 3
  when: [{{lesion L: {{}}}}]
  unless: [{{finding F: {{subject: = L.id, conclusion: [gone, small]}}}}]
  then: {{single: {{lesion: = L.id}}}}
"""


@pytest.mark.parametrize("status", ["active", "shadow", "off"])
def test_findings_are_facts_of_higher_strata_unless_shadowed(
    tmp_path: Path, evaluate: Run, status: str
) -> None:
    facts = [lesion("L1"), lesion("L2"), sighting("S1", vis="gone", mm=D("0.5"))]
    pack = pack_of(tmp_path, CHAIN.format(status="active"))
    # No pack may take A out of force while B rests on it; the evaluations are right there all the same.
    result = evaluate(in_state(pack, {"A": status}), facts)
    active = status == "active"
    assert [(f.rule, f.subject, f.status) for f in result.findings] == [
        ("A", "L1", status), *([("B", "L1", "active")] * active),
    ]  # fmt: skip
    assert bool(given(result, "out")) is active
    assert [fact["lesion"] for fact in given(result, "single")] == (["L2"] if active else ["L1", "L2"])


def test_what_lies_behind_a_finding(tmp_path: Path, evaluate: Run) -> None:
    facts = [lesion("L1"), sighting("S1", vis="gone", mm=D("0.5"))]
    result = evaluate(pack_of(tmp_path, CHAIN.format(status="active")), facts)
    small = result.findings[1]
    assert [fact.kind for fact in small.facts] == ["finding", "out"]
    assert small.facts[0].values == {
        "rule": "A",
        "subject": "L1",
        "indicator": "warning",
        "conclusion": "gone",
    }
    assert small.sources == ("sighting/S1",)
    assert small.parameters == ("ratio",)
    assert small.revision == result.revision


def test_a_finding_about_the_patient_gathers_all_ways(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: A
      title: a
      stratum: 1
      when: [{sighting S: {vis: gone}}]
      conclusion: any
      indicator: info
      hooks: [all]
      say: {mm: = S.mm, twice: = 2 * S.mm - 1, text: gone, number: 5}
    """
    facts = [
        sighting("S1", vis="gone", mm=2),
        sighting("S2", "L2", vis="gone"),
        sighting("S3", "L3", vis="gone", mm=2),
    ]
    (finding,) = evaluate(pack_of(tmp_path, snippet), facts).findings
    assert finding.subject is None
    assert finding.says == (
        {"mm": D(2), "number": 5, "text": "gone", "twice": D(3)},
        {"number": 5, "text": "gone"},
    )
    assert len(finding.facts) == 3


def test_two_statements_may_give_one_fact(tmp_path: Path, evaluate: Run) -> None:
    snippet = """
    - id: A
      title: a
      stratum: 1
      when: [{sighting S: {vis: gone}}]
      then: {out: {lesion: = S.lesion}}
    - id: B
      title: b
      stratum: 2
      when: [{lesion L: {base: "> $ratio"}}]
      then: {out: {lesion: = L.id}}
    - id: C
      title: c
      stratum: 3
      when: [{out O: {}}]
      subject: = O.lesion
      conclusion: c
      indicator: info
      hooks: [all]
    """
    facts = [lesion("L1", base=30), sighting("S1", vis="gone"), sighting("S2", vis="gone")]
    result = evaluate(pack_of(tmp_path, snippet), facts)
    assert [(d.rule, [f.values["id"] for f in d.support]) for d in result.facts] == [
        ("A", ["S1", "S2"]),
        ("B", ["L1"]),
    ]
    assert len(result.of("out")) == 1
    assert result.of("out")[0].sources == ("lesion/L1", "sighting/S1", "sighting/S2")
    assert result.findings[0].sources == ("lesion/L1", "sighting/S1", "sighting/S2")
    assert result.findings[0].parameters == ("ratio",)


# ---------------------------------------------------------------- outputs


def output(evaluate: Run, tmp_path: Path, value: str, **values: Any) -> list[dict]:
    snippet = f"- id: T\n  title: t\n  stratum: 1\n  when: [{{sighting S: {{}}}}]\n  then: {{out: {{lesion: = S.lesion, {value}}}}}"
    return given(evaluate(pack_of(tmp_path, snippet), [sighting(**values)]), "out")


@pytest.mark.parametrize(
    ("value", "values", "name", "wanted"),
    [
        ("mm: = S.mm", {"mm": D("1.50")}, "mm", D("1.5")),
        ("mm: = S.mm", {}, "mm", None),
        ("mm: = S.slices", {"slices": 4}, "mm", D(4)),
        ("mm: = 0.5 * S.mm + $ratio", {"mm": 3}, "mm", D("2.2")),
        ("mm: = 2 * S.mm - 3 * S.slices - 0.5", {"mm": D("1.1"), "slices": 2}, "mm", D("-4.3")),
        ("mm: = S.mm - S.slices", {"mm": 1}, "mm", None),
        ("mm: 7", {}, "mm", D(7)),
        ("mm: $ratio", {}, "mm", D("0.7")),
        ("n: $window", {}, "n", 28),
        ("n: = 3 * S.slices - 1", {"slices": 5}, "n", 14),
        ("n: = S.slices", {}, "n", None),
        ("day: = S.day - $window", {"day": DAY}, "day", date(2026, 2, 1)),
        ("day: = S.day + S.slices", {"day": DAY, "slices": -1}, "day", date(2026, 2, 28)),
        ("day: = S.day", {}, "day", None),
        ("vis: = S.vis", {"vis": "gone"}, "vis", "gone"),
        ("vis: = S.vis", {}, "vis", "unknown"),
        ("flag: yes", {}, "flag", "yes"),
        ("mm: = -1 * S.mm", {"mm": 4}, "mm", D(-4)),
        ("mm: = - S.mm", {"mm": 4}, "mm", D(-4)),
    ],
)  # fmt: skip
def test_outputs(tmp_path: Path, evaluate: Run, value: str, values: dict, name: str, wanted: Any) -> None:
    (fact,) = output(evaluate, tmp_path, value, **values)
    assert fact.get(name) == wanted
    assert type(fact.get(name)) is type(wanted)


@pytest.mark.parametrize(
    ("value", "values", "words"),
    [
        ("mm: = 0.7 * S.mm", {"mm": D("0.000001")}, "six decimal places"),
        ("mm: = 2 * S.mm", {"mm": 500_000_000}, "too large"),
        ("n: = 2 * S.slices", {"slices": 500_000_000}, "too large"),
        ("day: = S.day + 1", {"day": date.max}, "leaves the calendar"),
        ("day: = S.day - S.slices", {"day": DAY, "slices": 10**6}, "leaves the calendar"),
    ],
)
def test_an_output_that_does_not_fit_ends_the_evaluation(
    tmp_path: Path, evaluate: Run, value: str, values: dict, words: str
) -> None:
    with pytest.raises(LimitExceeded, match=words):
        output(evaluate, tmp_path, value, **values)


def test_tables_are_facts(tmp_path: Path, evaluate: Run) -> None:
    facts = (
        FACTS
        + """\
  weight:
    title: A constant
    properties:
      vis: {type: code, values: [visible, gone], required: true}
      points: {type: int}
"""
    )
    tables = "tables:\n  weight: [{vis: gone, points: 2}, {vis: visible, points: 1}]\n"
    snippet = """
    - id: A
      title: a
      stratum: 1
      when:
        - sighting S: {}
        - weight W: {vis: = S.vis}
      then: {out: {lesion: = S.lesion, n: = W.points}}
    """
    pack = pack_of(tmp_path, snippet, facts=facts, tables=tables)
    result = evaluate(pack, [sighting(vis="gone"), sighting("S2", "L2")])
    assert [(fact["lesion"], fact["n"]) for fact in given(result, "out")] == [("L1", 2)]
    assert result.of("out")[0].sources == ("sighting/S1",)
