"""What a statement becomes: the parts of a checked pack that both evaluations and the cards read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from rules.errors import PackError
from rules.language import lint_pack
from rules.language.model import Linear, Ref
from rules.language.statements import STATUSES
from tests.rules.packing import FACTS, pack_of

GIVE = "then: {out: {lesion: = S.lesion}}"


def condition(tmp_path: Path, text: str, facts: str = FACTS):
    snippet = f"""
    - id: T
      title: t
      stratum: 9
      when:
        - {text}
      {GIVE}
    """
    return pack_of(tmp_path, snippet, facts=facts).statements["T"].when[0]


@pytest.mark.parametrize(
    ("test", "right"),
    [
        ("mm: 5", Linear("decimal", constant=Decimal(5))),
        ("mm: -2.50", Linear("decimal", constant=Decimal("-2.5"))),
        ("slices: 3", Linear("int", constant=3)),
        ("day: 2026-03-01", Linear("date", date=date(2026, 3, 1))),
        ('day: "> 2026-03-01"', Linear("date", date=date(2026, 3, 1))),
        ("exam: E1", Linear("id", text="E1")),
        ("lesion: = own.exam", Linear("id", ((1, Ref("own", "exam")),))),
        ('mm: "< 2 * own.now - 3 + $ratio"', Linear("decimal", ((2, Ref("own", "now")),), Decimal("-2.3"), parameters=("ratio",))),
        ('slices: "< 2 * 3"', Linear("int", constant=6)),
        ('mm: "> $ratio * $ratio * own.now"', Linear("decimal", ((Decimal("0.49"), Ref("own", "now")),), parameters=("ratio",))),
        ('day: ">= own.day2 - $window"', Linear("date", ((1, Ref("own", "day2")),), -28, parameters=("window",), unit="d")),
        ('slices: "> own.day - own.day2"', None),
    ],
)  # fmt: skip
def test_the_right_side_of_a_comparison(tmp_path: Path, test: str, right: Linear | None) -> None:
    facts = FACTS.replace("      slices: ", "      day2: {type: date}\n      slices: ")
    if right is None:
        with pytest.raises(PackError, match="names two properties; a test compares with one"):
            condition(tmp_path, f"sighting S: {{{test}}}", facts)
        return
    assert condition(tmp_path, f"sighting S: {{{test}}}", facts).tests[0].right == right


@pytest.mark.parametrize(
    ("test", "choices", "written"),
    [
        ("vis: [visible, gone]", ("visible", "gone"), "in [visible, gone]"),
        ("vis: not in [visible]", None, ""),
        ('exam: ["12", "no", a]', ("12", "no", "a"), "in [12, no, a]"),
        ("exam: \"not in ['1', no]\"", ("1", "no"), "not in ['1', no]"),
        ('exam: "in [\'a b\', \\"c\\", d\' ]"', ("a b", "c", "d'"), "in ['a b', \"c\", d' ]"),
        ('mm: ["5", 6]', (Decimal(5), Decimal(6)), "in [5, 6]"),
        ('slices: "in [1,2]"', (1, 2), "in [1,2]"),
        ("vis: [unknown]", ("unknown",), "in [unknown]"),
    ],
)
def test_a_list_of_values(tmp_path: Path, test: str, choices: tuple | None, written: str) -> None:
    if choices is None:  # YAML ends a plain text of a flow mapping at the bracket
        with pytest.raises(PackError, match="not YAML"):
            condition(tmp_path, f"sighting S: {{{test}}}")
        return
    found = condition(tmp_path, f"sighting S: {{{test}}}").tests[0]
    assert (found.choices, found.written, found.right) == (choices, written, None)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("mm: [[1], 2]", "must be a number"),
        ("vis: [[visible]]", "must be a text"),
        ('mm: "> 0.5 * own.day"', "neither a date and days"),
        ('mm: "> own.day * 1"', "is a decimal, 'own.day * 1' is a date"),
        ('mm: "> 0.5 * own.exam"', "calculates with a text"),
        ('mm: "> own.exam + 1"', "calculates with a text"),
        ('mm: "> - own.exam"', "calculates with a text"),
        ('day: "> 2026-02-30"', "'2026-02-30' is not a calendar date"),
        ('day: "> own.day - 1 - own.day"', "is a date, 'own.day - 1 - own.day' is an int"),
        ('day: "> own.day + 1.5"', "adds a part of a day"),
        ('exam: "= own.day"', "is an id, own.day is a date"),
        ('exam: "!= own.mm"', "is an id, own.mm is a decimal"),
        ('mm: "> 999999999 + 1"', "too large"),
        ('mm: "> 1000 * 1000000 * own.now"', "too large"),
        ('mm: "> 3 own.now"', "cannot read '3 own.now' as a sum"),
        ('mm: "> * own.now"', "cannot read '* own.now' as a sum"),
        ('mm: "> 5 and"', "'5 and'"),
        ('mm: "> 5 and <"', "a value is missing after the operator"),
        ("exam: in a", "write the list as 'in [a, b]'"),
        ('day: "= $window"', "is a date, '$window' is an int"),
    ],
)
def test_what_cannot_be_compared(tmp_path: Path, test: str, words: str) -> None:
    with pytest.raises(PackError) as caught:
        condition(tmp_path, f"sighting S: {{{test}}}")
    assert any(words in problem.message for problem in caught.value.problems), str(caught.value)


@pytest.mark.parametrize("word", ["own", "min", "max", "count", "exists", "and", "in", "not", "present", "absent", "finding"])  # fmt: skip
def test_reserved_words_name_nothing(tmp_path: Path, word: str) -> None:
    with pytest.raises(PackError, match=f"'{word}' is a reserved word"):
        condition(tmp_path, f"sighting {word}: {{}}")
    declared = FACTS + f"  {word}: {{title: t, shown: true, properties: {{}}}}\n"
    with pytest.raises(PackError, match=f"'{word}' cannot be the name of a kind"):
        condition(tmp_path, "sighting S: {}", declared)


def test_tests_may_be_left_out_but_not_be_a_text(tmp_path: Path) -> None:
    assert condition(tmp_path, "sighting S:").tests == ()
    with pytest.raises(PackError, match="the tests of 'sighting S' must be a mapping"):
        condition(tmp_path, 'sighting S: ""')


def test_an_alias_may_be_left_out(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 9
      when: [{patient: {}}, {sighting S: {}}]
      unless: [{lesion: {id: = S.lesion}}]
      then: {out: {lesion: = S.lesion}}
    """
    statement = pack_of(tmp_path, snippet).statements["T"]
    assert [(one.alias, one.named) for one in statement.when] == [("_1", False), ("S", True)]
    assert [(one.alias, one.named) for one in statement.unless] == [("_3", False)]


