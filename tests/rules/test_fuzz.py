"""Differential fuzzing in small: the same seeds in every run, and a fresh one that is printed."""

from __future__ import annotations

import random

import pytest

from rules.trace import Outcome
from tests.rules.fuzz import run

FIXED = 20260101
PROGRAMS = 60
PARTS = ("part-one", "part-two", "part-three", "part-four", "part-five")


@pytest.mark.parametrize("part", PARTS)
def test_the_same_programs_as_always(part: str) -> None:
    summary = run(PROGRAMS, FIXED + PARTS.index(part) * PROGRAMS)
    assert summary.differences == []
    assert summary.refused == 0, summary.reasons
    assert summary.findings > 60
    assert summary.derived > 120


def test_fresh_programs() -> None:
    seed = random.SystemRandom().randrange(10**9)
    print(f"fresh seed {seed}")
    summary = run(50, seed)
    assert summary.differences == [], f"seed {seed}"
    assert summary.refused == 0, summary.reasons


@pytest.mark.parametrize("target", ["rules.evaluate.DurableEngine", "rules.evaluate.Reference"])
def test_a_wrong_engine_is_found(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    from importlib import import_module

    module, name = target.rsplit(".", 1)
    engine = getattr(import_module(module), name)

    class Wrong(engine):  # type: ignore[misc, valid-type]
        def evaluate(self, admitted: object, timeout: float = 10.0) -> object:
            trace = super().evaluate(admitted, timeout)
            for id_, outcome in trace.outcomes.items():
                if len(outcome.gifts) > 1:
                    trace.outcomes[id_] = Outcome(outcome.ways, dict(list(outcome.gifts.items())[1:]))
            return trace

    monkeypatch.setattr(target, Wrong)
    assert run(20, FIXED).differences


def test_an_error_in_both_engines_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # What both read from the same checked pack is wrong for both: only the naive interpreter can tell.
    import rules.language.comparisons as comparisons

    original = comparisons.Test

    def lenient(property: str, operator: str, *rest: object, **named: object) -> object:
        return original(property, ">=" if operator == ">" else operator, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(comparisons, "Test", lenient)
    assert run(60, FIXED).differences
