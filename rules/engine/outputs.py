"""Values that follow from encoded facts: exact integer arithmetic, then back to numbers, dates and texts."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal

from rules.engine.encode import ONE, Row, decode_number
from rules.engine.integers import Integers, is_plain
from rules.errors import LimitExceeded
from rules.facts import Value
from rules.language.model import NUMERIC, Condition, Give, Linear, Type
from rules.numbers import MAGNITUDE

Rows = Sequence[Row]
Texts = Sequence[str]
Output = Callable[[Rows, Texts], Value | None]

_LAST_DAY = datetime.date.max.toordinal()


class Outputs:
    """Makes functions from the rows of bound facts (in the order of `bound`) to values."""

    def __init__(self, integers: Integers, bound: Sequence[Condition]) -> None:
        self.integers = integers
        self.slots = {condition.alias: slot for slot, condition in enumerate(bound)}
        self.kinds = {condition.alias: condition.kind for condition in bound}

    def value(self, linear: Linear, type_: Type) -> Output:
        """Returns how a value of a type follows; None where a property it needs is absent."""
        if not linear.terms:
            literal = linear.literal
            constant = Decimal(literal) if type_ == "decimal" and isinstance(literal, int) else literal
            return lambda _rows, _texts: constant
        places = [(self.slots[ref.alias], self.place(ref.alias, ref.property)) for _, ref in linear.terms]
        types = [self.type_of(ref.alias, ref.property) for _, ref in linear.terms]
        decode = self.decoder(type_)
        if is_plain(linear):
            (slot, place), plain = places[0], decode
            return lambda rows, texts: None if (n := rows[slot][place]) is None else plain(n, texts)
        weights = [self.weight(factor, own) for (factor, _), own in zip(linear.terms, types, strict=True)]
        days = type_ == "date" or "date" in types
        addend = int(linear.constant) * ONE if days else int(Decimal(linear.constant) * ONE)

        def total(rows: Rows, texts: Texts) -> Value | None:
            numbers = [rows[slot][place] for slot, place in places]
            if None in numbers:
                return None
            millionths = sum(w * n for w, n in zip(weights, numbers, strict=True) if n is not None)
            whole, rest = divmod(millionths, ONE)
            if rest:
                raise LimitExceeded("a calculated number has more than six decimal places")
            return decode(self.in_range(whole + addend, type_), texts)

        return total

    def weight(self, factor: int | Decimal, own: Type) -> int:
        """Returns the factor in millionths, times a million for a day, which is encoded as a whole day."""
        weight = int(Decimal(factor) * ONE)
        return weight * ONE if own == "date" else weight

    def in_range(self, millionths: int, type_: Type) -> int:
        """Returns the encoded result; refuses one that the language's types cannot hold."""
        if type_ == "date":
            day = millionths // ONE
            if not 1 <= day <= _LAST_DAY:
                raise LimitExceeded("a calculated date leaves the calendar")
            return day
        if not -MAGNITUDE * ONE < millionths < MAGNITUDE * ONE:
            raise LimitExceeded("a calculated number is too large")
        return millionths

    def decoder(self, type_: Type) -> Callable[[int, Texts], Value]:
        """Returns how an encoded value of a type is read."""
        if type_ == "date":
            return lambda number, _texts: datetime.date.fromordinal(number)
        if type_ in NUMERIC:
            return lambda number, _texts: decode_number(number, type_)
        return lambda number, texts: texts[number]

    def place(self, alias: str, name: str) -> int:
        return self.integers.place(self.kinds[alias], name)

    def type_of(self, alias: str, name: str) -> Type:
        return self.integers.kinds[self.kinds[alias]].properties[name].type

    def said(
        self, pairs: Sequence[tuple[str, Linear]]
    ) -> Callable[[Rows, Texts], tuple[tuple[str, Value], ...]]:
        """Returns how the values shown with a finding follow, by name; absent ones are left out."""
        outputs = [(name, self.value(linear, linear.type)) for name, linear in sorted(pairs)]

        def say(rows: Rows, texts: Texts) -> tuple[tuple[str, Value], ...]:
            found = [(name, output(rows, texts)) for name, output in outputs]
            return tuple([(name, value) for name, value in found if value is not None])

        return say

    def fact(self, give: Give) -> Callable[[Rows, Texts], list[Value | None]]:
        """Returns how the values of a given fact follow, in the order of the declaration; aggregates stay
        open."""
        stated = dict(give.values)
        outputs: list[Output | None] = []
        for name, prop in self.integers.kinds[give.kind].properties.items():
            value = stated.get(name)
            if isinstance(value, Linear):
                outputs.append(self.value(value, prop.type))
            elif value is None and prop.values:
                outputs.append(_unknown)
            else:
                outputs.append(None)
        return lambda rows, texts: [output(rows, texts) if output else None for output in outputs]


def _unknown(_rows: Rows, _texts: Texts) -> Value:
    return "unknown"
