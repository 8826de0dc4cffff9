"""Conditions as durable_rules rules, inside the sub-language that its engine gets right.

Flat facts of integers; every condition first tests its kind; a join names an earlier alias and is followed
by a join that always holds; `unless` is a second, positive rule whose firings are subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rules.engine.columns import SENTINEL, Columns
from rules.engine.integers import is_plain
from rules.language.model import NUMERIC, OWN, Condition, Test

MAX_PER_KIND = 56
"""The engine keeps at most 64 matches of one fact waiting."""

END = "end"
AT_ONCE = 64
"""Firings of a rule that the engine tells in one message."""

_OPERATORS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unit:
    """Is one rule of the engine: its name, and the conditions that hold together."""

    name: str
    conditions: tuple[Condition, ...]
    kinds: tuple[str, ...]
    """The kinds it needs a fact of, one for each condition."""
    needs: frozenset[str]

    @classmethod
    def of(cls, name: str, conditions: tuple[Condition, ...]) -> Unit:
        """Returns the rule of that name for the conditions."""
        kinds = tuple(condition.kind for condition in conditions)
        return cls(name, conditions, kinds, frozenset(kinds))


def compile_unit(unit: Unit, columns: Columns) -> Json:
    """Returns the engine's rule for the conditions."""
    return _Compiler(unit, columns).compile()


def compile_ruleset(units: Sequence[Unit], columns: Columns) -> Json:
    """Returns a ruleset; the sentinel's rule is the last in order and in priority."""
    rules = {unit.name: compile_unit(unit, columns) for unit in units}
    end: Json = {"all": [{"a0": {"$and": [{SENTINEL: 1}]}}], "pri": 9}
    return {name: {**rule, "cap": AT_ONCE} for name, rule in {**rules, END: end}.items()}


def split(units: Sequence[Unit]) -> list[list[Unit]]:
    """Returns the units in groups of which none has too many conditions on one kind."""
    groups: list[list[Unit]] = []
    load: dict[str, int] = {}
    for unit in units:
        need = {kind: unit.kinds.count(kind) for kind in unit.kinds}
        if not groups or any(load.get(kind, 0) + count > MAX_PER_KIND for kind, count in need.items()):
            groups.append([])
            load = {}
        groups[-1].append(unit)
        for kind, count in need.items():
            load[kind] = load.get(kind, 0) + count
    return groups


class _Compiler:
    def __init__(self, unit: Unit, columns: Columns) -> None:
        self.unit, self.columns, self.integers = unit, columns, columns.integers
        self.names = {condition.alias: f"a{i}" for i, condition in enumerate(unit.conditions)}
        self.kinds = {condition.alias: condition.kind for condition in unit.conditions}
        self.single: dict[str, list[Json]] = {}
        self.joined: dict[str, list[Json]] = {}

    def compile(self) -> Json:
        for condition in self.unit.conditions:
            self.single[condition.alias] = [{self.columns.kind(condition.kind): 1}]
            self.joined[condition.alias] = []
        for condition in self.unit.conditions:
            for test in condition.tests:
                self.test(condition, test)
        return {"all": [self.condition(condition.alias) for condition in self.unit.conditions]}

    def condition(self, alias: str) -> Json:
        joined = self.joined[alias]
        always = [self.always(alias)] if joined else []
        return {self.names[alias]: {"$and": [*self.single[alias], *joined, *always]}}

    def always(self, alias: str) -> Json:
        """Returns a comparison with the first fact that holds always: 1 of the own kind with 1 of its kind.

        It stands last in every condition with a join: the engine reads on past a last comparison that is
        false. An equality would do as well, but the engine hashes the values of every one, as texts.
        """
        own, first = (
            self.columns.kind(condition_kind) for condition_kind in (self.kinds[alias], self.unit.kinds[0])
        )
        return {"$gte": {own: {"a0": first}}}

    def add(self, alias: str, test: Json) -> None:
        if test not in self.single[alias]:
            self.single[alias].append(test)

    def stated(self, alias: str, name: str) -> None:
        """Demands that a value is stated, before it is compared."""
        if self.integers.optional(self.kinds[alias], name):
            self.add(alias, {self.columns.stated(self.kinds[alias], name): 1})

    def test(self, condition: Condition, test: Test) -> None:
        alias, kind = condition.alias, condition.kind
        if test.operator in ("present", "absent"):
            self.add(alias, {self.columns.stated(kind, test.property): int(test.operator == "present")})
        elif test.right is None or (test.refs and test.refs[0].alias == OWN):
            flag = self.columns.flag(kind, self.integers.expression(condition, test, "r", {}))
            self.add(alias, {flag: 1})
        elif not test.right.terms:
            self.stated(alias, test.property)
            self.add(
                alias,
                _compare(test.operator, self.columns.value(kind, test.property), self.constant(kind, test)),
            )
        else:
            self.join(condition, test)

    def constant(self, kind: str, test: Test) -> int:
        return self.integers.constant(kind, test)

    def join(self, condition: Condition, test: Test) -> None:
        alias, kind, ref = condition.alias, condition.kind, test.refs[0]
        other = self.kinds[ref.alias]
        numeric = self.integers.kinds[kind].properties[test.property].type in (*NUMERIC, "date")
        if numeric or test.operator != "=":
            self.stated(alias, test.property)
            self.stated(ref.alias, ref.property)
        if not numeric or (test.right is not None and is_plain(test.right)):
            left, right = self.columns.value(kind, test.property), self.columns.value(other, ref.property)
        else:
            times, factor, addend = self.integers.sides(kind, test)
            left = self.columns.scaled(kind, test.property, times, 0)
            right = self.columns.scaled(other, ref.property, factor, addend)
        self.joined[alias].append(_compare(test.operator, left, {self.names[ref.alias]: right}))


def _compare(operator: str, left: str, right: object) -> Json:
    return {left: right} if operator == "=" else {_OPERATORS[operator]: {left: right}}
