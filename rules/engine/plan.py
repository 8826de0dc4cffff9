"""How statements are matched: which rules of the engine they become, and what follows from their firings."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from rules.engine.columns import Columns
from rules.engine.derive import Derivation, Lookup
from rules.engine.encode import Row
from rules.engine.hashing import RESERVED, collision
from rules.engine.integers import Integers
from rules.engine.outputs import Outputs, Texts
from rules.engine.session import Budget, Ruleset
from rules.engine.units import Unit, compile_ruleset, compile_unit, split
from rules.errors import EngineFault
from rules.facts import Value
from rules.language.model import Case, Condition, Statement
from rules.trace import Outcome, grant, speak

Numbers = tuple[int, ...]
Firings = Mapping[str, Sequence[Numbers]]
Rows = tuple[Row, ...]


class Negative:
    """Is one `unless`: a rule whose firings take away bindings.

    Only the bound facts that it is compared with, and those that these are compared with, stand in its rule.
    """

    def __init__(self, name: str, bound: tuple[Condition, ...], condition: Condition) -> None:
        needed = _reached(bound, condition)
        self.size = len(bound)
        self.slots = [slot for slot, other in enumerate(bound) if other.alias in needed]
        self.unit = Unit.of(name, (*(bound[slot] for slot in self.slots), condition))
        self.same = any(other.kind == condition.kind for other in bound)

    def keep(self, bindings: list[Numbers], firings: Firings) -> list[Numbers]:
        """Returns the bindings it does not take away."""
        fired = firings.get(self.unit.name, ())
        if not fired or not bindings:
            return bindings
        met: dict[Numbers, set[int]] = defaultdict(set)
        for numbers in fired:
            met[numbers[:-1]].add(numbers[-1])
        slots = self.slots
        if not self.same:
            return [binding for binding in bindings if tuple([binding[slot] for slot in slots]) not in met]
        # The fact that forbids is another one than those bound.
        nothing: set[int] = set()
        return [
            binding
            for binding in bindings
            if not met.get(tuple([binding[slot] for slot in slots]), nothing).difference(binding[: self.size])
        ]


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
    """Is one case: its positive rule, its `unless`, and what it says."""

    def __init__(self, name: str, case: Case, when: tuple[Condition, ...], integers: Integers) -> None:
        bound = when + case.when
        outputs = Outputs(integers, bound)
        self.unit = Unit.of(name, bound) if case.when else None
        self.negatives = [
            Negative(f"{name}n{i}", bound, condition) for i, condition in enumerate(case.unless)
        ]
        self.gives = [(give.kind, outputs.fact(give)) for give in case.then]
        self.speaks = case.finding is not None
        subject = case.finding.subject if case.finding else None
        self.subject = outputs.value(subject, "id") if subject else None
        self.say = outputs.said(case.finding.say if case.finding else ())

    def conclude(self, outcome: Outcome, number: int, rows: Rows, texts: Texts) -> None:
        """Adds what the case gives and says for one binding."""
        support = {row[0] - 1 for row in rows if row[0] is not None}
        for kind, values in self.gives:
            grant(outcome, (kind, tuple(values(rows, texts))), number, support)
        if self.speaks:
            subject: Value | None = self.subject(rows, texts) if self.subject else None
            if subject is not None and not isinstance(subject, str):
                raise EngineFault("a subject is not a text")
            speak(outcome, number, subject, self.say(rows, texts), support)


class Plan:
    """Is one statement made ready."""

    def __init__(self, statement: Statement, name: str, integers: Integers) -> None:
        self.statement = statement
        when = statement.when
        joined = statement.form == "rule" or len(when) > 1
        self.unit = Unit.of(f"{name}b", when) if joined else None
        self.each: Callable[[Row], bool] | None = None if joined else integers.filter(when[0])
        self.negatives = [
            Negative(f"{name}n{i}", when, condition) for i, condition in enumerate(statement.unless)
        ]
        self.cases = [CasePlan(f"{name}c{i}", case, when, integers) for i, case in enumerate(statement.cases)]
        self.derivation = Derivation(statement, integers) if statement.form == "derivation" else None
        units = [self.unit, *(case.unit for case in self.cases)]
        self.positive = [unit.name for unit in units if unit is not None]

    def units(self) -> Iterator[Unit]:
        """Yields the rules the engine is to match."""
        needs_base = self.derivation is not None or any(case.unit is None for case in self.cases)
        if self.unit is not None and needs_base:
            yield self.unit
        yield from (negative.unit for negative in self.negatives)
        for case in self.cases:
            if case.unit is not None:
                yield case.unit
            yield from (negative.unit for negative in case.negatives)

    def conclude(
        self,
        firings: Firings,
        lookup: Lookup,
        by_number: Sequence[Row],
        texts: Texts,
        budget: Budget,
    ) -> Outcome:
        """Returns what follows from the engine's firings."""
        outcome = Outcome()
        if self.each is None and not any(name in firings for name in self.positive):
            return outcome
        base = self.base(firings, lookup.rows)
        if self.derivation is not None:
            bindings = [tuple([by_number[number] for number in binding]) for binding in base]
            for key, support in self.derivation.facts(lookup, bindings, texts, budget):
                grant(outcome, key, 0, {number - 1 for number in support})
            return outcome
        decided: set[int] = set()
        for number, case in enumerate(self.cases):
            for binding in self.held(case, base, firings, decided):
                case.conclude(outcome, number, tuple([by_number[n] for n in binding]), texts)
        return outcome

    def base(self, firings: Firings, rows: Mapping[str, Sequence[Row]]) -> list[Numbers]:
        """Returns the bindings of `when` that no `unless` of the statement takes away."""
        if self.each is not None:
            kind = self.statement.when[0].kind
            holds = self.each
            found: list[Numbers] = [(row[0],) for row in rows.get(kind, ()) if holds(row) and row[0]]
        else:
            found = list(firings.get(self.unit.name, ())) if self.unit else []
        for negative in self.negatives:
            found = negative.keep(found, firings)
        return found

    def held(self, case: CasePlan, base: list[Numbers], firings: Firings, decided: set[int]) -> list[Numbers]:
        """Returns the ways in which a case holds for what is not decided yet, and notes what it decides."""
        if case.unit is None:
            found = base
        else:
            found = list(firings.get(case.unit.name, ()))
            for negative in self.negatives:
                found = negative.keep(found, firings)
        if self.statement.form == "decision":
            found = [binding for binding in found if binding[0] not in decided]
        for negative in case.negatives:
            found = negative.keep(found, firings)
        decided.update(binding[0] for binding in found)
        return found


