"""What makes a pack poor without making it unusable."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.language import lint_hooks, lint_pack
from tests.rules.packing import pack_of

RULE = """
- id: T
  title: t
  stratum: 1
  when: [{sighting S: {vis: gone, day: present, id: "!= X"}}]
  then: {out: {lesion: = S.lesion}}
"""
FULL = """
- id: T
  title: t
  stratum: 1
  when: [{sighting S: {vis: gone, mm: "< $ratio"}}]
  then: {out: {lesion: = S.lesion}}
  conclusion: c
  indicator: info
  hooks: [all]
  evidence_for: [E1]
  evidence_against: [E2]
  tests:
    positive: [{name: p, given: [{sighting: {id: S1, lesion: L1, vis: gone, mm: 0.5}}]}]
    negative: [{name: none, given: [{sighting: {id: S1, lesion: L1}}]}]
    missing: {sighting.vis: silent, sighting.mm: silent}
"""


def lint(tmp_path: Path, snippet: str) -> list[str]:
    return [str(problem) for problem in lint_pack(pack_of(tmp_path, snippet))]


def of_statement(tmp_path: Path, snippet: str) -> list[str]:
    return [line for line in lint(tmp_path, snippet) if line.startswith("statements/")]


def test_a_full_statement_has_none(tmp_path: Path) -> None:
    assert of_statement(tmp_path, FULL) == []


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        ("  evidence_for: [E1]\n", "has a conclusion and no 'evidence_for'"),
        ("  evidence_against: [E2]\n", "has a conclusion and no 'evidence_against'"),
        ("    negative: [{name: none, given: [{sighting: {id: S1, lesion: L1}}]}]\n", "has no negative test"),
        ("sighting.vis: silent, ", "has no 'missing' test for 'sighting.vis'"),
        (", sighting.mm: silent", "has no 'missing' test for 'sighting.mm'"),
    ],
)
def test_what_is_missing(tmp_path: Path, taken: str, told: str) -> None:
    assert taken in FULL
    (line,) = of_statement(tmp_path, FULL.replace(taken, ""))
    assert told in line
    assert line.startswith("statements/a.yaml:2: 'T' ")


def test_a_rule_without_tests(tmp_path: Path) -> None:
    found = of_statement(tmp_path, RULE)
    assert len(found) == 3, "required properties and 'present' need no missing test"
    assert [line.split("'T' ")[1] for line in found] == [
        "has no 'missing' test for 'sighting.vis'", "has no negative test", "has no positive test",
    ]  # fmt: skip


def test_what_is_unused(tmp_path: Path) -> None:
    found = lint(tmp_path, RULE)
    assert (
        "parameters.yaml:2: no statement uses the parameter 'ratio'; mark it 'shown: true' if facts do"
        in found
    )
    assert "evidence.yaml:2: no statement cites 'E1'" in found
    assert any("no statement reads the kind 'lesion'" in line for line in found)
    assert not any("kind 'out'" in line for line in found), "it is shown"
    assert not any("kind 'finding'" in line for line in found)


def test_every_case_wants_a_positive_test(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      each: lesion L
      cases:
        - id: one
          when: [{sighting S: {lesion: = L.id}}]
          then: {single: {lesion: = L.id}}
        - id: two
          then: {single: {lesion: = L.id}}
      tests:
        positive: [{name: p, given: [{lesion: {id: L1}}], gives: {case: two}}]
    """
    found = of_statement(tmp_path, snippet)
    assert found == ["statements/a.yaml:7: 'T' has no positive test that gives the case 'one'"]


def test_uniqueness_that_does_not_follow(tmp_path: Path) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      when: [{sighting S: {}}]
      then: {single: {lesion: = S.lesion}}
    """
    assert any(
        "'T' may give two 'single' for one 'lesion'" in line for line in of_statement(tmp_path, snippet)
    )


def test_a_hook_that_no_service_has(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, FULL.replace("[all]", "[patient-veiw, order-sign]"))
    assert [str(one) for one in lint_hooks(pack, ("order-sign", "patient-view"))] == [
        "statements/a.yaml:2: 'T' speaks on the unknown hook 'patient-veiw'; did you mean 'patient-view'?"
    ]
    assert lint_hooks(pack_of(tmp_path, FULL), ("order-sign",)) == (), "all names every hook"


LIST = """
- id: T
  title: t
  stratum: 9
  each: lesion L
  cases:
    - {{id: a, when: [{{sighting S: {{lesion: = L.id, vis: {first}}}}}], unless: [{{sighting U: {{lesion: = L.id, sure: yes}}}}], silent: true}}
    - {{id: b, when: [{{sighting X: {{lesion: = L.id, vis: {second}{more}}}}}], unless: [{{sighting V: {{lesion: = L.id{forbidden}}}}}], silent: true}}
"""


@pytest.mark.parametrize(
    ("first", "second", "more", "forbidden", "reached"),
    [
        ("visible", "visible", "", ", sure: yes", False),
        ("visible", "visible", ", mm: 5", ", sure: yes", False),
        ("visible", "visible", "", "", False),
        ("[visible, gone]", "gone", "", ", sure: yes", False),
        ("visible", "gone", "", ", sure: yes", True),
        ("visible", "[visible, gone]", "", ", sure: yes", True),
        ("visible", "visible", "", ", sure: yes, mm: 5", True),
        ("visible", "visible", "", ", sure: no", True),
    ],
)
def test_a_case_that_an_earlier_one_forestalls(
    tmp_path: Path, first: str, second: str, more: str, forbidden: str, reached: bool
) -> None:
    snippet = LIST.format(first=first, second=second, more=more, forbidden=forbidden)
    found = any(
        "case 'b' of 'T' is never reached: 'a' before it holds" in one for one in lint(tmp_path, snippet)
    )
    assert found is not reached


def test_a_code_that_no_statement_gives(tmp_path: Path) -> None:
    """`out.vis` is given as visible alone: a rule that wants it otherwise never speaks."""
    giver = "- id: G\n  title: g\n  stratum: 1\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion, vis: visible}}\n"
    reader = "- id: T\n  title: t\n  stratum: 2\n  when: [{{out O: {{vis: {vis}}}}}]\n  then: {{single: {{lesion: = O.lesion}}}}\n"
    words = "'T' reads 'out.vis' as 'gone', which no statement gives"
    assert any(words in one for one in lint(tmp_path, giver + reader.format(vis="gone")))
    assert not any(
        "no statement gives" in one for one in lint(tmp_path, giver + reader.format(vis="visible"))
    )
    assert not any(
        "no statement gives" in one for one in lint(tmp_path, giver + reader.format(vis="[visible, gone]"))
    )
    copied = giver.replace("vis: visible}", "vis: = S.vis}")
    assert not any("no statement gives" in one for one in lint(tmp_path, copied + reader.format(vis="gone")))
