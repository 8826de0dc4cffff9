"""One statement as ready Python functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rules.crosscheck.source import Source
from rules.errors import LimitExceeded
from rules.language.model import Aggregate, Case, Condition, Give, Kind, Linear, Statement
from rules.numbers import fits, tidy
from rules.trace import Key

Row = tuple[Any, ...]
"""A fact's number, then its values in the order of the declaration."""
Match = Callable[..., list[tuple[Row, ...]]]


def exact(number: int | Decimal) -> Decimal:
    """Returns a calculated decimal; refuses one that six places or the range cannot hold."""
    value = Decimal(number)
    if not fits(value):
        raise LimitExceeded("a calculated number is too large or has more than six decimal places")
    return tidy(value)


def whole(number: int) -> int:
    """Returns a calculated whole number; refuses one out of range."""
    if not fits(number):
        raise LimitExceeded("a calculated number is too large")
    return number


def shifted(day: date, days: int) -> date:
    """Returns a date some days later; refuses to leave the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise LimitExceeded("a calculated date leaves the calendar") from None


@dataclass(frozen=True, slots=True)
class CompiledCase:
    """Is one case: its further facts, the facts it gives, its subject and what it says."""

    match: Match
    gives: Callable[..., tuple[Key, ...]]
    subject: Callable[..., str | None]
    say: Callable[..., tuple[tuple[str, Any], ...]]


@dataclass(frozen=True, slots=True)
class CompiledGive:
    """Is one fact of a derivation: `values` of the bound rows, and the aggregates that are put in."""

    kind: str
    values: Callable[..., list[Any]]
    aggregates: tuple[tuple[int, Aggregate, int], ...]
    """Place in the values, aggregate, place of its property in a row of `from`."""


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """Is one statement: `base` binds the facts of `when` without `unless`."""

    statement: Statement
    base: Match
    cases: tuple[CompiledCase, ...]
    source: Match | None
    gives: tuple[CompiledGive, ...]
    places: Mapping[str, int]
    """Where the properties of a fact of `from` stand in a row."""


class Compiler:
    """Compiles the statements of a pack; all of them share the lookups of facts."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.source = Source(kinds)
        self.kinds = kinds

    def compile(self, statements: list[Statement]) -> list[CompiledStatement]:
        """Returns the statements as functions."""
        for number, statement in enumerate(statements):
            self.write(number, statement)
        scope: dict[str, Any] = {f"C{i}": value for i, value in enumerate(self.source.constants)}
        scope |= {"exact": exact, "whole": whole, "shifted": shifted}
        # The text holds numbers and names made here only, never a word of the rule pack.
        exec(compile("\n".join(self.source.lines), "<crosscheck>", "exec"), scope)  # noqa: S102
        return [self.collect(number, statement, scope) for number, statement in enumerate(statements)]

    def write(self, number: int, statement: Statement) -> None:
        self.source.matcher(f"s{number}", (), statement.when, statement.unless)
        for position, case in enumerate(statement.cases):
            name = f"s{number}c{position}"
            self.source.matcher(name, statement.when, case.when, case.unless)
            bound = statement.when + case.when
            self.write_gives(name, bound, case.then)
            self.write_finding(name, bound, case)
        if statement.form == "derivation":
            bound = statement.when
            if statement.source:
                self.source.matcher(f"s{number}f", bound, (statement.source,), ())
                bound = (*bound, statement.source)
            for position, give in enumerate(statement.give):
                self.write_values(f"s{number}g{position}", bound, give)

    def names(self, bound: tuple[Condition, ...]) -> tuple[dict[str, str], dict[str, str], str]:
        names = {condition.alias: f"b{i}" for i, condition in enumerate(bound)}
        kinds = {condition.alias: condition.kind for condition in bound}
        return names, kinds, ", ".join(names.values())

    def values(self, give: Give, bound: tuple[Condition, ...]) -> str:
        names, kinds, _ = self.names(bound)
        stated = dict(give.values)
        found: list[str] = []
        for name, prop in self.kinds[give.kind].properties.items():
            value = stated.get(name)
            if isinstance(value, Linear):
                found.append(self.source.expression(value, names, kinds, prop.type))
            else:
                found.append(self.source.constant("unknown") if prop.values and value is None else "None")
        return ", ".join(found)

    def write_gives(self, name: str, bound: tuple[Condition, ...], gives: tuple[Give, ...]) -> None:
        _, _, arguments = self.names(bound)
        facts = "".join(f"({self.source.constant(g.kind)}, ({self.values(g, bound)},)), " for g in gives)
        self.source.lines += [f"def {name}_gives({arguments}):", f"    return ({facts})", ""]

    def write_values(self, name: str, bound: tuple[Condition, ...], give: Give) -> None:
        _, _, arguments = self.names(bound)
        self.source.lines += [f"def {name}({arguments}):", f"    return [{self.values(give, bound)}]", ""]

    def write_finding(self, name: str, bound: tuple[Condition, ...], case: Case) -> None:
        names, kinds, arguments = self.names(bound)
        subject = case.finding.subject if case.finding else None
        about = self.source.expression(subject, names, kinds, "id") if subject else "None"
        self.source.lines += [f"def {name}_subject({arguments}):", f"    return {about}", ""]
        pairs = [
            f"({self.source.constant(key)}, {self.source.expression(value, names, kinds, value.type)})"
            for key, value in sorted(case.finding.say if case.finding else ())
        ]
        said = f"tuple([p for p in ({', '.join(pairs)},) if p[1] is not None])" if pairs else "()"
        self.source.lines += [f"def {name}_say({arguments}):", f"    return {said}", ""]

    def collect(self, number: int, statement: Statement, scope: dict[str, Any]) -> CompiledStatement:
        cases = tuple(
            CompiledCase(*(scope[f"s{number}c{i}{end}"] for end in ("", "_gives", "_subject", "_say")))
            for i in range(len(statement.cases))
        )
        gives = tuple(
            self.collect_give(statement, give, scope[f"s{number}g{i}"])
            for i, give in enumerate(statement.give)
        )
        places: dict[str, int] = {}
        if statement.source:
            kind = statement.source.kind
            places = {name: self.source.position(kind, name) for name in self.kinds[kind].properties}
        return CompiledStatement(
            statement, scope[f"s{number}"], cases, scope.get(f"s{number}f"), gives, places
        )

    def collect_give(
        self, statement: Statement, give: Give, values: Callable[..., list[Any]]
    ) -> CompiledGive:
        kind = self.kinds[give.kind]
        found: list[tuple[int, Aggregate, int]] = []
        for name, value in give.values:
            if isinstance(value, Aggregate):
                place = 0
                if value.property and statement.source:
                    place = self.source.position(statement.source.kind, value.property)
                found.append((kind.position(name), value, place))
        return CompiledGive(give.kind, values, tuple(found))
