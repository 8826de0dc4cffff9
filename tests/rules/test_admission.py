"""Facts at the door."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from rules.admission import MAX_FACTS, Admission
from rules.errors import FactError, LimitExceeded
from rules.facts import Fact
from rules.language import load_pack
from rules.language.model import Pack
from tests.rules.packing import RULE, write_pack

SIGHTING = {"id": "S1", "lesion": "L1"}


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return load_pack(write_pack(tmp_path, RULE))


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Fact("nothing", {}), "unknown kind 'nothing'"),
        (Fact("out", {"lesion": "L1"}), "'out', which is not an input"),
        (Fact("finding", {"rule": "X"}), "'finding', which is not an input"),
        (Fact("sighting", {"id": "S1"}), "lacks 'lesion'"),
        (Fact("sighting", {**SIGHTING, "size": 5}), "no property 'size'"),
        (
            Fact("sighting", {**SIGHTING, "vis": "gone!"}),
            "'sighting.vis' does not hold a code of visible, gone",
        ),
        (Fact("sighting", {**SIGHTING, "sure": True}), "'sighting.sure'"),
        (Fact("sighting", {**SIGHTING, "mm": 5.0}), "'sighting.mm' does not hold a number"),
        (Fact("sighting", {**SIGHTING, "mm": True}), "'sighting.mm'"),
        (Fact("sighting", {**SIGHTING, "mm": "5"}), "'sighting.mm'"),
        (Fact("sighting", {**SIGHTING, "mm": Decimal("NaN")}), "'sighting.mm'"),
        (Fact("sighting", {**SIGHTING, "mm": Decimal("0.1234567")}), "at most six decimal places"),
        (Fact("sighting", {**SIGHTING, "mm": 10**9}), "'sighting.mm'"),
        (
            Fact("sighting", {**SIGHTING, "slices": Decimal(5)}),
            "'sighting.slices' does not hold a whole number",
        ),
        (Fact("sighting", {**SIGHTING, "slices": -(10**9)}), "'sighting.slices'"),
        (Fact("sighting", {**SIGHTING, "day": "2026-01-01"}), "'sighting.day' does not hold a date"),
        (Fact("sighting", {**SIGHTING, "day": datetime.datetime(2026, 1, 1)}), "'sighting.day'"),
        (Fact("sighting", {**SIGHTING, "exam": 5}), "'sighting.exam' does not hold a text"),
        (Fact("sighting", {**SIGHTING, "exam": "x" * 5000}), "'sighting.exam'"),
    ],
)
def test_a_fact_that_does_not_fit_is_refused(pack: Pack, fact: Fact, words: str) -> None:
    with pytest.raises(FactError) as caught:
        Admission(pack).admit([fact])
    assert words in str(caught.value)


def test_the_message_holds_no_value(pack: Pack) -> None:
    with pytest.raises(FactError) as caught:
        Admission(pack).admit([Fact("sighting", {**SIGHTING, "vis": "Meier-Probe"})])
    assert "Meier" not in str(caught.value)


def test_codes_are_completed_and_numbers_made_plain(pack: Pack) -> None:
    facts = [Fact("sighting", {**SIGHTING, "mm": Decimal("5.10"), "slices": 3}, ("b", "a"))]
    admitted = Admission(pack).admit(facts)
    ((kind, values),) = admitted.keys
    assert kind == "sighting"
    assert dict(zip(pack.kinds["sighting"].properties, values, strict=True)) == {
        "id": "S1", "lesion": "L1", "vis": "unknown", "grade": "unknown", "mm": Decimal("5.1"), "now": None,
        "day": None, "slices": 3, "sure": "unknown", "exam": None,
    }  # fmt: skip
    assert str(values[4]) == "5.1"
    assert admitted.sources == (("a", "b"),)


def test_equal_facts_are_one(pack: Pack) -> None:
    first = Fact("sighting", {**SIGHTING, "mm": Decimal("5.10")}, ("b",))
    second = Fact("sighting", {**SIGHTING, "mm": Decimal("5.1"), "vis": "unknown"}, ("a",))
    admitted = Admission(pack).admit([first, second])
    assert len(admitted.keys) == 1
    assert admitted.sources == (("a", "b"),)


def test_a_unique_kind(pack: Pack) -> None:
    same = [Fact("lesion", {"id": "L1"}, ("a",)), Fact("lesion", {"id": "L1"}, ("b",))]
    assert len(Admission(pack).admit(same).keys) == 1
    with pytest.raises(FactError, match="at most one for each 'id'"):
        Admission(pack).admit([*same, Fact("lesion", {"id": "L1", "base": 5})])
    with pytest.raises(FactError, match="at most one$"):
        Admission(pack).admit([Fact("patient", {"today": datetime.date(2026, 1, n)}) for n in (1, 2)])


def test_too_many_facts(pack: Pack) -> None:
    facts = [Fact("sighting", {"id": f"S{n}", "lesion": "L"}) for n in range(MAX_FACTS + 1)]
    assert len(Admission(pack).admit(facts[:-1]).keys) == MAX_FACTS
    with pytest.raises(LimitExceeded, match="more than 5000 facts"):
        Admission(pack).admit(facts)


def test_tables_stand_in(tmp_path: Path) -> None:
    tables = "tables:\n  single: [{lesion: L1, mm: 5}, {lesion: L2}]\n"
    pack = load_pack(write_pack(tmp_path, RULE, tables=tables))
    keys = Admission(pack).admit([]).keys
    assert keys == (("single", ("L1", Decimal(5))), ("single", ("L2", None)))
    assert Admission(pack, any_kind=True).admit([]).keys == ()


def test_any_kind(pack: Pack) -> None:
    facts = [
        Fact("out", {"lesion": "L1"}),
        Fact("finding", {"rule": "X", "indicator": "info", "conclusion": "c"}),
    ]
    assert [kind for kind, _ in Admission(pack, any_kind=True).admit(facts).keys] == ["out", "finding"]
