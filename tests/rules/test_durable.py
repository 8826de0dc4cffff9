"""How the first evaluation is given up: after a fault or when it is closed nothing of it is used again."""

from __future__ import annotations

import pytest

from rules.admission import Admission
from rules.engine import DurableEngine
from rules.errors import EngineFault, EngineTimeout
from rules.language import load_pack
from tests.rules.packing import TINY


def test_a_closed_engine_gave_back_every_ruleset() -> None:
    pack = load_pack(TINY)
    engine = DurableEngine(pack)
    rulesets = [ruleset for group in engine.groups for ruleset, _ in group.rulesets]
    assert rulesets
    assert not any(ruleset.broken for ruleset in rulesets)
    engine.close()
    assert all(ruleset.broken for ruleset in rulesets)
    with pytest.raises(EngineFault, match="the engine was given up after a fault"):
        engine.evaluate(Admission(pack).admit([]))


def test_an_engine_that_ran_out_of_time_is_not_asked_again() -> None:
    pack = load_pack(TINY)
    admitted = Admission(pack).admit([])
    with DurableEngine(pack) as engine:
        with pytest.raises(EngineTimeout, match="durable_rules took too long"):
            engine.evaluate(admitted, timeout=-1)
        with pytest.raises(EngineFault, match="the engine was given up after a fault"):
            engine.evaluate(admitted)
