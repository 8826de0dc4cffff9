"""The second evaluation: the same checked statements, on native values, by plain loops and lookups."""

from __future__ import annotations

import decimal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from rules.admission import Admitted
from rules.crosscheck.compiled import CompiledGive, CompiledStatement, Compiler, Row
from rules.errors import EngineTimeout, LimitExceeded
from rules.facts import Value
from rules.language.model import FINDING, Pack, Preference, Statement
from rules.numbers import EXACT
from rules.trace import Key, Outcome, Trace, grant, speak

MAX_MATCHES = 20_000


class Reference:
    """Evaluates a pack; holds no state between evaluations, so it may be used from several threads."""

    def __init__(self, pack: Pack, statements: Iterable[Statement] | None = None) -> None:
        self.kinds = pack.kinds
        compiler = Compiler(pack.kinds)
        chosen = pack.statements.values() if statements is None else statements
        self.statements = compiler.compile(
            sorted(chosen, key=lambda statement: (statement.stratum, statement.id))
        )
        self.indexes = [
            index for index, _ in sorted(compiler.source.indexes.items(), key=lambda item: item[1])
        ]

    def evaluate(self, admitted: Admitted, timeout: float = 10.0) -> Trace:
        """Returns what every statement concludes; raises an EngineFault where a limit was passed."""
        with decimal.localcontext(EXACT):
            return _Run(self, admitted, time.monotonic() + timeout).run()


class _Run:
    def __init__(self, reference: Reference, admitted: Admitted, deadline: float) -> None:
        self.reference, self.deadline = reference, deadline
        self.rows: dict[str, list[Row]] = {kind: [] for kind in reference.kinds}
        self.numbers: dict[Key, int] = {}
        self.asserted = len(admitted.keys)
        for key in admitted.keys:
            self.add(key)
        self.lookups: dict[int, dict[Any, list[Row]]] = {}
        self.matches = 0

    def add(self, key: Key) -> None:
        number = len(self.numbers)
        if self.numbers.setdefault(key, number) == number:
            self.rows[key[0]].append((number, *key[1]))

    def lookup(self, number: int) -> dict[Any, list[Row]]:
        """Returns the rows of a kind by the values at some positions; rows without such a value are left
        out."""
        found = self.lookups.get(number)
        if found is None:
            kind, positions = self.reference.indexes[number]
            found = self.lookups[number] = _index(self.rows[kind], positions)
        return found

    def run(self) -> Trace:
        outcomes: dict[str, Outcome] = {}
        for _, group in groupby(self.reference.statements, key=lambda compiled: compiled.statement.stratum):
            stratum = list(group)
            for compiled in stratum:
                outcomes[compiled.statement.id] = self.statement(compiled)
            changed: set[str] = set()
            for compiled in stratum:
                changed |= self.publish(compiled.statement, outcomes[compiled.statement.id])
            for number in [n for n in self.lookups if self.reference.indexes[n][0] in changed]:
                del self.lookups[number]
        return Trace(outcomes, list(self.numbers)[self.asserted :], self.asserted)

    def publish(self, statement: Statement, outcome: Outcome) -> set[str]:
        """Makes the facts of an active statement known to higher strata; returns their kinds."""
        if statement.status != "active":
            return set()
        keys = [key for key, _ in outcome.gifts] + finding_keys(statement, outcome)
        for key in keys:
            self.add(key)
        return {kind for kind, _ in keys}

    def statement(self, compiled: CompiledStatement) -> Outcome:
        if time.monotonic() > self.deadline:
            raise EngineTimeout("the reference evaluation took too long")
        bindings = compiled.base(self.rows, self.lookup)
        self.count(len(bindings))
        outcome = Outcome()
        match compiled.statement.form:
            case "rule":
                for binding in bindings:
                    self.conclude(compiled, outcome, 0, binding)
            case "decision":
                self.decide(compiled, outcome, bindings)
            case "derivation":
                for binding in bindings:
                    self.derive(compiled, outcome, binding)
        return outcome

    def count(self, matches: int) -> None:
        self.matches += matches
        if self.matches > MAX_MATCHES:
            raise LimitExceeded(f"more than {MAX_MATCHES} ways in which conditions hold")

    def conclude(
        self, compiled: CompiledStatement, outcome: Outcome, number: int, binding: tuple[Row, ...]
    ) -> None:
        case = compiled.cases[number]
        support = {row[0] for row in binding}
        for key in case.gives(*binding):
            grant(outcome, key, number, support)
        if compiled.statement.cases[number].finding is not None:
            speak(outcome, number, case.subject(*binding), case.say(*binding), support)

    def decide(self, compiled: CompiledStatement, outcome: Outcome, bindings: list[tuple[Row, ...]]) -> None:
        by_each: dict[int, list[tuple[Row, ...]]] = defaultdict(list)
        for binding in bindings:
            by_each[binding[0][0]].append(binding)
        for ways in by_each.values():
            for number, case in enumerate(compiled.cases):
                full = [way + more for way in ways for more in case.match(self.rows, self.lookup, *way)]
                self.count(len(full))
                for binding in full:
                    self.conclude(compiled, outcome, number, binding)
                if full:
                    break

    def derive(self, compiled: CompiledStatement, outcome: Outcome, binding: tuple[Row, ...]) -> None:
        met: list[Row] | None = None
        if compiled.source is not None:
            met = [rows[0] for rows in compiled.source(self.rows, self.lookup, *binding)]
            self.count(len(met))
        for give in compiled.gives:
            found = _aggregated(compiled, give, binding, met)
            if found is not None:
                values, rows = found
                support = {row[0] for row in binding} | {row[0] for row in rows}
                grant(outcome, (give.kind, tuple(values)), 0, support)