def test_a_refused_condition_is_reported_once(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 9
      when:
        - sighting S: {viss: gone}
        - lesion and: {}
        - lesion L: {id: = S.lesion}
      then: {out: {lesion: = L.id}}
    """
    with pytest.raises(PackError) as caught:
        pack_of(tmp_path, snippet)
    assert [problem.line for problem in caught.value.problems] == [6, 7]


FINDER = """
- id: A
  title: a
  stratum: 1
  when: [{{sighting S: {{}}}}]
  conclusion: c
  indicator: info
  hooks: [all]
- id: T
  title: t
  stratum: 2
  when:
    - lesion L: {{}}
    - finding F: {{{test}}}
  then: {{out: {{lesion: = L.id}}}}
"""


def test_the_finding_of_one_rule_needs_no_equality(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, FINDER.format(test="rule: A"))
    assert pack.statements["T"].when[1].kind == "finding"


@pytest.mark.parametrize("test", ['rule: "!= A"', "rule: [A]", "indicator: info", ""])
def test_findings_of_several_rules_need_one(tmp_path: Path, test: str) -> None:
    with pytest.raises(PackError, match="'finding F' needs an equality with an earlier alias"):
        pack_of(tmp_path, FINDER.format(test=test))


DECISION = """
- id: T
  title: The list
  stratum: 1
  status: {status}
  each: lesion L
  {shared}
  hooks: [patient-view, order-sign]
  evidence_for: E1
  evidence_against: [none-found]
  cases:
    - id: one
      title: The first
      unless: [{{patient: {{}}}}]
      conclusion: mine
      indicator: critical
      display: row
      family: F2
      advice: Do one
      must_not: Not one
      say: {{a: 2, c: = L.base}}
    - id: two
"""
SHARED = """subject: = L.id
  conclusion: ours
  indicator: info
  family: F1
  advice: Do
  must_not: Do not
  say: {a: 1, b: "x y", d: 2026-01-01, e: $ratio}"""


def test_the_findings_of_a_list(tmp_path: Path) -> None:
    statement = pack_of(tmp_path, DECISION.format(shared=SHARED, status="shadow")).statements["T"]
    one, two = statement.finding_specs()
    assert (two.title, two.conclusion, two.indicator, two.display) == ("The list", "ours", "info", "card")
    assert (two.family, two.advice, two.must_not) == ("F1", "Do", "Do not")
    assert two.hooks == one.hooks == ("patient-view", "order-sign")
    assert two.subject == one.subject == Linear("id", ((1, Ref("L", "id")),))
    told = {name: value.literal for name, value in two.say}
    assert told == {"a": 1, "b": "x y", "d": date(2026, 1, 1), "e": Decimal("0.7")}
    assert (one.title, one.conclusion, one.indicator, one.display) == ("The first", "mine", "critical", "row")
    assert (one.family, one.advice, one.must_not) == ("F2", "Do one", "Not one")
    assert [(name, value.literal) for name, value in one.say] == [
        ("b", "x y"), ("d", date(2026, 1, 1)), ("e", Decimal("0.7")), ("a", 2), ("c", None),
    ]  # fmt: skip
    assert (statement.evidence_for, statement.evidence_against) == (("E1",), ("none-found",))
    assert (statement.status, statement.parameters, statement.form) == ("shadow", ("ratio",), "decision")


@pytest.mark.parametrize("key", ["subject: = L.id", "indicator: info", "display: row", "family: F1", "advice: x",
                                 "must_not: x", "say: {a: b}", "hooks: [all]"])  # fmt: skip
def test_no_key_of_a_finding_stands_without_a_conclusion(tmp_path: Path, key: str) -> None:
    snippet = f"""
    - id: T
      title: t
      stratum: 1
      when: [{{lesion L: {{}}}}]
      then: {{out: {{lesion: = L.id}}}}
      {key}
    """
    with pytest.raises(PackError, match="rule 'T' has keys of a finding but no 'conclusion'"):
        pack_of(tmp_path, snippet)


@pytest.mark.parametrize("key", ["indicator: info", "display: row", "family: F1", "advice: x", "must_not: x", "say: {a: b}"])  # fmt: skip
def test_no_key_of_a_case_stands_without_a_conclusion(tmp_path: Path, key: str) -> None:
    snippet = f"""
    - id: T
      title: t
      stratum: 1
      each: lesion L
      cases: [{{id: a, then: {{out: {{lesion: = L.id}}}}, {key}}}]
    """
    with pytest.raises(PackError, match="case 'a' of 'T' has keys of a finding but no 'conclusion'"):
        pack_of(tmp_path, snippet)


@pytest.mark.parametrize("status", STATUSES)
def test_the_status(tmp_path: Path, status: str) -> None:
    assert pack_of(tmp_path, DECISION.format(shared=SHARED, status=status)).statements["T"].status == status


def test_a_case_without_a_test_of_its_own_finding(tmp_path: Path) -> None:
    told = [str(one) for one in lint_pack(pack_of(tmp_path, DECISION.format(shared=SHARED, status="active")))]
    assert [line.split("'T' ")[1] for line in told if "gives the case" in line] == [
        "has no positive test that gives the case 'one'",
        "has no positive test that gives the case 'two'",
    ]
    assert not any("negative test" in line for line in told), "the last case speaks for every lesion"


PROVEN = [
    ("each: patient P\n  give: {alone: {day: = P.today}}", True),
    ("each: patient P\n  give: {single: {lesion: x}}", True),
    ("each: lesion L\n  give: {single: {lesion: = L.id}}", True),
    ("each: lesion L\n  give: {alone: {day: 2026-01-01}}", False),
    ("each: lesion L\n  give: {single: {lesion: x}}", False),
    ("each: sighting S\n  give: {single: {lesion: = S.id}}", False),
    ("each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  give: {counted: {n: count}}", False),
    ("each: lesion L\n  cases: [{id: a, then: {single: {lesion: = L.id}}}]", True),
    ("when: [{lesion L: {}}]\n  then: {single: {lesion: = L.id}}", False),
]


@pytest.mark.parametrize(("body", "proven"), PROVEN)
def test_uniqueness_follows_from_the_form(tmp_path: Path, body: str, proven: bool) -> None:
    facts = (
        FACTS
        + "  alone: {title: t, unique: true, shown: true, properties: {day: {type: date}}}\n"
        + "  counted: {title: t, unique: n, shown: true, properties: {n: {type: int}}}\n"
    )
    pack = pack_of(tmp_path, f"- id: T\n  title: t\n  stratum: 1\n  {body}", facts=facts)
    assert any("'T' may give two" in str(problem) for problem in lint_pack(pack)) is not proven


def test_titles_and_units_of_properties(tmp_path: Path) -> None:
    facts = (
        FACTS
        + "  x: {title: An x, shown: true, properties: {a: {type: int, unit: d, title: Days, required: true}}}\n"
    )
    kind = pack_of(
        tmp_path, f"- id: T\n  title: t\n  stratum: 1\n  when: [{{sighting S: {{}}}}]\n  {GIVE}", facts=facts
    ).kinds["x"]
    (prop,) = kind.properties.values()
    assert (kind.title, kind.input, kind.shown, kind.unique) == ("An x", False, True, None)
    assert (prop.name, prop.type, prop.unit, prop.title, prop.required) == ("a", "int", "d", "Days", True)


WORDS = [
    "y",
    "n",
    "yes",
    "no",
    "on",
    "off",
    "true",
    "false",
    "null",
    "~",
    "Yes",
    "NO",
    "On",
    "OFF",
    "True",
    "Null",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_other_readers_guess_is_quoted(tmp_path: Path, word: str) -> None:
    with pytest.raises(PackError, match="unquoted is (a truth value|nothing)"):
        condition(tmp_path, f"sighting S: {{exam: {word}}}")
    right = condition(tmp_path, f'sighting S: {{exam: "{word}"}}').tests[0].right
    assert right is not None
    assert right.text == word


@pytest.mark.parametrize("text", ["ye", "0b", "1-2", "2026-01", "1e", "12:a", "e3", "0x", ".", "-a", "+", "1.2.3", "a1", "_1"])  # fmt: skip
def test_a_text_that_nobody_guesses_needs_no_quotes(tmp_path: Path, text: str) -> None:
    right = condition(tmp_path, f"sighting S:\n            exam: {text}").tests[0].right
    assert right is not None
    assert right.text == text


CERTAIN = [
    ("[{sighting S: {exam: present}}]", "", True),
    ("[{sighting S: {exam: E1}}]", "", True),
    ("[{sighting S: {exam: [E1, E2]}}]", "", True),
    ("[{sighting S: {lesion: = own.exam}}]", "", True),
    ("[{sighting S: {}}, {sighting T: {lesion: = S.exam}}]", "", True),
    ("[{sighting S: {}}, {sighting T: {lesion: = S.lesion, exam: = S.exam}}]", "", True),
    ("[{sighting S: {}}]", "", False),
    ("[{sighting S: {exam: absent}}]", "", False),
    ("[{sighting S: {day: present}}]", "", False),
    ("[{sighting S: {}}, {sighting T: {lesion: = S.lesion, exam: present}}]", "", False),
    ("[{sighting S: {}}, {sighting T: {lesion: = S.lesion, id: = own.exam}}]", "", False),
    ("[{sighting S: {lesion: = own.id}}]", "", False),
    ("[{sighting S: {}}]", "unless: [{sighting U: {lesion: = S.lesion, exam: present}}]", False),
    ("[{sighting S: {}}]", "unless: [{sighting U: {lesion: = S.lesion, exam: = S.exam}}]", False),
]


@pytest.mark.parametrize(("when", "unless", "certain"), CERTAIN)
@pytest.mark.parametrize("use", ["then: {out: {lesion: = S.exam}}", "subject: = S.exam"])
def test_a_required_value_is_certain(tmp_path: Path, when: str, unless: str, certain: bool, use: str) -> None:
    # An absent value in a required place would be a fact about nothing.
    ends = "" if use.startswith("then") else "\n  conclusion: c\n  indicator: info\n  hooks: [all]"
    snippet = f"- id: T\n  title: t\n  stratum: 1\n  when: {when}\n  {unless}\n  {use}{ends}\n"
    if certain:
        assert pack_of(tmp_path, snippet).statements
        return
    with pytest.raises(PackError, match="may be absent"):
        pack_of(tmp_path, snippet)


AGGREGATED = [
    ("{lesion: = L.id}", "min S.day", False),
    ("{lesion: = L.id, day: present}", "min S.day", True),
    ("{lesion: = L.id, day: present}", "max S.day", True),
    ("{lesion: = L.id, day: absent}", "max S.day", False),
]


@pytest.mark.parametrize(("tests", "value", "certain"), AGGREGATED)
def test_a_required_minimum_is_certain(tmp_path: Path, tests: str, value: str, certain: bool) -> None:
    facts = (
        FACTS
        + "  dated: {title: t, shown: true, properties: {day: {type: date, required: true}, n: {type: int}}}\n"
    )
    snippet = f"- id: T\n  title: t\n  stratum: 1\n  each: lesion L\n  from: {{sighting S: {tests}}}\n  give: {{dated: {{day: {value}}}}}\n"
    if certain:
        assert pack_of(tmp_path, snippet, facts=facts).statements
        with pytest.raises(PackError, match="'dated.day' is required, and where the count is nought"):
            pack_of(tmp_path, snippet.replace(value, f"{value}, n: count"), facts=facts)
        return
    with pytest.raises(PackError, match="S.day may be absent; test 'day: present' first"):
        pack_of(tmp_path, snippet, facts=facts)
