"""How a statement is matched: which rules of the engine it becomes, and what follows from their firings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from rules.engine.cases import Conclude, Numbers, conclusion
from rules.engine.derive import Derivation
from rules.engine.encode import Row
from rules.engine.integers import Integers
from rules.engine.lookup import Among, Lookup
from rules.engine.outputs import Decimals
from rules.engine.session import Budget
from rules.engine.units import Unit
from rules.language.model import Case, Condition, Statement
from rules.trace import Gifts, Outcome, Ways

Firings = Mapping[str, Sequence[Numbers]]


@dataclass(slots=True)
class Known:
    """Is what one evaluation knows: rows by the numbers of the engine (from 1), texts, what was decoded."""

    by_number: list[Row]
    lookup: Lookup
    texts: Sequence[str]
    decimals: Decimals
    budget: Budget


class Negative:
    """Is one `unless`: a rule whose firings take away bindings.

    Only the bound facts that it is compared with, and those that these are compared with, stand in its rule.
    """

    def __init__(self, name: str, bound: tuple[Condition, ...], condition: Condition) -> None:
        needed = _reached(bound, condition)
        self.size = len(bound)
        self.slots = [slot for slot, other in enumerate(bound) if other.alias in needed]
        self.unit = Unit.of(name, (*(bound[slot] for slot in self.slots), condition))
        # What is compared of a binding, and the same of a firing, whose last fact is the one that forbids.
        self.compared = itemgetter(*self.slots) if self.slots else _none
        self.met = itemgetter(*range(len(self.slots))) if self.slots else _none
        self.same = any(other.kind == condition.kind for other in bound)

    def keep(self, bindings: Sequence[Numbers], firings: Firings) -> Sequence[Numbers]:
        """Returns the bindings it does not take away."""
        fired = firings.get(self.unit.name)
        if not fired or not bindings:
            return bindings
        if not self.same:
            compared, gone = self.compared, set(map(self.met, fired))
            return [binding for binding in bindings if compared(binding) not in gone]
        slots = self.slots
        # The fact that forbids is another one than those bound.
        met: dict[Numbers, set[int]] = defaultdict(set)
        for numbers in fired:
            met[numbers[:-1]].add(numbers[-1])
        nothing: set[int] = set()
        return [
            binding
            for binding in bindings
            if not met.get(tuple([binding[slot] for slot in slots]), nothing).difference(binding[: self.size])
        ]


def _none(_: Numbers) -> tuple[()]:
    return ()


def _reached(bound: tuple[Condition, ...], condition: Condition) -> set[str]:
    """Returns the aliases that a condition is compared with, directly or by way of others."""
    by_alias = {other.alias: other for other in bound}
    found: set[str] = set()
    open_ = condition.joins()
    while open_:
        alias = open_.pop()
        found.add(alias)
        open_ |= by_alias[alias].joins() - found
    return found


class CasePlan:
    """Is one case: its positive rule, its `unless`, and how it concludes."""

    def __init__(
        self, name: str, number: int, case: Case, when: tuple[Condition, ...], integers: Integers
    ) -> None:
        bound = when + case.when
        self.unit = Unit.of(name, bound) if case.when else None
        self.negatives = [
            Negative(f"{name}n{i}", bound, condition) for i, condition in enumerate(case.unless)
        ]
        self.conclude: Conclude = conclusion(number, case, bound, integers)


class Plan:
    """Is one statement made ready."""

    def __init__(self, statement: Statement, name: str, integers: Integers) -> None:
        self.statement = statement
        self.id, self.active = statement.id, statement.status == "active"
        when = statement.when
        joined = statement.form == "rule" or len(when) > 1
        self.unit = Unit.of(f"{name}b", when) if joined else None
        self.each = Among.numbers(when[0], integers)
        self.negatives = [
            Negative(f"{name}n{i}", when, condition) for i, condition in enumerate(statement.unless)
        ]
        self.cases = [
            CasePlan(f"{name}c{i}", i, case, when, integers) for i, case in enumerate(statement.cases)
        ]
        self.derivation = Derivation(statement, integers) if statement.form == "derivation" else None
        self.decides = statement.form == "decision"
        matched = [unit.name for unit in (self.unit, *(case.unit for case in self.cases)) if unit is not None]
        self.matched = frozenset(matched)
        self.needs_base = self.derivation is not None or any(case.unit is None for case in self.cases)

    def units(self) -> Iterator[Unit]:
        """Yields the rules the engine is to match."""
        if self.unit is not None and self.needs_base:
            yield self.unit
        yield from (negative.unit for negative in self.negatives)
        for case in self.cases:
            if case.unit is not None:
                yield case.unit
            yield from (negative.unit for negative in case.negatives)

    def conclude(self, firings: Firings, known: Known) -> Outcome | None:
        """Returns what follows from the engine's firings, None where the statement is silent."""
        base: Sequence[Numbers] = ()
        if self.needs_base:
            base = self.base(firings, known.lookup)
        if not base and firings.keys().isdisjoint(self.matched):
            return None
        ways: Ways = {}
        gifts: Gifts = {}
        if self.derivation is not None:
            self.derivation.conclude(
                known.lookup, base, known.by_number, known.texts, known.decimals, gifts, known.budget
            )
        else:
            decided: set[int] = set()
            for case in self.cases:
                held = self.held(case, base, firings, decided)
                if held:
                    case.conclude(held, known.by_number, known.texts, known.decimals, ways, gifts)
        return Outcome(ways, gifts) if ways or gifts else None

    def base(self, firings: Firings, lookup: Lookup) -> Sequence[Numbers]:
        """Returns the bindings of `when` that no `unless` of the statement takes away."""
        found: Sequence[Numbers]
        if self.unit is not None:
            found = firings.get(self.unit.name, ())
        else:
            found = lookup.by(self.each) if lookup.rows.get(self.each.kind) else ()
        for negative in self.negatives:
            found = negative.keep(found, firings)
        return found

    def held(
        self, case: CasePlan, base: Sequence[Numbers], firings: Firings, decided: set[int]
    ) -> Sequence[Numbers]:
        """Returns the ways in which a case holds for what is not decided yet, and notes what it decides."""
        if case.unit is None:
            found = base
        else:
            found = firings.get(case.unit.name, ())
            for negative in self.negatives:
                found = negative.keep(found, firings)
        if decided and found:
            found = [binding for binding in found if binding[0] not in decided]
        for negative in case.negatives:
            found = negative.keep(found, firings)
        if self.decides and found:
            decided.update([binding[0] for binding in found])
        return found