def finding_keys(statement: Statement, outcome: Outcome) -> list[Key]:
    """Returns the facts of kind `finding` that a statement's findings make."""
    found: list[Key] = []
    for number, subject in outcome.ways:
        case = statement.cases[number]
        if case.finding is not None:
            spec = case.finding
            values = (statement.id, case.id, subject, spec.family, spec.indicator, spec.conclusion)
            found.append((FINDING, values))
    return found


def _index(rows: list[Row], positions: tuple[int, ...]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    if len(positions) == 1:
        place = positions[0]
        for row in rows:
            if row[place] is not None:
                found.setdefault(row[place], []).append(row)
        return found
    for row in rows:
        values = tuple([row[place] for place in positions])
        if None not in values:
            found.setdefault(values, []).append(row)
    return found


def _aggregated(
    compiled: CompiledStatement, give: CompiledGive, binding: tuple[Row, ...], met: list[Row] | None
) -> tuple[list[Value | None], list[Row]] | None:
    """Returns the values of one derived fact and the rows of `from` it rests on; None where no fact
    follows."""
    if met is None:
        return give.values(*binding), []
    counted = [aggregate for _, aggregate, _ in give.aggregates if aggregate.function in ("count", "exists")]
    if not met and not counted:
        return None
    rows: list[Row] = []
    chosen = _picked(compiled, met) if compiled.statement.pick and met else None
    filler = chosen or (met[0] if met else None)
    values = give.values(*binding, filler if filler is not None else (None,) * 64)
    if chosen is not None:
        rows.append(chosen)
    for place, aggregate, position in give.aggregates:
        values[place], used = _aggregate(aggregate.function, position, met, aggregate.type)
        rows += used
    if not give.aggregates and chosen is None:
        rows = met
    return values, rows


def _aggregate(function: str, place: int, met: list[Row], type_: str) -> tuple[Any, list[Row]]:
    if function == "count":
        return len(met), met
    if function == "exists":
        return ("yes" if met else "no"), met
    stated = [row for row in met if row[place] is not None]
    if not stated:
        return None, []
    extreme = (min if function == "min" else max)(row[place] for row in stated)
    value = decimal.Decimal(extreme) if type_ == "decimal" and isinstance(extreme, int) else extreme
    return value, [row for row in stated if row[place] == extreme]


def _picked(compiled: CompiledStatement, met: list[Row]) -> Row:
    """Returns the preferred row; a full tie goes to the smallest values, an absent one after every stated
    one."""
    source = compiled.statement.source
    if source is None or len(met) == 1:
        return met[0]
    left = met
    for preference in compiled.statement.pick:
        left = _preferred(left, preference, compiled)
    return min(
        left, key=lambda row: tuple((value is None, value if value is not None else 0) for value in row[1:])
    )


def _preferred(rows: list[Row], preference: Preference, compiled: CompiledStatement) -> list[Row]:
    place = compiled.places[preference.property]
    if preference.order == "is":
        return [row for row in rows if row[place] == preference.value] or rows
    stated = [row for row in rows if row[place] is not None]
    if not stated:
        return rows
    choose: Callable[..., Any] = min if preference.order == "ascending" else max
    best = choose(row[place] for row in stated)
    return [row for row in stated if row[place] == best]