class Stratum:
    """Is one stratum: its statements, and the rulesets that match them."""

    def __init__(self, name: str, plans: list[Plan], integers: Integers) -> None:
        self.plans = plans
        self.columns = Columns(integers)
        self.same: dict[str, list[str]] = {}
        groups = split(self.distinct([unit for plan in plans for unit in plan.units()]))
        self.rulesets: list[tuple[Ruleset, list[Unit]]] = []
        rules = [compile_ruleset(units, self.columns) for units in groups]
        self.check_names([unit.name for units in groups for unit in units])
        for number, (units, ruleset) in enumerate(zip(groups, rules, strict=True)):
            sizes = {unit.name: len(unit.conditions) for unit in units}
            self.rulesets.append((Ruleset(f"{name}x{number}", ruleset, sizes), units))
        self.writers = {kind: self.columns.writer(kind) for kind in self.columns.sources}

    def distinct(self, units: list[Unit]) -> list[Unit]:
        """Returns one unit for all that test the same, and notes whom it speaks for."""
        first: dict[str, Unit] = {}
        for unit in units:
            same = first.setdefault(json.dumps(compile_unit(unit, self.columns)), unit)
            self.same.setdefault(same.name, []).append(unit.name)
        return list(first.values())

    def check_names(self, units: list[str]) -> None:
        """Refuses names that the engine would confuse."""
        for names in (sorted(self.columns.names()) + list(RESERVED), units):
            both = collision(dict.fromkeys(names))
            if both:
                raise EngineFault(f"durable_rules would confuse the names {both[0]} and {both[1]}")

    def run(self, rows: Mapping[str, Sequence[Row]], last: int, budget: Budget) -> dict[str, list[Numbers]]:
        """Returns the firings of every rule that has a fact of each of its kinds."""
        found: dict[str, list[Numbers]] = {}
        written: dict[str, list[str]] = {}
        for ruleset, units in self.rulesets:
            live = [unit for unit in units if all(kind in rows for kind in unit.kinds)]
            if not live:
                continue
            payload: list[str] = []
            for kind in dict.fromkeys(kind for unit in live for kind in unit.kinds):
                if kind not in written:
                    write = self.writers[kind]
                    written[kind] = [write(row) for row in rows[kind]]
                payload += written[kind]
            for name, firings in ruleset.run(payload, last, budget).items():
                for same in self.same[name]:
                    found[same] = firings
        return found

    def close(self) -> None:
        """Gives the engine's memory back."""
        for ruleset, _ in self.rulesets:
            ruleset.close()
