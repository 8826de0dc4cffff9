"""Fewer sessions than strata, and the same meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.engine.levels import levels
from rules.facts import Fact
from tests.rules.engines import ENGINES, run
from tests.rules.packing import pack_of

SPEAK = "  subject: = L.id\n  conclusion: c\n  indicator: info\n  hooks: [all]\n"
TEXT = (
    "- id: A\n  title: a\n  stratum: 5\n  when: [{lesion L: {}}]\n  then: {out: {lesion: = L.id}}\n"
    "- id: B\n  title: b\n  stratum: 7\n  when: [{sighting L: {}}]\n  then: {single: {lesion: = L.id}}\n"
    "- id: C\n  title: c\n  stratum: 9\n  when: [{out L: {}}]\n  then: {third: {lesion: = L.lesion}}\n"
    f"- id: D\n  title: d\n  stratum: 10\n  when: [{{lesion L: {{}}}}]\n{SPEAK}"
    "- id: E\n  title: e\n  stratum: 11\n  when: [{lesion L: {}}, {third T: {lesion: = L.id}}]\n"
    "  unless: [{finding F: {subject: = L.id, indicator: [info, warning]}}]\n  then: {fourth: {lesion: = L.id}}\n"
    f"- id: F\n  title: f\n  stratum: 11\n  when: [{{lesion L: {{nature: benign}}}}]\n{SPEAK}"
    f"- id: G\n  title: g\n  stratum: 12\n  when: [{{finding F: {{rule: D}}}}, {{lesion L: {{id: = F.subject}}}}]\n{SPEAK}"
)
FACTS = """\
kinds:
  lesion: {title: l, input: true, properties: {id: {type: id, required: true}, nature: {type: code, values: [benign]}}}
  sighting: {title: s, input: true, properties: {id: {type: id, required: true}}}
  out: {title: o, properties: {lesion: {type: id, required: true}}}
  single: {title: o, properties: {lesion: {type: id, required: true}}}
  third: {title: o, properties: {lesion: {type: id, required: true}}}
  fourth: {title: o, properties: {lesion: {type: id, required: true}}}
"""


def places(text: str) -> dict[str, int]:
    """Returns {"A": 0, "B": 1} of "A=0 B=1"."""
    return {name: int(level) for name, level in (word.split("=") for word in text.split())}


def test_statements_stand_as_early_as_they_can(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, TEXT, facts=FACTS)
    # F and G stand no earlier than E, which must not see their findings.
    assert levels(list(pack.statements.values())) == places("A=0 B=0 D=0 C=1 E=2 F=2 G=2")


def test_what_the_engine_does_not_match_needs_no_session(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, TEXT, facts=FACTS)
    statements = list(pack.statements.values())
    # E still comes after the session that matches D, and F and G wait for E.
    assert levels(statements, {"A", "C"}) == places("A=-1 B=0 D=0 C=-1 E=1 F=1 G=1")
    assert levels(statements, {"A", "B", "C", "D"}) == places("A=-1 B=-1 D=-1 C=-1 E=0 F=0 G=0")
    assert levels(statements, {"E"}) == places("A=0 B=0 D=0 C=1 E=1 F=1 G=1")


def test_findings_of_the_same_or_a_higher_stratum_are_not_seen(tmp_path: Path) -> None:
    text = TEXT.replace(
        "- id: D\n  title: d\n  stratum: 10\n  when: [{lesion L: {}}]",
        "- id: D\n  title: d\n  stratum: 10\n  when: [{lesion L: {id: L2}}]",
    )
    pack = pack_of(tmp_path, text, facts=FACTS)
    facts = [Fact("lesion", {"id": name, "nature": "benign"}) for name in ("L1", "L2")]
    for engine in ENGINES:
        result = run(engine, pack, facts)
        assert [fact.values["lesion"] for fact in result.of("fourth")] == ["L1"]
        assert [(f.rule, f.subject) for f in result.findings] == [
            ("D", "L2"),
            ("F", "L1"),
            ("F", "L2"),
            ("G", "L2"),
        ]


@pytest.mark.parametrize(
    ("test", "level"),
    [("rule: D", 1), ("rule: [D]", 1), ("rule: [D, G]", 3), ('rule: "!= D"', 3), ('rule: "not in [D]"', 3),
     ("indicator: info", 3), ("rule: [D], indicator: info", 1)],
)  # fmt: skip
def test_a_reader_of_findings_waits_for_every_rule_it_may_meet(tmp_path: Path, test: str, level: int) -> None:
    reader = f"- id: H\n  title: h\n  stratum: 13\n  when: [{{finding F: {{{test}}}}}]\n  then: {{fourth: {{lesion: x}}}}\n"
    pack = pack_of(tmp_path, TEXT + reader, facts=FACTS)
    assert levels(list(pack.statements.values()))["H"] == level


def test_every_rule_but_one_is_met(tmp_path: Path) -> None:
    reader = '- id: H\n  title: h\n  stratum: 13\n  when: [{finding F: {rule: "!= D"}}]\n  then: {fifth: {by: = F.rule}}\n'
    kinds = FACTS + "  fifth: {title: f, shown: true, properties: {by: {type: id, required: true}}}\n"
    pack = pack_of(tmp_path, TEXT + reader, facts=kinds)
    for engine in ENGINES:
        result = run(engine, pack, [Fact("lesion", {"id": "L1", "nature": "benign"})])
        assert sorted(str(fact.values["by"]) for fact in result.of("fifth")) == ["F", "G"]
