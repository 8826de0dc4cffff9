"""What is sent to the engine: nothing that changes no firing, and everything that may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules.admission import Admission
from rules.engine import DurableEngine
from rules.engine.sift import MANY, Sift
from rules.facts import Fact
from rules.language.model import Pack
from tests.rules.engines import ENGINES, given, run
from tests.rules.packing import pack_of

TWO = """
- id: T
  title: t
  stratum: 1
  when:
    - lesion L: {nature: metastasis}
    - sighting S: {lesion: = L.id, vis: gone, mm: "> 5"}
  unless:
    - sighting X: {lesion: = L.id, vis: visible}
  then: {out: {lesion: = S.id}}
"""


def sighting(id_: str, lesion: str = "L1", **values: Any) -> Fact:
    return Fact("sighting", {"id": id_, "lesion": lesion, **values})


def sent(pack: Pack, facts: list[Fact], monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Returns the numbers of the facts that are sent, by session."""
    found: list[list[int]] = []
    needed = Sift.needed

    def spy(self: Sift, rows: Any) -> Any:
        chosen = needed(self, rows)
        found.append(sorted(row[0] for of_kind in chosen.values() for row in of_kind))
        return chosen

    monkeypatch.setattr(Sift, "needed", spy)
    with DurableEngine(pack) as engine:
        engine.evaluate(Admission(pack).admit(facts))
    return found


def test_facts_that_meet_no_condition_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [
        Fact("lesion", {"id": "L1", "nature": "metastasis"}),
        Fact("lesion", {"id": "L2", "nature": "benign"}),
        sighting("S1", vis="gone", mm=6),
        sighting("S2", vis="gone", mm=5),
        sighting("S3", vis="visible"),
        sighting("S4"),
    ]
    assert sent(pack_of(tmp_path, TWO), facts, monkeypatch) == [[0, 2, 4]]


def test_nothing_is_sent_where_no_rule_can_fire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [Fact("lesion", {"id": "L1", "nature": "metastasis"}), sighting("S2", vis="gone", mm=5)]
    assert sent(pack_of(tmp_path, TWO), facts, monkeypatch) == [[]]


def test_a_forbidding_fact_is_sent(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, TWO)
    lesions = [Fact("lesion", {"id": f"L{n}", "nature": "metastasis"}) for n in (1, 2)]
    facts = [*lesions, sighting("S1", vis="gone", mm=6), sighting("S2", "L2", vis="gone", mm=6)]
    for engine in ENGINES:
        assert [fact["lesion"] for fact in given(run(engine, pack, facts), "out")] == ["S1", "S2"]
        more = [*facts, sighting("S3", vis="visible")]
        assert [fact["lesion"] for fact in given(run(engine, pack, more), "out")] == ["S2"]


TABLE = """
- id: T
  title: t
  stratum: 1
  when:
    - sighting S: {vis: gone}
    - single R: {lesion: = S.lesion, mm: "> 5"}
  then: {out: {lesion: = S.id, mm: = R.mm}}
"""
ROWS = 2 * MANY


def tables() -> str:
    return "tables:\n  single:\n" + "".join(f"    - {{lesion: L{n}, mm: {n % 10}}}\n" for n in range(ROWS))


def test_of_a_large_table_only_rows_that_are_joined_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = pack_of(tmp_path, TABLE, tables=tables())
    facts = [
        sighting("S1", "L7", vis="gone"),
        sighting("S2", "L3", vis="gone"),
        sighting("S3", "L9", vis="visible"),
    ]
    # Row 7 of the table and the first sighting: row 3 is too small, the third sighting of no use.
    assert sent(pack, facts, monkeypatch) == [[7, ROWS, ROWS + 1]]


def test_a_table_that_no_fact_is_joined_to_is_sent_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = TABLE + TABLE.replace("id: T", "id: U").replace(
        '    - sighting S: {vis: gone}\n    - single R: {lesion: = S.lesion, mm: "> 5"}\n',
        "    - single S: {mm: 8}\n",
    ).replace("{lesion: = S.id, mm: = R.mm}", "{lesion: = S.lesion, mm: = S.mm}")
    pack = pack_of(tmp_path, alone, tables=tables())
    facts = [sighting("S1", "L7", vis="gone")]
    large = [n for n in range(ROWS) if n % 10 > 5]
    assert sent(pack, facts, monkeypatch) == [[*large, ROWS]]
    assert [fact["mm"] for fact in given(run("durable", pack, facts), "out")].count(8) == len(
        [n for n in range(ROWS) if n % 10 == 8]
    )


def test_the_rows_of_another_admission_are_encoded_anew(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, TABLE, tables=tables())
    facts = [sighting("S1", "L7", vis="gone")]
    with DurableEngine(pack) as engine:
        first, second = Admission(pack).admit(facts), Admission(pack).admit(facts)
        bare = Admission(pack, any_kind=True).admit(facts)
        assert first.constants is not second.constants
        answers = [engine.evaluate(admitted).outcome("T").gifts for admitted in (first, second, bare, first)]
    assert answers[0] == answers[1] == answers[3]
    assert len(answers[0]) == 1
    assert not answers[2]
