"""Statements written out as Python source, on native values.

Only numbers are written into the source: positions of values, and numbers of constants (`C[3]`). No text of a
rule pack ever becomes code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from rules.language.model import OWN, TEXTUAL, Condition, Kind, Linear, Ref, Test

_COMPARE = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Source:
    """Writes functions; collects their text and the constants they use."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.lines: list[str] = []
        self.constants: list[object] = []
        self.indexes: dict[tuple[str, tuple[int, ...]], int] = {}
        self.numbers: dict[object, int] = {}
        self.looked_up: set[int] = set()

    def begin(self, name: str) -> int:
        """Begins the function `name(F, X, ways, gifts, check, limit)` and returns where its head ends."""
        self.lines.append(f"def {name}(F, X, ways, gifts, check, limit):")
        self.write(1, "n = 0")
        self.looked_up.clear()
        return len(self.lines)

    def end(self, head: int) -> None:
        """Ends the function; it returns the number of ways in which conditions hold."""
        self.lines[head:head] = [f"    x{number} = X({number})" for number in sorted(self.looked_up)]
        self.lines += ["    return n", ""]

    def constant(self, value: object) -> str:
        """Returns the name of a constant."""
        mark = (type(value), value)
        if mark not in self.numbers:
            self.numbers[mark] = len(self.constants)
            self.constants.append(value)
        return f"C{self.numbers[mark]}"

    def position(self, kind: str, name: str) -> int:
        """Returns where a property stands in a row; a row begins with the fact's number."""
        return self.kinds[kind].position(name) + 1

    def optional(self, kind: str, name: str) -> bool:
        """Tells whether a value may be None."""
        prop = self.kinds[kind].properties[name]
        return not prop.required and not prop.values

    def index(self, kind: str, positions: tuple[int, ...]) -> str:
        """Returns the name of a lookup of rows by the values at the positions."""
        number = self.indexes.setdefault((kind, positions), len(self.indexes))
        self.looked_up.add(number)
        return f"x{number}"

    def nest(
        self,
        names: dict[str, str],
        kinds: dict[str, str],
        positive: Sequence[Condition],
        negative: Sequence[Condition],
        depth: int,
    ) -> int:
        """Writes the loops in which `positive` hold and no `negative` does; returns the depth inside.

        Adds the aliases of `positive` to the names and kinds of what is bound.
        """
        for condition in positive:
            variable = f"b{len(names)}"
            depth = self.loop(condition, variable, names, kinds, depth)
            names[condition.alias], kinds[condition.alias] = variable, condition.kind
        for number, condition in enumerate(negative):
            inner = self.loop(condition, f"n{number}", names, kinds, depth)
            self.write(inner, "break")
            self.write(depth, "else:")
            depth += 1
        return depth

    def loop(
        self,
        condition: Condition,
        variable: str,
        names: Mapping[str, str],
        kinds: Mapping[str, str],
        depth: int,
    ) -> int:
        """Writes the loop over one condition's candidates and its tests; returns the depth of what
        follows."""
        candidates, checks = self.candidates(condition, variable, names, kinds)
        self.write(depth, f"for {variable} in {candidates}:")
        if len(names) < 2 and variable.startswith("b"):
            # The time is looked at in the outer loops, now and then.
            self.write(depth + 1, f"if not {variable}[0] & 255: check()")
        if checks:
            self.write(depth + 1, f"if {checks}:")
        return depth + (2 if checks else 1)

    def candidates(
        self, condition: Condition, variable: str, names: Mapping[str, str], kinds: Mapping[str, str]
    ) -> tuple[str, str]:
        """Returns the rows a condition can be met by, and what is still to be tested of each."""
        keys = [test for test in condition.tests if self.is_key(test, kinds)]
        keys.sort(key=lambda test: self.position(condition.kind, test.property))
        if keys:
            positions = tuple(self.position(condition.kind, test.property) for test in keys)
            values = [self.value(test.refs[0], names, kinds) for test in keys]
            wanted = values[0] if len(values) == 1 else f"({', '.join(values)})"
            rows = f"{self.index(condition.kind, positions)}.get({wanted}, ())"
        else:
            rows = f"F[{self.constant(condition.kind)}]"
        checks = [
            f"{variable} is not {other}" for alias, other in names.items() if kinds[alias] == condition.kind
        ]
        here = {**names, condition.alias: variable, OWN: variable}
        there = {**kinds, condition.alias: condition.kind, OWN: condition.kind}
        checks += [
            self.test(condition, test, variable, here, there) for test in condition.tests if test not in keys
        ]
        return rows, " and ".join(checks)

    def is_key(self, test: Test, kinds: Mapping[str, str]) -> bool:
        """Tells whether the test is an equality that an index can answer."""
        right = test.right
        return (
            test.operator == "="
            and right is not None
            and len(right.terms) == 1
            and right.terms[0][0] == 1
            and not right.constant
            and right.terms[0][1].alias in kinds
        )

    def value(self, ref: Ref, names: Mapping[str, str], kinds: Mapping[str, str]) -> str:
        """Returns the source of a property of a bound fact."""
        return f"{names[ref.alias]}[{self.position(kinds[ref.alias], ref.property)}]"

    def test(
        self,
        condition: Condition,
        test: Test,
        variable: str,
        names: Mapping[str, str],
        kinds: Mapping[str, str],
    ) -> str:
        """Returns the source of one test; it is false where a value it needs is absent."""
        left = f"{variable}[{self.position(condition.kind, test.property)}]"
        if test.operator == "present":
            return f"{left} is not None"
        if test.operator == "absent":
            return f"{left} is None"
        stated = [left] if self.optional(condition.kind, test.property) else []
        stated += [
            self.value(ref, names, kinds)
            for ref in test.refs
            if self.optional(kinds[ref.alias], ref.property)
        ]
        guards = [f"{value} is not None" for value in stated]
        if test.right is None:
            compared = f"{left} {test.operator} {self.constant(frozenset(test.choices))}"
        else:
            compared = self.comparison(test, left, test.right, names, kinds)
        return " and ".join([*guards, compared])

    def comparison(
        self, test: Test, left: str, right: Linear, names: Mapping[str, str], kinds: Mapping[str, str]
    ) -> str:
        operator = _COMPARE[test.operator]
        if not right.terms:
            return f"{left} {operator} {self.constant(right.literal)}"
        factor, ref = right.terms[0]
        value = self.value(ref, names, kinds)
        if right.type == "date":
            if not right.constant:
                return f"{left} {operator} {value}"
            # A difference of dates cannot leave the calendar, a shifted date can.
            return f"({left} - {value}) {operator} {self.constant(timedelta(days=int(right.constant)))}"
        product = value if factor == 1 else f"{self.constant(factor)} * {value}"
        return f"{left} {operator} {product}" + (
            f" + {self.constant(right.constant)}" if right.constant else ""
        )

    def expression(
        self, value: Linear, names: Mapping[str, str], kinds: Mapping[str, str], type_: str
    ) -> str:
        """Returns the source of an output value of a type; None where a property it needs is absent."""
        if not value.terms:
            literal = value.literal
            return self.constant(
                Decimal(literal) if type_ == "decimal" and isinstance(literal, int) else literal
            )
        refs = [self.value(ref, names, kinds) for _, ref in value.terms]
        if len(value.terms) == 1 and value.terms[0][0] == 1 and not value.constant:
            ref = value.terms[0][1]
            same = type_ in TEXTUAL or self.kinds[kinds[ref.alias]].properties[ref.property].type == type_
            if same:
                return refs[0]
        optional = [
            text
            for text, (_, ref) in zip(refs, value.terms, strict=True)
            if self.optional(kinds[ref.alias], ref.property)
        ]
        total = self.total(value, refs, kinds, type_)
        guard = " or ".join(f"{text} is None" for text in optional)
        return f"(None if {guard} else {total})" if guard else total

    def total(self, value: Linear, refs: Sequence[str], kinds: Mapping[str, str], type_: str) -> str:
        dated = [
            self.kinds[kinds[ref.alias]].properties[ref.property].type == "date" for _, ref in value.terms
        ]
        if any(dated):
            return self.days(value, refs, dated)
        parts = [
            f"{self.constant(factor)} * {text}" for text, (factor, _) in zip(refs, value.terms, strict=True)
        ]
        parts += [self.constant(value.constant)] if value.constant else []
        return f"{'exact' if type_ == 'decimal' else 'whole'}({' + '.join(parts)})"

    def days(self, value: Linear, refs: Sequence[str], dated: Sequence[bool]) -> str:
        plus = [
            text for text, is_date, (f, _) in zip(refs, dated, value.terms, strict=True) if is_date and f == 1
        ]
        minus = [
            text
            for text, is_date, (f, _) in zip(refs, dated, value.terms, strict=True)
            if is_date and f == -1
        ]
        rest = [
            f"{self.constant(factor)} * {text}"
            for text, is_date, (factor, _) in zip(refs, dated, value.terms, strict=True)
            if not is_date
        ]
        number = " + ".join([*rest, self.constant(value.constant)])
        if minus:
            return f"whole(({plus[0]} - {minus[0]}).days + {number})"
        return f"shifted({plus[0]}, {number})"

    def write(self, depth: int, line: str) -> None:
        """Writes one line."""
        self.lines.append("    " * depth + line)
