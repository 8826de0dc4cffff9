"""A fact that is withheld must not keep a warning silent: what it may have silenced is refused, and so is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.evaluate import Evaluator
from rules.facts import Fact
from rules.language import Pack, load_pack
from tests.rules.packing import write_pack

FACTS = """\
kinds:
  lesion: {title: a, input: true, unique: id, properties: {id: {type: id, required: true}}}
  sighting: {title: b, input: true, properties: {lesion: {type: id, required: true}, v: {type: code, values: [a, b]}}}
  st: {title: c, unique: lesion, properties: {lesion: {type: id, required: true}, v: {type: code, values: [a, b]}}}
"""
SPEAKS = "subject: = L.id, conclusion: x, indicator: critical, hooks: [all]"
GIVER = "{id: G, title: g, stratum: 1, when: [{sighting S: {}}], then: {st: {lesion: = S.lesion, v: = S.v}}}"
READERS = {
    "a rule that it forbids": f"{{id: R, title: r, stratum: 2, when: [{{lesion L: {{}}}}], unless: [{{st X: {{lesion: = L.id}}}}], {SPEAKS}}}",
    "an earlier silent case": f"{{id: R, title: r, stratum: 2, each: lesion L, {SPEAKS}, cases: [{{id: a, when: [{{st X: {{lesion: = L.id, v: b}}}}], silent: true}}, {{id: b}}]}}",
    "an earlier case but for it": f"{{id: R, title: r, stratum: 2, each: lesion L, {SPEAKS}, cases: [{{id: a, unless: [{{st X: {{lesion: = L.id, v: b}}}}], silent: true}}, {{id: b}}]}}",
}  # fmt: skip
SEEN = {
    "one": [Fact("sighting", {"lesion": "L1", "v": "b"})],
    "two": [Fact("sighting", {"lesion": "L1", "v": "a"}), Fact("sighting", {"lesion": "L1", "v": "b"})],
}


def pack(folder: Path, *statements: str) -> Pack:
    text = "rules:\n" + "".join(f"  - {one}\n" for one in (GIVER, *statements))
    return load_pack(write_pack(folder, text, facts=FACTS))


def refused(made: Pack, seen: str) -> tuple[str, ...]:
    with Evaluator(made) as evaluator:
        return evaluator.evaluate([Fact("lesion", {"id": "L1"}), *SEEN[seen]]).refused


@pytest.mark.parametrize("what", READERS)
def test_what_a_withheld_fact_may_have_silenced_is_refused(tmp_path: Path, what: str) -> None:
    made = pack(tmp_path, READERS[what])
    assert refused(made, "one") == ()
    assert refused(made, "two") == ("G", "R")


def test_what_reads_something_else_is_not(tmp_path: Path) -> None:
    other = f"{{id: O, title: o, stratum: 2, when: [{{lesion L: {{}}}}], unless: [{{sighting X: {{lesion: = L.id, v: a}}}}], {SPEAKS}}}"
    assert refused(pack(tmp_path, other), "two") == ("G",)


def test_the_doubt_goes_on_through_findings_by_name(tmp_path: Path) -> None:
    """Q gives way to R, which is in doubt; P gives way to another rule, and says what it says."""
    gives_way = [
        f"{{id: {id_}, title: t, stratum: 3, when: [{{lesion L: {{}}}}], unless: [{{finding F: {{{rule}subject: = L.id}}}}], {SPEAKS}}}"
        for id_, rule in (("P", "rule: M, "), ("Q", "rule: R, "), ("S", ""))
    ]
    another = f"{{id: M, title: t, stratum: 2, when: [{{lesion L: {{}}}}], {SPEAKS}}}"
    made = pack(tmp_path, READERS["a rule that it forbids"], another, *gives_way)
    assert refused(made, "two") == ("G", "Q", "R", "S")
