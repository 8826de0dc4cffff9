"""The second evaluation: the same checked statements, on native values, by plain loops and lookups."""

from __future__ import annotations

import decimal
import time
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from rules.admission import Admitted
from rules.crosscheck.arithmetic import Row
from rules.crosscheck.compiled import CompiledStatement, Compiler
from rules.errors import EngineTimeout, LimitExceeded
from rules.language.model import FINDING, Pack, Statement
from rules.numbers import EXACT
from rules.trace import Gifts, Key, Outcome, Trace, Ways

MAX_MATCHES = 200_000


class Reference:
    """Evaluates a pack; holds no patient's state between evaluations, so several threads may use it."""

    def __init__(self, pack: Pack, statements: Iterable[Statement] | None = None) -> None:
        compiler = Compiler(pack.kinds)
        chosen = pack.statements.values() if statements is None else statements
        compiled = compiler.compile(sorted(chosen, key=lambda statement: (statement.stratum, statement.id)))
        self.kinds = pack.kinds
        self.strata = [list(group) for _, group in groupby(compiled, key=lambda one: one.statement.stratum)]
        self.given = {give.kind for one in compiled for give in one.statement.given()} | {FINDING}
        self.indexes = list(compiler.source.indexes)
        self.prepared: tuple[tuple[Key, ...], dict[str, list[Row]]] = ((), {})

    def evaluate(self, admitted: Admitted, timeout: float = 10.0) -> Trace:
        """Returns what every statement concludes; raises an EngineFault where a limit was passed."""
        with decimal.localcontext(EXACT):
            return _Run(self, admitted, time.monotonic() + timeout).run()

    def constants(self, keys: tuple[Key, ...]) -> dict[str, list[Row]]:
        """Returns the rows of the pack's tables by kind; those of the last call are kept."""
        known, rows = self.prepared
        if known is not keys:
            rows = {}
            for number, (kind, values) in enumerate(keys):
                rows.setdefault(kind, []).append((number, *values))
            # One assignment: another thread sees the old pair or the new one.
            self.prepared = (keys, rows)
        return rows


class _Run:
    def __init__(self, reference: Reference, admitted: Admitted, deadline: float) -> None:
        self.reference, self.deadline = reference, deadline
        self.rows: dict[str, list[Row]] = {kind: [] for kind in reference.kinds}
        # A table's rows are shared and never added to: no statement gives facts of its kind.
        self.rows |= reference.constants(admitted.constants)
        self.numbers: dict[Key, int] = {}
        rows, given = self.rows, reference.given
        number = len(admitted.constants)
        for key in admitted.facts:
            kind, values = key
            rows[kind].append((number, *values))
            if kind in given:
                self.numbers[key] = number
            number += 1
        self.asserted = self.next = number
        self.lookups: dict[int, dict[Any, list[Row]]] = {}
        self.left = MAX_MATCHES

    def add(self, key: Key) -> None:
        """Numbers a given fact, if it is not known yet."""
        number = self.next
        if self.numbers.setdefault(key, number) == number:
            self.next = number + 1
            self.rows[key[0]].append((number, *key[1]))

    def lookup(self, number: int) -> dict[Any, list[Row]]:
        """Returns the rows of a kind by the values at some positions; rows without such a value are left
        out."""
        found = self.lookups.get(number)
        if found is None:
            kind, positions = self.reference.indexes[number]
            found = self.lookups[number] = _index(self.rows[kind], positions)
        return found

    def check(self) -> None:
        """Raises where the time is over."""
        if time.monotonic() > self.deadline:
            raise EngineTimeout("the reference evaluation took too long")

    def run(self) -> Trace:
        outcomes: dict[str, Outcome] = {}
        for stratum in self.reference.strata:
            self.check()
            spoke: list[tuple[Statement, Outcome]] = []
            for compiled in stratum:
                outcome = self.statement(compiled)
                if outcome is not None:
                    outcomes[compiled.statement.id] = outcome
                    spoke.append((compiled.statement, outcome))
            changed: set[str] = set()
            for statement, outcome in spoke:
                changed |= self.publish(statement, outcome)
            for number in [n for n in self.lookups if self.reference.indexes[n][0] in changed]:
                del self.lookups[number]
        return Trace(outcomes, self.numbers, self.asserted)

    def publish(self, statement: Statement, outcome: Outcome) -> set[str]:
        """Makes the facts of an active statement known to higher strata; returns their kinds."""
        if statement.status != "active":
            return set()
        keys = [key for key, _ in outcome.gifts]
        if outcome.ways:
            keys += finding_keys(statement, outcome)
        for key in keys:
            self.add(key)
        return {kind for kind, _ in keys}

    def statement(self, compiled: CompiledStatement) -> Outcome | None:
        """Returns what a statement concludes, None where it is silent."""
        rows = self.rows
        for kind in compiled.needs:
            if not rows[kind]:
                return None
        ways: Ways = {}
        gifts: Gifts = {}
        self.left -= compiled.conclude(rows, self.lookup, ways, gifts, self.check, self.left)
        if self.left < 0:
            raise LimitExceeded(f"more than {MAX_MATCHES} ways in which conditions hold")
        return Outcome(ways, gifts) if ways or gifts else None


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
