"""Facts at the door: checked against the declarations, completed with `unknown`, doubles merged."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.errors import FactError, LimitExceeded
from rules.facts import Fact, Value
from rules.language.model import ALONE, UNKNOWN, Kind, Pack, Property
from rules.numbers import fits, tidy
from rules.trace import Key, Values

MAX_FACTS = 5000
"""Facts that may be put in; the rows of the pack's tables are not counted."""
MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Admitted:
    """Is the set of facts that both evaluations see: the rows of the pack's tables, then the facts put in.

    Their numbers count from 0 through both. `tokens` are what each fact put in rests on. Of one Admission,
    `constants` is always the same object.
    """

    constants: tuple[Key, ...]
    facts: tuple[Key, ...]
    tokens: tuple[tuple[str, ...], ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        """Returns all facts in the order of their numbers."""
        return self.constants + self.facts

    @property
    def sources(self) -> tuple[tuple[str, ...], ...]:
        """Returns the tokens behind each fact of `keys`; a row of a table has none."""
        return ((),) * len(self.constants) + self.tokens


class Admission:
    """Admits facts to a pack and adds its tables; `any_kind` admits facts of every kind, and adds nothing."""

    def __init__(self, pack: Pack, *, any_kind: bool = False) -> None:
        self.any_kind = any_kind
        self.checks = {name: _Check(kind) for name, kind in pack.kinds.items()}
        tables = {} if any_kind else pack.tables
        rows = [(name, self.checks[name].values(row)) for name, rows in tables.items() for row in rows]
        self.constants: tuple[Key, ...] = tuple(dict.fromkeys(rows))
        if not any_kind:
            self.check_unique(self.constants)

    def admit(self, facts: Sequence[Fact]) -> Admitted:
        """Returns the facts as the engines see them; raises FactError for one that does not fit."""
        merged: dict[Key, tuple[str, ...]] = {}
        for fact in facts:
            key = self.key(fact)
            known = merged.get(key)
            merged[key] = tuple(fact.sources) if known is None else (*known, *fact.sources)
        if len(merged) > MAX_FACTS:
            raise LimitExceeded(f"more than {MAX_FACTS} facts")
        if not self.any_kind:
            self.check_unique(merged)
        tokens = tuple([s if len(s) < 2 else tuple(sorted(set(s))) for s in merged.values()])
        return Admitted(self.constants, tuple(merged), tokens)

    def key(self, fact: Fact) -> Key:
        """Returns kind and values of a fact in the order of the declaration."""
        check = self.checks.get(fact.kind)
        if check is None:
            raise FactError(f"a fact of the unknown kind '{fact.kind}'")
        if not check.kind.input and not self.any_kind:
            raise FactError(f"a fact of kind '{fact.kind}', which is not an input")
        return check.kind.name, check.values(fact.values)

    def check_unique(self, keys: Iterable[Key]) -> None:
        """Refuses two different facts where the kind allows one."""
        seen: set[tuple[str, Value | None]] = set()
        for name, values in keys:
            check = self.checks[name]
            if check.kind.unique is None:
                continue
            mark = (name, None if check.unique is None else values[check.unique])
            if mark in seen:
                one = "one" if check.unique is None else f"one for each '{check.kind.unique}'"
                raise FactError(f"two different facts of kind '{name}', of which there is at most {one}")
            seen.add(mark)


class _Check:
    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        # What a text must be one of, beside the property: most values are texts and are looked at first.
        self.properties = [
            (name, prop, frozenset(prop.values) if prop.values else None, UNKNOWN if prop.values else None)
            for name, prop in kind.properties.items()
        ]
        unique = kind.unique
        self.unique = kind.position(unique) if unique is not None and unique != ALONE else None

    def values(self, given: Mapping[str, Value]) -> Values:
        found: list[Value | None] = []
        taken = 0
        for name, prop, codes, unstated in self.properties:
            value = given.get(name)
            if value is None:
                if prop.required:
                    raise FactError(f"a fact of kind '{self.kind.name}' lacks '{name}'")
                found.append(unstated)
                continue
            taken += 1
            if codes is None or type(value) is not str or value not in codes:
                value = self.value(prop, value)
            found.append(value)
        if taken != len(given):
            self.check_names(given)
        return tuple(found)

    def check_names(self, given: Mapping[str, Value]) -> None:
        for name in given:
            if name not in self.kind.properties:
                raise FactError(f"kind '{self.kind.name}' has no property '{name}'")

    def value(self, prop: Property, value: Value) -> Value:
        match prop.type:
            case "id":
                if isinstance(value, str) and len(value) <= MAX_TEXT:
                    return value
            case "date":
                if type(value) is datetime.date:
                    return value
            case "decimal":
                if type(value) in (int, Decimal) and fits(value):  # type: ignore[arg-type]
                    return tidy(value) if isinstance(value, Decimal) else Decimal(value)  # type: ignore[arg-type]
            case "int":
                if type(value) is int and fits(value):
                    return value
            case _:
                if isinstance(value, str) and value in prop.values:
                    return value
        raise FactError(f"'{self.kind.name}.{prop.name}' does not hold a {_expected(prop)}")


def _expected(prop: Property) -> str:
    if prop.values:
        return f"{prop.type} of {', '.join(prop.values)}"
    return {
        "int": "whole number below 10**9",
        "decimal": "number below 10**9 with at most six decimal places (int or Decimal)",
        "date": "date without time",
    }.get(prop.type, f"text of at most {MAX_TEXT} characters")


def as_fact(kinds: Mapping[str, Kind], key: Key, sources: tuple[str, ...]) -> Fact:
    """Returns the fact again, with its absent properties left out."""
    name, values = key
    pairs = zip(kinds[name].properties, values, strict=True)
    return Fact(name, {prop: value for prop, value in pairs if value is not None}, sources)
