"""Values that follow from encoded facts: exact integer arithmetic, then back to numbers, dates and texts.

Written as Python source over the rows `r0`, `r1`, ... of the bound facts; `T` are the texts by number, `D`
decodes and remembers decimals.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from rules.engine.encode import ONE, Millionths, decode_number
from rules.engine.integers import Integers, is_plain
from rules.errors import EngineFault, LimitExceeded
from rules.language.model import NUMERIC, Condition, Give, Linear, Type
from rules.numbers import MAGNITUDE

_LAST_DAY = datetime.date.max.toordinal()


class Decimals(dict[int, Decimal]):
    """Decodes millionths; an evaluation keeps what it has decoded, and need not encode it again."""

    def __init__(self, encoded: Millionths) -> None:
        super().__init__()
        self.encoded = encoded

    def __missing__(self, number: int) -> Decimal:
        value = self[number] = Decimal(decode_number(number, "decimal"))
        self.encoded[value] = number
        return value


def whole(number: int) -> int:
    """Returns millionths as a whole number; a rest is a fault."""
    return int(decode_number(number, "int"))


def in_units(millionths: int) -> int:
    """Returns millionths of encoded units as encoded units; refuses a rest."""
    units, rest = divmod(millionths, ONE)
    if rest:
        raise LimitExceeded("a calculated number has more than six decimal places")
    return units


def in_range(number: int) -> int:
    """Returns an encoded number; refuses one that the language's numbers cannot hold."""
    if not -MAGNITUDE * ONE < number < MAGNITUDE * ONE:
        raise LimitExceeded("a calculated number is too large")
    return number


def calendar(number: int) -> datetime.date:
    """Returns the date of a calculated day in millionths; refuses to leave the calendar."""
    day = number // ONE
    if not 1 <= day <= _LAST_DAY:
        raise LimitExceeded("a calculated date leaves the calendar")
    return datetime.date.fromordinal(day)


SCOPE: dict[str, Any] = {
    "whole": whole,
    "in_units": in_units,
    "in_range": in_range,
    "calendar": calendar,
    "date": datetime.date.fromordinal,
}


class Outputs:
    """Writes the source of values, for the rows of bound facts in the order of `bound`."""

    def __init__(self, integers: Integers, bound: Sequence[Condition]) -> None:
        self.integers = integers
        self.rows = {condition.alias: f"r{slot}" for slot, condition in enumerate(bound)}
        self.kinds = {condition.alias: condition.kind for condition in bound}
        self.scope = dict(SCOPE)

    def constant(self, value: object) -> str:
        """Returns the name of a value as it stands."""
        name = f"V{len(self.scope)}"
        self.scope[name] = value
        return name

    def value(self, linear: Linear, type_: Type) -> str:
        """Returns the source of a value of a type; it gives None where a property it needs is absent."""
        if not linear.terms:
            literal = linear.literal
            return self.constant(
                Decimal(literal) if type_ == "decimal" and isinstance(literal, int) else literal
            )
        places = [self.place(ref.alias, ref.property) for _, ref in linear.terms]
        value = self.decoded(places[0], type_) if is_plain(linear) else self.total(linear, places, type_)
        absent = [
            f"{place} is None"
            for place, (_, ref) in zip(places, linear.terms, strict=True)
            if self.integers.optional(self.kinds[ref.alias], ref.property)
        ]
        return f"(None if {' or '.join(absent)} else {value})" if absent else value

    def decoded(self, number: str, type_: Type) -> str:
        """Returns the source of an encoded value's meaning."""
        if type_ == "date":
            return f"date({number})"
        if type_ in NUMERIC:
            return f"whole({number})" if type_ == "int" else f"D[{number}]"
        return f"T[{number}]"

    def total(self, linear: Linear, places: Sequence[str], type_: Type) -> str:
        types = [self.type_of(ref.alias, ref.property) for _, ref in linear.terms]
        parts = [
            f"{self.weight(factor, own)} * {place}"
            for (factor, _), own, place in zip(linear.terms, types, places, strict=True)
        ]
        days = type_ == "date" or "date" in types
        addend = int(linear.constant) * ONE if days else int(Decimal(linear.constant) * ONE)
        result = f"in_units({' + '.join(parts)}) + {addend}"
        if type_ == "date":
            return f"calendar({result})"
        return self.decoded(f"in_range({result})", type_)

    def weight(self, factor: int | Decimal, own: Type) -> int:
        """Returns the factor in millionths, times a million for a day, which is encoded as a whole day."""
        weight = int(Decimal(factor) * ONE)
        return weight * ONE if own == "date" else weight

    def place(self, alias: str, name: str) -> str:
        return f"{self.rows[alias]}[{self.integers.place(self.kinds[alias], name)}]"

    def type_of(self, alias: str, name: str) -> Type:
        return self.integers.kinds[self.kinds[alias]].properties[name].type

    def said(self, pairs: Sequence[tuple[str, Linear]]) -> str:
        """Returns the source of what a finding says, by name; absent values are left out."""
        if not pairs:
            return "()"
        shown = [f"({self.constant(n)}, {self.value(v, v.type)})" for n, v in sorted(pairs)]
        return f"tuple([pair for pair in ({', '.join(shown)},) if pair[1] is not None])"

    def fact(self, give: Give) -> list[str]:
        """Returns the sources of a given fact's values, in the order of the declaration; those of
        aggregates stay open."""
        stated = dict(give.values)
        sources: list[str] = []
        for name, prop in self.integers.kinds[give.kind].properties.items():
            value = stated.get(name)
            if isinstance(value, Linear):
                sources.append(self.value(value, prop.type))
            else:
                sources.append("'unknown'" if value is None and prop.values else "None")
        return sources

    def function(self, name: str, arguments: str, lines: Sequence[str]) -> Callable[..., Any]:
        """Returns a function; its text holds numbers and names made here, never a word of the rule pack."""
        self.scope |= self.integers.scope()
        text = "\n".join([f"def {name}({arguments}):", *(f"    {line}" for line in lines)])
        exec(compile(text, "<engine>", "exec"), self.scope)  # noqa: S102 # nosec B102
        made = self.scope[name]
        if not callable(made):
            raise EngineFault("a function was not made")
        return made  # type: ignore[no-any-return]
