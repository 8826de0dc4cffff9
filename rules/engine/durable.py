"""The first evaluation: matched by durable_rules, in as few sessions as the order of statements allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from types import TracebackType

from rules.admission import Admitted
from rules.engine.encode import Row, Texts, row_maker
from rules.engine.group import Group
from rules.engine.hashing import MAX_NUMBER, ids_are_distinct
from rules.engine.integers import Integers
from rules.engine.levels import levels
from rules.engine.lookup import Lookup
from rules.engine.memory import keep_heap
from rules.engine.outputs import Decimals
from rules.engine.plan import Firings, Known, Plan
from rules.engine.session import Budget
from rules.errors import EngineFault, LimitExceeded
from rules.language.model import FINDING, Pack, Statement
from rules.trace import Key, Outcome, Trace


class DurableEngine:
    """Evaluates a pack with durable_rules; one evaluation at a time, unusable after any fault."""

    def __init__(self, pack: Pack, statements: Iterable[Statement] | None = None) -> None:
        if not ids_are_distinct():
            raise EngineFault("durable_rules would confuse two fact numbers")
        keep_heap()
        chosen = pack.statements.values() if statements is None else statements
        ordered = sorted(chosen, key=lambda statement: (statement.stratum, statement.id))
        self.integers = Integers(pack.kinds)
        self.groups = self._grouped(ordered)
        given = {give.kind for statement in ordered for give in statement.given()} | {FINDING}
        read = {condition.kind for statement in ordered for condition in statement.conditions()}
        used = self.integers.used
        self.make = {name: row_maker(kind, used.get(name, ())) for name, kind in pack.kinds.items()}
        self.ways = {
            name: (name in given, make if name in read else None) for name, make in self.make.items()
        }
        """By kind: whether a statement gives such facts, and how they are encoded where one reads them."""
        self.constants: tuple[Key, ...] = ()
        self.constant_rows: dict[str, list[Row]] = {}
        self.constant_list: list[Row] = []
        self.texts = Texts(self.integers.texts)
        self.broken = False

    def _grouped(self, ordered: list[Statement]) -> list[Group]:
        """Returns the statements in groups, each in the order of strata, after those they read from."""
        plans = [Plan(statement, f"s{n}", self.integers) for n, statement in enumerate(ordered)]
        free = {plan.statement.id for plan in plans if not any(plan.units())}
        level = levels(ordered, free)
        groups: dict[int, list[Plan]] = defaultdict(list)
        for plan in plans:
            groups[level[plan.statement.id]].append(plan)
        return [Group(f"t{n}", groups[number], self.integers) for n, number in enumerate(sorted(groups))]

    def prepare(self, constants: tuple[Key, ...]) -> None:
        """Encodes the rows of the pack's tables, which every evaluation then shares."""
        self.constants = constants
        self.constant_rows = {}
        self.constant_list = []
        self.texts = Texts(self.integers.texts)
        for number, (kind, values) in enumerate(constants):
            row = self.make[kind](number, values, self.texts)
            self.constant_rows.setdefault(kind, []).append(row)
            self.constant_list.append(row)
        for group in self.groups:
            group.keep(self.constant_rows)

    def evaluate(self, admitted: Admitted, timeout: float = 10.0) -> Trace:
        """Returns what every statement concludes; after an EngineFault the engine must be built anew."""
        if self.broken:
            raise EngineFault("the engine was given up after a fault")
        self.broken = True
        if admitted.constants is not self.constants:
            self.prepare(admitted.constants)
        trace = _Run(self, admitted, Budget(timeout)).run()
        self.broken = False
        return trace

    def close(self) -> None:
        """Gives the engine's memory back."""
        for group in self.groups:
            group.close()
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
        self.texts = Texts(engine.texts)
        self.numbers: dict[Key, int] = {}
        self.rows = defaultdict[str, list[Row]](list, engine.constant_rows)
        # The engine's ids count from 1.
        self.by_number: list[Row] = [(-1,), *engine.constant_list]
        self.asserted = len(admitted.constants) + len(admitted.facts)
        self.check_count(self.asserted)
        self.put_all(admitted.facts)
        decimals = Decimals(self.texts.millionths)
        self.known = Known(self.by_number, Lookup(self.rows), self.texts.names, decimals, budget)

    def check_count(self, count: int) -> None:
        if count > MAX_NUMBER:
            raise LimitExceeded(f"more than {MAX_NUMBER} facts, given ones included")

    def put_all(self, keys: Iterable[Key]) -> None:
        """Encodes facts under the next numbers."""
        ways, rows, texts, number = self.engine.ways, self.rows, self.texts, len(self.by_number) - 1
        put = self.by_number.append
        for key in keys:
            kind, values = key
            given, make = ways[kind]
            if given:
                self.numbers[key] = number
            if make is None:
                put((number,))
            else:
                row = make(number, values, texts)
                rows[kind].append(row)
                put(row)
            number += 1

    def run(self) -> Trace:
        outcomes: dict[str, Outcome] = {}
        for group in self.engine.groups:
            self.budget.check_time()
            firings = group.match(self.rows, len(self.by_number), self.budget)
            for stratum in group.strata:
                self.conclude(stratum, firings, outcomes)
        return Trace(outcomes, self.numbers, self.asserted)

    def conclude(self, stratum: list[Plan], firings: Firings, outcomes: dict[str, Outcome]) -> None:
        """Adds what the statements of a stratum conclude; their facts are known when all have concluded."""
        fresh: list[Key] = []
        known = self.known
        for plan in stratum:
            outcome = plan.conclude(firings, known)
            if outcome is not None:
                outcomes[plan.id] = outcome
                if plan.active:
                    fresh += [key for key, _ in outcome.gifts]
                    if outcome.ways:
                        fresh += _findings(plan.statement, outcome)
        if fresh:
            self.publish(fresh)

    def publish(self, keys: Iterable[Key]) -> None:
        """Numbers and encodes the facts that are not known yet."""
        numbers, ways, rows, texts = self.numbers, self.engine.ways, self.rows, self.texts
        put, number = self.by_number.append, len(self.by_number) - 1
        changed: set[str] = set()
        for key in keys:
            if numbers.setdefault(key, number) != number:
                continue
            if number >= MAX_NUMBER:
                self.check_count(number + 1)
            kind, values = key
            make = ways[kind][1]
            if make is None:
                put((number,))
            else:
                row = make(number, values, texts)
                rows[kind].append(row)
                put(row)
                changed.add(kind)
            number += 1
        for kind in changed:
            self.known.lookup.forget(kind)


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
