"""Running one evaluation alone, so that each is tested by itself."""

from __future__ import annotations

from collections.abc import Sequence

from rules.admission import Admission
from rules.crosscheck import Reference
from rules.engine import DurableEngine
from rules.evaluation import Evaluation
from rules.facts import Fact
from rules.language.model import Pack
from rules.telling import tell

ENGINES = ("durable", "reference")


def run(engine: str, pack: Pack, facts: Sequence[Fact]) -> Evaluation:
    """Returns what one of the two evaluations says."""
    admitted = Admission(pack).admit(facts)
    if engine == "durable":
        with DurableEngine(pack) as durable:
            trace = durable.evaluate(admitted)
    else:
        trace = Reference(pack).evaluate(admitted)
    return tell(pack, pack.statements.values(), admitted, trace, (), (), (engine,))


def given(evaluation: Evaluation, kind: str) -> list[dict]:
    """Returns the values of the derived facts of a kind."""
    return [dict(fact.values) for fact in evaluation.of(kind)]
