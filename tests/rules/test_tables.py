"""Test tables inside a pack."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.errors import RulesError
from rules.language import load_pack
from rules.tables import run_tests
from tests.rules.packing import TINY, pack_of

STATEMENT = """
- id: T
  title: t
  stratum: 3
  status: "off"
  each: {lesion L: {nature: metastasis}}
  conclusion: told
  indicator: info
  hooks: [all]
  cases:
    - id: gone
      when: [{sighting S: {lesion: = L.id, vis: gone, mm: "< 5"}}]
      then: {single: {lesion: = L.id, mm: 1}}
      indicator: critical
    - id: rest
      when: [{sighting S: {lesion: = L.id}}]
      silent: true
      then: {single: {lesion: = L.id}}
  tests:
"""
GIVEN = "[{lesion: {id: L1, nature: metastasis}}, {sighting: {id: S1, lesion: L1, vis: gone, mm: 4}}]"
POSITIVE = f"positive: [{{name: p, given: {GIVEN}"


def results(tmp_path: Path, table: str) -> list[tuple[str, str, bool, str]]:
    pack = pack_of(tmp_path, STATEMENT + "    " + table.replace("\n", "\n    "))
    return [(r.table, r.name, r.passed, r.message) for r in run_tests(pack)]


def test_every_test_of_the_small_pack_passes() -> None:
    found = run_tests(load_pack(TINY))
    assert len(found) == 6
    assert all(result.passed for result in found)
    assert {result.statement for result in found} == {"FS", "SHRUNK"}
    assert found[0].file == "statements/10-derived.yaml"
    assert [r.statement for r in run_tests(load_pack(TINY), "FS")] == ["FS"] * 4


def test_an_unknown_statement() -> None:
    with pytest.raises(RulesError, match="no statement 'X'"):
        run_tests(load_pack(TINY), "X")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (f"{POSITIVE}}}]", ""),
        (f"{POSITIVE}, gives: {{case: gone, indicator: critical, facts: {{single: {{mm: 1}}}}}}}}]", ""),
        (f"{POSITIVE}, gives: {{case: rest}}}}]", "wanted the case 'rest', came 'gone'"),
        (f"{POSITIVE}, gives: {{indicator: info}}}}]", "wanted a finding of 'info', came 'critical'"),
        (
            f"{POSITIVE}, gives: {{facts: {{single: {{mm: 2}}}}}}}}]",
            "wanted single {mm: 2}, came {lesion: L1, mm: 1}",
        ),
        ("positive: [{name: p, given: [{lesion: {id: L1}}]}]", "wanted a conclusion, came none"),
        (
            f"negative: [{{name: p, given: {GIVEN}}}]",
            "wanted silence, came finding 'told'; single {lesion: L1, mm: 1}",
        ),
        ("negative: [{name: p, given: [{lesion: {id: L1}}]}]", ""),
    ],
)
def test_positive_and_negative(tmp_path: Path, table: str, message: str) -> None:
    ((_, name, passed, told),) = results(tmp_path, table)
    assert (name, passed, told) == ("p", not message, message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("lesion.nature: silent", ""),
        ("lesion.nature: fires", "wanted a conclusion, came none"),
        ("sighting.mm: fires", ""),
        ("sighting.mm: {case: rest}", ""),
        ("sighting.mm: {case: gone}", "wanted the case 'gone', came 'rest'"),
        ("sighting: silent", ""),
        ("sighting.day: fires", ""),
        ("sighting.day: silent", "wanted silence, came finding 'told'; single {lesion: L1, mm: 1}"),
    ],
)
def test_missing(tmp_path: Path, entry: str, message: str) -> None:
    found = results(tmp_path, f"{POSITIVE}}}]\nmissing: {{{entry}}}")
    assert [(table, passed, told) for table, _, passed, told in found] == [
        ("positive", True, ""),
        ("missing", not message, message),
    ]


def test_a_disagreement_fails_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.evaluate.differing", lambda _first, _second: ("T",))
    ((_, _, passed, told),) = results(tmp_path, f"{POSITIVE}}}]")
    assert not passed
    assert told == "the two evaluations differ on T"


def test_a_statement_reads_given_facts_of_derived_kinds(tmp_path: Path) -> None:
    snippet = """
    - id: A
      title: a
      stratum: 1
      when: [{sighting S: {}}]
      then: {out: {lesion: = S.lesion}}
    - id: B
      title: b
      stratum: 2
      when: [{out O: {mm: 5}}]
      then: {single: {lesion: = O.lesion}}
      tests:
        positive: [{name: p, given: [{out: {lesion: L1, mm: 5}}]}]
        negative: [{name: none, given: [{sighting: {id: S1, lesion: L1}}]}]
        missing: {out.mm: silent}
    """
    assert [result.passed for result in run_tests(pack_of(tmp_path, snippet), "B")] == [True, True, True]


def test_a_table_stands_in_where_the_test_gives_none(tmp_path: Path) -> None:
    snippet = """
    - id: B
      title: b
      stratum: 2
      when: [{single O: {mm: 5}}]
      then: {out: {lesion: = O.lesion}}
      tests:
        positive: [{name: p, given: []}]
        negative: [{name: none, given: [{single: {lesion: L2}}]}]
        missing: {single: fires}
    """
    pack = pack_of(tmp_path, snippet, tables="tables: {single: [{lesion: L1, mm: 5}]}\n")
    assert [result.passed for result in run_tests(pack)] == [True, True, True]
