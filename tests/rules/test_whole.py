"""What follows between statements: what is given once, who reads whom, and which findings there can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.errors import PackError
from rules.language import load_pack
from tests.rules.packing import FACTS, RULE, pack_of, write_pack

FINDERS = """
- id: ALL
  title: About the patient
  stratum: 1
  when: [{sighting S: {}}]
  conclusion: of-all
  indicator: info
  hooks: [all]
- id: EACH
  title: About each lesion
  stratum: 1
  when: [{lesion L: {}}]
  subject: = L.id
  conclusion: of-each
  indicator: warning
  family: F3
  hooks: [all]
- id: LIST
  title: A list
  stratum: 1
  each: lesion L
  subject: = L.id
  indicator: info
  hooks: [all]
  cases:
    - {id: one, when: [{sighting S: {lesion: = L.id}}], conclusion: first}
    - {id: two, conclusion: second}
- id: GIVES
  title: Gives
  stratum: 1
  each: lesion L
  give: {single: {lesion: = L.id, mm: = L.base}}
"""
KINDS = FACTS.replace(
    "      base: {type: decimal, unit: mm}\n",
    "      base: {type: decimal, unit: mm}\n      of: {type: id, required: true}\n",
).replace(
    "  single:\n",
    "  tag: {title: t, shown: true, properties: {name: {type: id, required: true}, n: {type: decimal}}}\n  single:\n",
)

ONCE = [
    ("single O: {lesion: = L.id}", "O.lesion", True),
    ("single O: {lesion: = L.of}", "O.lesion", True),
    ("single O: {lesion: K1, mm: = L.base}", "O.lesion", True),
    ('single O: {lesion: "!= L.id", mm: = L.base}', "O.lesion", False),
    ('single O: {lesion: "in [K1]", mm: = L.base}', "O.lesion", False),
    ("single O: {mm: = L.base}", "O.lesion", False),
    ("patient P: {}", "P.today", True),
    ("sighting S: {lesion: = L.id}", "S.id", False),
    ("lesion M: {id: = L.of}", "M.id", True),
    ("lesion M: {of: = L.id}", "M.id", False),
    ("finding F: {rule: ALL}", "F.rule", True),
    ("finding F: {rule: EACH}", "F.rule", False),
    ("finding F: {rule: EACH, subject: = L.id}", "F.rule", True),
    ("finding F: {rule: EACH, subject: K1}", "F.rule", True),
    ('finding F: {rule: EACH, subject: "!= L.id"}', "F.rule", False),
    ("finding F: {rule: LIST, subject: = L.id}", "F.rule", False),
    ("finding F: {rule: LIST, subject: = L.id, case: two}", "F.rule", True),
    ("finding F: {rule: LIST, case: two}", "F.rule", False),
    ("finding F: {rule: [ALL, EACH], subject: = L.id}", "F.rule", False),
    ('finding F: {rule: "!= EACH", subject: = L.id}', "F.rule", False),
    ("finding F: {conclusion: of-each, subject: = L.id}", "F.rule", False),
]


@pytest.mark.parametrize(("condition", "used", "once"), ONCE)
@pytest.mark.parametrize("form", ["case", "list", "where"])
def test_one_fact_an_each(tmp_path: Path, condition: str, used: str, once: bool, form: str) -> None:
    given = f"{{tag: {{name: = {used}}}}}"
    if used == "P.today":
        given = f"{{out: {{lesion: = L.id, day: = {used}}}}}"
    bodies = {
        "case": f"cases:\n    - id: a\n      when: [{{{condition}}}]\n      then: {given}\n",
        "list": f"when: [{{{condition}}}]\n  cases:\n    - id: a\n      then: {given}\n",
        "where": f"where: [{{{condition}}}]\n  give: {given}\n",
    }
    snippet = f"{FINDERS}\n- id: T\n  title: t\n  stratum: 2\n  each: lesion L\n  {bodies[form]}"
    if once:
        assert "T" in pack_of(tmp_path, snippet, facts=KINDS).statements
        return
    with pytest.raises(PackError, match="of which there may be several; it may hold in several ways"):
        pack_of(tmp_path, snippet, facts=KINDS)


CHAINS = [
    ("[{lesion M: {id: = L.of}}, {single O: {lesion: = M.id}}]", True),
    ("[{sighting S: {lesion: = L.id}}, {single O: {lesion: = S.id}}]", False),
    ("[{sighting S: {lesion: = L.id}}, {single O: {lesion: = L.id}}]", True),
]


@pytest.mark.parametrize(("when", "once"), CHAINS)
def test_one_fact_through_another(tmp_path: Path, when: str, once: bool) -> None:
    snippet = (
        f"{FINDERS}\n- id: T\n  title: t\n  stratum: 2\n  each: lesion L\n"
        f"  cases: [{{id: a, when: {when}, then: {{tag: {{name: = O.lesion}}}}}}]\n"
    )
    if once:
        assert "T" in pack_of(tmp_path, snippet, facts=KINDS).statements
        return
    with pytest.raises(PackError, match="'tag.name' uses 'O', of which there may be several"):
        pack_of(tmp_path, snippet, facts=KINDS)


READS = [
    ("finding F: {conclusion: of-each}", ""),
    ("finding F: {conclusion: [of-all, second]}", ""),
    ("finding F: {family: F3}", ""),
    ("finding F: {indicator: critical}", ""),
    ("finding F: {rule: LIST, case: one}", ""),
    ("finding F: {case: two}", ""),
    ('finding F: {rule: "!= ALL"}', ""),
    ('finding F: {rule: "!= LATER"}', ""),
    ('finding F: {rule: "!= NOBODY"}', "unknown rule 'NOBODY'"),
    ('finding F: {rule: "not in [ALL, EAHC]"}', "unknown rule 'EAHC'; did you mean 'EACH'?"),
    ('finding F: {rule: "!= GIVES"}', "'GIVES' makes no findings"),
    ("finding F: {conclusion: of-al}", "no finding has the conclusion 'of-al'; did you mean 'of-all'?"),
    ("finding F: {conclusion: [of-all, third]}", "no finding has the conclusion 'third'"),
    ("finding F: {family: F33}", "no finding has the family 'F33'"),
    ("finding F: {indicator: info, rule: GIVES}", "'GIVES' makes no findings"),
    ("finding F: {rule: [ALL, GIVES]}", "'GIVES' makes no findings"),
    ("finding F: {rule: EACH, case: one}", "no finding has the case 'one'"),
    ("finding F: {rule: EACH, conclusion: first}", "no finding has the conclusion 'first'; known: of-each"),
    ("finding F: {rule: LIST, case: three}", "no finding has the case 'three'; known: one, two"),
    ("finding F: {rule: T}", "'T' makes no findings"),
    (
        "finding F: {rule: [ALL, LATER]}",
        "'T' (stratum 2) reads its findings, which 'LATER' gives in stratum 3",
    ),
    ("finding F: {rule: LATER}", "'T' (stratum 2) reads its findings, which 'LATER' gives in stratum 3"),
    ("out O: {}", "no statement gives 'out', and it is not an input"),
    (
        "later O: {}",
        "'T' (stratum 2) reads 'later', which 'LATER' gives in stratum 3; read lower strata only",
    ),
]
LATER = """
- id: LATER
  title: t
  stratum: 3
  when: [{lesion L: {}}]
  then: {later: {name: = L.id}}
  conclusion: later
  indicator: info
  hooks: [all]
