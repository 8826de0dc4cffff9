"""The second evaluation: the same checked statements, on native values, by plain loops and lookups."""

from __future__ import annotations

import decimal
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
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
        self.indexes = [_Index(kind, positions) for kind, positions in compiler.source.indexes]
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

    def lookup(self, number: int) -> dict[Any, list[Row]]:
        """Returns the rows of a kind by the values at some positions; rows without such a value are left
        out."""
        found = self.lookups.get(number)
        if found is None:
            index = self.reference.indexes[number]
            rows = self.rows[index.kind]
            found = self.lookups[number] = index.of(rows) if rows else {}
        return found

    def check(self) -> None:
        """Raises where the time is over."""
        if time.monotonic() > self.deadline:
            raise EngineTimeout("the reference evaluation took too long")

    def run(self) -> Trace:
        outcomes: dict[str, Outcome] = {}
        rows = self.rows
        for stratum in self.reference.strata:
            self.check()
            fresh: list[Key] = []
            for compiled in stratum:
                for kind in compiled.needs:
                    if not rows[kind]:
                        break
                else:
                    outcome = self.statement(compiled)
                    if outcome is not None:
                        statement = compiled.statement
                        outcomes[statement.id] = outcome
                        if statement.status == "active":
                            fresh += [key for key, _ in outcome.gifts]
                            if outcome.ways:
                                fresh += finding_keys(statement, outcome)
            if fresh:
                self.publish(fresh)
        return Trace(outcomes, self.numbers, self.asserted)

    def publish(self, keys: list[Key]) -> None:
        """Makes facts known to higher strata; those that are not known yet get the next numbers."""
        rows, numbers, number = self.rows, self.numbers, self.next
        changed: set[str] = set()
        for key in keys:
            if numbers.setdefault(key, number) == number:
                kind, values = key
                rows[kind].append((number, *values))
                changed.add(kind)
                number += 1
        self.next = number
        indexes = self.reference.indexes
        for stale in [n for n in self.lookups if indexes[n].kind in changed]:
            del self.lookups[stale]

    def statement(self, compiled: CompiledStatement) -> Outcome | None:
        """Returns what a statement concludes, None where it is silent."""
        ways: Ways = {}
        gifts: Gifts = {}
        self.left -= compiled.conclude(self.rows, self.lookup, ways, gifts, self.check, self.left)
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


class _Index:
    """Finds the rows of a kind by their values at some positions; rows without such a value are left out."""

    def __init__(self, kind: str, positions: tuple[int, ...]) -> None:
        self.kind = kind
        self.alone = len(positions) == 1
        self.values = itemgetter(*positions)

    def of(self, rows: list[Row]) -> dict[Any, list[Row]]:
        """Returns the rows by the one value, or by a tuple of several."""
        found: defaultdict[Any, list[Row]] = defaultdict(list)
        for values, row in zip(map(self.values, rows), rows, strict=True):
            found[values].append(row)
        for values in [None] if self.alone else [values for values in found if None in values]:
            found.pop(values, None)
        return found
