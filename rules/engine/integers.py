"""Tests on encoded facts, written as Python expressions over integer rows.

Used for what does not enter durable_rules as a test: `in`, `not in`, comparisons within one fact (they
become flag columns), and the matching of `each` and `from`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from rules.engine.encode import Texts, bounded, encode_value, millionths
from rules.language.model import CODED, NUMERIC, OWN, Condition, Kind, Linear, Test

COMPARE = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Integers:
    """Knows the kinds and the numbers of the pack's texts; writes expressions and compiles them."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.texts = Texts()
        self.sets: dict[str, frozenset[int]] = {}
        self.used: dict[str, set[str]] = {}

    def place(self, kind: str, name: str) -> int:
        """Returns where a property stands in a row, and remembers that it is used and must be encoded."""
        self.used.setdefault(kind, set()).add(name)
        return self.kinds[kind].position(name) + 1

    def optional(self, kind: str, name: str) -> bool:
        """Tells whether a property may be absent."""
        prop = self.kinds[kind].properties[name]
        return not prop.required and prop.type not in CODED

    def constant(self, kind: str, test: Test) -> int:
        """Returns the integer a test compares with."""
        value = test.right.literal if test.right else None
        if value is None:
            raise AssertionError("the test has no constant")
        return encode_value(self.kinds[kind].properties[test.property].type, value, self.texts)

    def chosen(self, kind: str, test: Test) -> str:
        """Returns the name of the set of integers a test lists."""
        type_ = self.kinds[kind].properties[test.property].type
        numbers = frozenset(encode_value(type_, value, self.texts) for value in test.choices)
        for name, known in self.sets.items():
            if known == numbers:
                return name
        name = f"S{len(self.sets)}"
        self.sets[name] = numbers
        return name

    def sides(self, kind: str, test: Test) -> tuple[int, int, int]:
        """Returns the multiplier of the left side, and multiplier and addend of the right: all whole."""
        right = test.right
        if right is None or not right.terms:
            raise AssertionError("the test compares with no property")
        factor = Fraction(right.terms[0][0])
        type_ = self.kinds[kind].properties[test.property].type
        addend = millionths(right.constant) if type_ in NUMERIC else int(right.constant)
        return factor.denominator, factor.numerator, addend * factor.denominator

    def expression(
        self, condition: Condition, test: Test, row: str, others: Mapping[str, tuple[str, str]]
    ) -> str:
        """Returns a test as source; `others` gives kind and row name of each alias of the right side."""
        kind = condition.kind
        left = f"{row}[{self.place(kind, test.property)}]"
        stated = f"{left} is not None"
        if test.operator == "present":
            return stated
        if test.operator == "absent":
            return f"{left} is None"
        guards = [stated] if self.optional(kind, test.property) else []
        if test.right is None:
            compared = f"{left} {test.operator} {self.chosen(kind, test)}"
        elif not test.right.terms:
            compared = f"{left} {COMPARE[test.operator]} {self.constant(kind, test)}"
        else:
            ref = test.refs[0]
            other_kind, other_row = (kind, row) if ref.alias == OWN else others[ref.alias]
            right = f"{other_row}[{self.place(other_kind, ref.property)}]"
            if self.optional(other_kind, ref.property):
                guards.append(f"{right} is not None")
            compared = f"{self.scaled(kind, test, left, right)}"
        return " and ".join([*guards, compared])

    def scaled(self, kind: str, test: Test, left: str, right: str) -> str:
        operator = COMPARE[test.operator]
        if test.right is None or test.right.type not in (*NUMERIC, "date"):
            return f"{left} {operator} {right}"
        times, factor, addend = self.sides(kind, test)
        if (times, factor, addend) == (1, 1, 0):
            return f"{left} {operator} {right}"
        return f"bounded({left} * {times}) {operator} bounded({right} * {factor} + {addend})"

    def scope(self) -> dict[str, Any]:
        """Returns what the expressions name: the sets they list, and the guard of calculated numbers."""
        return {"bounded": bounded, **self.sets}

    def compile(self, arguments: str, body: str, **more: object) -> Callable[..., Any]:
        """Returns a function; the source holds numbers and names made here, never a word of the rule pack."""
        return eval(f"lambda {arguments}: {body}", {**self.scope(), **more})  # type: ignore[no-any-return]  # noqa: S307 # nosec B307


def is_plain(value: Linear) -> bool:
    """Tells whether the value is a property as it stands."""
    return len(value.terms) == 1 and value.terms[0][0] == 1 and not value.constant