"""


@pytest.mark.parametrize(("condition", "words"), READS)
@pytest.mark.parametrize("place", ["when", "unless"])
def test_what_is_read(tmp_path: Path, condition: str, words: str, place: str) -> None:
    kinds = KINDS + "  later: {title: t, properties: {name: {type: id}}}\n"
    read = (
        f"when: [{{{condition}}}]"
        if place == "when"
        else f"when: [{{patient: {{}}}}]\n  unless: [{{{condition}}}]"
    )
    snippet = f"{FINDERS}{LATER}\n- id: T\n  title: t\n  stratum: 2\n  {read}\n  then: {{tag: {{name: x}}}}\n"
    if not words:
        assert "T" in pack_of(tmp_path, snippet, facts=kinds).statements
        return
    with pytest.raises(PackError) as caught:
        pack_of(tmp_path, snippet, facts=kinds)
    (problem,) = caught.value.problems
    assert words in problem.message


def test_a_table_has_no_other_giver(tmp_path: Path) -> None:
    tables = "tables:\n  out: [{lesion: L1}]\n"
    with pytest.raises(PackError, match="'BASE' gives 'out', which has a table"):
        pack_of(tmp_path, RULE.removeprefix("rules:\n"), tables=tables)
    reads = (
        "- id: T\n  title: t\n  stratum: 0\n  when: [{single S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
    )
    assert "T" in pack_of(tmp_path, reads, tables=tables.replace("out", "single")).statements


TWO_ROWS = [
    ("single: [{lesion: L1, mm: 1}, {lesion: L2, mm: 1}, {lesion: L1, mm: 2}]", 2, "one row for each 'lesion' (also line 2)"),
    ("alone: [{lesion: L1}, {lesion: L2}]", 2, "at most one row (also line 2)"),
    ("single: [{lesion: L1, mm: 1}, {lesion: L1, mm: 1}]", 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "line", "words"), TWO_ROWS)
def test_a_table_has_one_row_where_its_kind_allows_one(
    tmp_path: Path, rows: str, line: int, words: str
) -> None:
    kinds = FACTS + "  alone: {title: a, unique: true, shown: true, properties: {lesion: {type: id}}}\n"
    folder = write_pack(tmp_path, RULE, tables=f"tables:\n  {rows}\n", facts=kinds)
    if not line:
        assert load_pack(folder)
        return
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("tables.yaml", line)
    assert words in problem.message


def test_ids_are_compared_between_files(tmp_path: Path) -> None:
    folder = write_pack(tmp_path)
    (folder / "statements" / "b.yaml").write_text(RULE)
    with pytest.raises(PackError) as caught:
        pack_of(folder, RULE.removeprefix("rules:\n"))
    (problem,) = caught.value.problems
    assert str(problem) == "statements/b.yaml:2: two statements have the id 'BASE' (also statements/a.yaml:2)"


CASES = [
    ("[{id: a, unless: [{patient: {}}], silent: true}, {id: b, silent: true}]", None),
    ("[{id: a, when: [{patient: {}}], silent: true}, {id: b, silent: true}]", None),
    ("[{id: a, silent: true}, {id: b, silent: true}, {id: c, silent: true}]", "case 'b' is never reached: 'a'"),
    ("[{id: a, when: [{patient: {}}], silent: true}, {id: b, silent: true}, {id: c, silent: true}]", "case 'c' is never reached: 'b'"),
]  # fmt: skip


@pytest.mark.parametrize(("cases", "words"), CASES)
def test_a_case_that_is_never_reached(tmp_path: Path, cases: str, words: str | None) -> None:
    snippet = f"- id: T\n  title: t\n  stratum: 1\n  each: lesion L\n  cases: {cases}\n"
    if words is None:
        assert "T" in pack_of(tmp_path, snippet).statements
        return
    with pytest.raises(PackError) as caught:
        pack_of(tmp_path, snippet)
    (problem,) = caught.value.problems
    assert words in problem.message
