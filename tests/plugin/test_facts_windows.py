"""The times that facts are made with: the pack's parameters, which a site may set."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pytest

from fhir_profiles.codes import Drug
from plugin.decide import decide
from plugin.facts import facts_of
from plugin.facts.windows import SHIPPED, Windows
from plugin.settings import Settings
from rules.evaluate import Evaluator
from rules.facts import Fact
from rules.language import load_pack
from tests.plugin.history import TODAY, History, one

PACK = Path(__file__).parents[2] / "rules" / "crlm"


def facts(h: History, **parameters: int | Decimal) -> tuple[Fact, ...]:
    return facts_of(h.timeline(), today=TODAY, settings=Settings(), parameters=parameters)


def test_what_is_shipped_is_what_the_pack_says() -> None:
    pack = load_pack(PACK)
    assert asdict(SHIPPED) == {name: pack.parameters[name].value for name in asdict(SHIPPED)}
    assert all(pack.parameters[name].unit == "d" for name in asdict(SHIPPED))


def test_parameters_of_the_rules_are_left_alone() -> None:
    assert Windows.of({"window": 1, "line_gap": Decimal(70)}) == Windows(line_gap=70)
    assert Windows.of({}) == SHIPPED


@pytest.mark.parametrize(("gap", "start"), [(56, "2026-04-01"), (90, "2026-01-01")])
def test_the_line_of_therapy_starts_after_the_gap(gap: int, start: str) -> None:
    h = History()
    h.dose("2026-01-01", "2026-01-15", "2026-04-01")
    assert str(one(facts(h, line_gap=gap), "therapy")["lineStart"]) == start


@pytest.mark.parametrize(("gap", "cycles"), [(10, 2), (6, 3)])
def test_cycles_are_counted_by_the_gap(gap: int, cycles: int) -> None:
    h = History()
    h.dose("2026-01-01", "2026-01-08", "2026-01-15", drug=Drug.OXALIPLATIN)
    assert one(facts(h, cycle_gap=gap), "therapy")["cycles"] == cycles


def marked() -> History:
    """A marker 40 days after the last scan, and one 50 days before the first dose."""
    h = History()
    study = h.study("2026-08-01", "CT")
    h.seen(h.lesion("L1", "VI"), study, mm=20)
    h.dose("2026-05-01")
    h.cea("2026-09-10", 12)
    h.cea("2026-03-12", 30)
    return h


def test_the_last_marker_lies_near_the_index_study() -> None:
    h = marked()
    # Too late for the last one, it is what the marker says now.
    late = one(facts(h), "marker_series")
    assert ("last" in late, late["newest"]) == (False, 12)
    found = one(facts(h, cea_window=45), "marker_series")
    assert (found["last"], "baseline" in found) == (12, False)


def test_the_first_marker_lies_shortly_before_the_line() -> None:
    found = one(facts(marked(), cea_baseline=60), "marker_series")
    assert (found["baseline"], "last" in found) == (30, False)


def test_a_decision_is_made_with_the_parameters_of_its_pack() -> None:
    chart = marked().chart()
    with Evaluator(load_pack(PACK, parameters={"cea_window": 45}), mode="reference", timeout=60) as evaluator:
        made = decide(chart, evaluator, today=TODAY, settings=Settings())
    assert one(made.facts, "marker_series")["last"] == 12
