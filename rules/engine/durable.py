"""The first evaluation: rules and cases matched by durable_rules, stratum by stratum."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from rules.admission import Admitted
from rules.engine.derive import Lookup
from rules.engine.encode import Encoder, Row, row_source
from rules.engine.hashing import MAX_NUMBER, ids_are_distinct
from rules.engine.integers import Integers
from rules.engine.levels import levels
from rules.engine.plan import Plan, Stratum
from rules.engine.session import Budget
from rules.errors import EngineFault, LimitExceeded
from rules.language.model import FINDING, Pack, Statement
from rules.trace import Key, Outcome, Trace


class DurableEngine:
    """Evaluates a pack with durable_rules; one evaluation at a time, unusable after any fault."""

    def __init__(self, pack: Pack, statements: Iterable[Statement] | None = None) -> None:
        if not ids_are_distinct():
            raise EngineFault("durable_rules would confuse two fact numbers")
        chosen = pack.statements.values() if statements is None else statements
        ordered = sorted(chosen, key=lambda statement: (statement.stratum, statement.id))
        self.kinds = pack.kinds
        self.integers = Integers(pack.kinds)
        plans = [
            [Plan(statement, f"s{n}", self.integers) for n, statement in enumerate(group)]
            for group in levels(ordered)
        ]
        self.strata = [Stratum(f"t{n}", group, self.integers) for n, group in enumerate(plans)]
        used = self.integers.used
        self.row_sources = {name: row_source(kind, used.get(name, ())) for name, kind in pack.kinds.items()}
        self.broken = False

    def evaluate(self, admitted: Admitted, timeout: float = 10.0) -> Trace:
        """Returns what every statement concludes; after an EngineFault the engine must be built anew."""
        if self.broken:
            raise EngineFault("the engine was given up after a fault")
        self.broken = True
        trace = _Run(self, admitted, Budget(timeout)).run()
        self.broken = False
        return trace

    def close(self) -> None:
        """Gives the engine's memory back."""
        for stratum in self.strata:
            stratum.close()
        self.broken = True

    def __enter__(self) -> DurableEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Run:
    """Is one evaluation."""

    def __init__(self, engine: DurableEngine, admitted: Admitted, budget: Budget) -> None:
        self.engine, self.budget = engine, budget
        self.encoder = Encoder(engine.row_sources, engine.integers.texts)
        self.numbers: dict[Key, int] = {}
        self.rows: dict[str, list[Row]] = {}
        self.by_number: list[Row] = [()]
        for key in admitted.keys:
            self.add(key)
        self.asserted = len(admitted.keys)

    def add(self, key: Key) -> None:
        """Encodes a fact, if it is not known yet, under the next number."""
        number = len(self.numbers) + 1
        if self.numbers.setdefault(key, number) != number:
            return
        if number > MAX_NUMBER:
            raise LimitExceeded(f"more than {MAX_NUMBER} facts, given ones included")
        kind, values = key
        row = self.encoder.rows[kind](number, values)
        self.rows.setdefault(kind, []).append(row)
        self.by_number.append(row)

    def run(self) -> Trace:
        outcomes: dict[str, Outcome] = {}
        for stratum in self.engine.strata:
            self.budget.check_time()
            firings = stratum.run(self.rows, len(self.by_number), self.budget)
            lookup = Lookup(self.rows)
            fresh: list[Key] = []
            for plan in stratum.plans:
                outcome = plan.conclude(
                    firings, lookup, self.by_number, self.encoder.texts.names, self.budget
                )
                outcomes[plan.statement.id] = outcome
                if plan.statement.status == "active":
                    fresh += [key for key, _ in outcome.gifts] + _findings(plan.statement, outcome)
            for key in fresh:
                self.add(key)
        return Trace(outcomes, list(self.numbers)[self.asserted :], self.asserted)


def _findings(statement: Statement, outcome: Outcome) -> list[Key]:
    """Returns the findings of a statement as facts for higher strata."""
    keys: list[Key] = []
    for case, subject in outcome.ways:
        spec = statement.cases[case].finding
        if spec is None:
            raise EngineFault(f"'{statement.id}' speaks without a conclusion")
        stated = {
            "rule": statement.id,
            "case": statement.cases[case].id,
            "subject": subject,
            "family": spec.family,
            "indicator": spec.indicator,
            "conclusion": spec.conclusion,
        }
        keys.append((FINDING, tuple(stated.values())))
    return keys
