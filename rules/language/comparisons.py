"""The tests of one property: `= L.id`, `"> 5 and <= 10"`, `[visible, gone]`."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from rules.facts import Value
from rules.language.expressions import REF, read_sum
from rules.language.model import NUMERIC, OWN, TEXTUAL, Kind, Linear, Operator, Property, Ref, Test
from rules.language.nodes import Node, Scalar, Sequence
from rules.language.ranges import possible
from rules.language.report import suggestion
from rules.language.scalars import a_type, code_fault, read_value
from rules.language.scope import Scope
from rules.language.units import DAYS, differ

MAX_RATIO = 1000
MAX_TEST = 1000
_OPERATOR = re.compile(r"(==|=<|=>|=|!=|<>|<=|>=|<|>)\s*")
_IN = re.compile(r"(in|not\s+in)\s*\[(.*)\]\Z", re.DOTALL)
_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class TestReader:
    """Reads the tests of one property."""

    __test__ = False

    def __init__(self, scope: Scope, kind: Kind, prop: Property, node: Node) -> None:
        self.scope, self.kind, self.prop, self.node = scope, kind, prop, node
        self.report = scope.report
        self.what = f"'{kind.name}.{prop.name}'"

    def read(self) -> list[Test]:
        if isinstance(self.node, Sequence):
            return self.choices("in", self.node.items, f"in {self.brackets(self.node.items)}")
        if not isinstance(self.node, Scalar):
            self.report.add(self.node, f"the test of {self.what} must be a text or a list")
            return []
        text = self.node.text.strip()
        if len(text) > MAX_TEST:
            self.report.add(self.node, f"the test of {self.what} is longer than {MAX_TEST} characters")
            return []
        if text in ("present", "absent") and not self.prop.values:
            return self.presence(text)
        listed = _IN.match(text)
        if listed:
            operator: Operator = "in" if listed.group(1) == "in" else "not in"
            words = [_unquoted(word.strip()) for word in listed.group(2).split(",")]
            return self.choices(operator, tuple(Scalar(word, True, self.node.line) for word in words), text)
        if re.match(r"(not\s+)?in\b\s*\S", text) and not self.prop.values:
            operator = "not in" if text.startswith("not") else "in"
            self.report.add(self.node, f"{self.what}: write the list as '{operator} [a, b]'")
            return []
        if _OPERATOR.match(text):
            parts = re.split(r"\s+and\s+", text)
            tests = [test for part in parts for test in self.comparison(part.strip())]
            if len(tests) == len(parts) and not possible(self.prop.type, tests):
                self.report.add(self.node, f"{self.what}: '{text}' can never hold")
            return tests
        return self.literal(self.node)

    def brackets(self, items: tuple[Node, ...]) -> str:
        return "[" + ", ".join(item.text if isinstance(item, Scalar) else "?" for item in items) + "]"

    def presence(self, text: str) -> list[Test]:
        if self.prop.required:
            self.report.add(self.node, f"{self.what} is required, so it is always stated")
            return []
        return [
            Test(
                self.prop.name,
                "present" if text == "present" else "absent",
                written=text,
                line=self.node.line,
            )
        ]

    def literal(self, node: Scalar) -> list[Test]:
        value = read_value(self.report, node, self.prop, self.kind.name)
        if value is None or self.misread(node.text.strip()):
            return []
        return [Test(self.prop.name, "=", constant(value), (), node.text, node.line)]

    def misread(self, text: str, *, equal: bool = True) -> bool:
        """Refuses a constant text of an id that was meant as a test: no id is ever equal to it.

        `equal` says that the text stands alone, where a test could stand.
        """
        if self.prop.type != "id":
            return False
        meant = self.meant(text, equal)
        if meant is not None:
            self.report.add(self.node, f"{self.what} would be the text '{text}'{meant}")
        return meant is not None

    def meant(self, text: str, equal: bool) -> str | None:
        """Returns what a text of an id was probably meant to be, None where it may be an id."""
        word = text.lower()
        if word in ("present", "absent"):
            return f"; did you mean '{word}'?" if equal else f"; '{word}' is a test and stands alone"
        if word.startswith("not ") and equal:
            rest = text[4:].strip()
            return f"; did you mean '{'not in' if rest.startswith('[') else '!='} {rest}'?"
        if text.startswith("["):
            return f"; a list is written 'in {text}' or 'not in {text}'"
        if found := self.scope.unmarked(text):
            return f"; did you mean '= {found}'?" if equal else "; a list holds values, and so does '!='"
        match = REF.match(text)
        if match and any(match.group(2) in kind.properties for kind in self.scope.kinds.values()):
            return f"; unknown alias '{match.group(1)}'{suggestion(match.group(1), self.scope.bound)}"
        return None

    def choices(self, operator: Operator, items: tuple[Node, ...], written: str) -> list[Test]:
        if not items:
            self.report.add(self.node, f"{self.what}: the list is empty")
        values: list[Value] = []
        for item in items:
            plain = item
            if isinstance(item, Scalar) and self.prop.type in NUMERIC:
                plain = Scalar(item.text, False, item.line)
            value = read_value(self.report, plain, self.prop, self.kind.name)
            if isinstance(value, str) and self.misread(value, equal=False):
                continue
            if value is not None and value in values:
                self.report.add(item, f"{self.what}: '{value}' is listed twice")
            elif value is not None:
                values.append(value)
        if self.prop.values and len(values) == len(self.prop.values):
            holds = "always holds" if operator == "in" else "can never hold"
            self.report.add(self.node, f"{self.what}: the list names every value, so it {holds}")
        return [Test(self.prop.name, operator, None, tuple(values), written, self.node.line)]

    def comparison(self, text: str) -> list[Test]:
        match = _OPERATOR.match(text)
        if match is None:
            self.report.add(self.node, f"{self.what}: '{text}' needs an operator (=, !=, <, <=, >, >=)")
            return []
        written = match.group(1)
        if written not in _OPERATORS:
            meant = {"==": "=", "<>": "!=", "=<": "<=", "=>": ">="}[written]
            self.report.add(
                self.node, f"unknown operator '{written}' on {self.what}; did you mean '{meant}'?"
            )
            return []
        operator = _OPERATORS[written]
        rest = text[match.end() :].strip()
        textual = self.prop.type in TEXTUAL
        right = self.text_right(operator, rest) if textual else self.number_right(rest)
        return [Test(self.prop.name, operator, right, (), text, self.node.line)] if right else []

    def text_right(self, operator: Operator, rest: str) -> Linear | None:
        if operator not in ("=", "!="):
            self.report.add(
                self.node, f"{self.what} is {a_type(self.prop.type)}; '{operator}' is for numbers and dates"
            )
            return None
        ref = REF.match(rest)
        if ref and (operator == "=" or ref.group(1) in self.scope.bound):
            found = self.scope.resolve(self.node, ref.group(1), ref.group(2))
            if found is None:
                return None
            if found.type not in TEXTUAL:
                self.report.add(
                    self.node, f"{self.what} is {a_type(self.prop.type)}, {rest} is {a_type(found.type)}"
                )
                return None
            self.check_own(ref.group(1), ref.group(2))
            return Linear(found.type, ((1, Ref(ref.group(1), ref.group(2))),))
        if operator == "=":
            self.report.add(
                self.node, f"{self.what}: after '=' comes Alias.property; write a value without '='"
            )
            return None
        if self.prop.values and rest not in self.prop.values:
            self.report.add(self.node, code_fault(self.prop, rest))
            return None
        return None if self.misread(rest, equal=False) else constant(rest)

    def unit(self) -> str | None:
        return DAYS if self.prop.type == "date" else self.prop.unit

    def check_own(self, alias: str, name: str) -> None:
        if alias == OWN and name == self.prop.name:
            self.report.add(self.node, f"{self.what} is compared with itself")

    def number_right(self, rest: str) -> Linear | None:
        if self.prop.type == "date" and not re.search(r"[.$]|\d{4}-\d{2}-\d{2}", rest):
            self.report.add(
                self.node, f"{self.what} is a date; '{rest}' is not (YYYY-MM-DD or Alias.property + days)"
            )
            return None
        right = read_sum(self.scope, self.node, rest)
        if right is None:
            return None
        if (right.type == "date") != (self.prop.type == "date") or right.type in TEXTUAL:
            self.report.add(
                self.node, f"{self.what} is {a_type(self.prop.type)}, '{rest}' is {a_type(right.type)}"
            )
            return None
        if differ(self.unit(), right.unit):
            self.report.add(self.node, f"{self.what} is in {self.unit()}, '{rest}' is in {right.unit}")
            return None
        if len(right.terms) > 1:
            self.report.add(
                self.node, f"'{rest}' names two properties; a test compares with one (give a fact first)"
            )
            return None
        for factor, ref in right.terms:
            self.check_own(ref.alias, ref.property)
            ratio = Fraction(factor)
            if max(abs(ratio.numerator), ratio.denominator) > MAX_RATIO:
                self.report.add(
                    self.node, f"the factor {factor} is not a ratio of whole numbers up to {MAX_RATIO}"
                )
                return None
            if not ratio:
                self.report.add(self.node, f"the factor in '{rest}' is 0")
                return None
        return right


def _unquoted(word: str) -> str:
    quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "'\""
    return word[1:-1] if quoted else word


def constant(value: Value) -> Linear:
    """Returns a value as a sum without terms."""
    if isinstance(value, str):
        return Linear("id", text=value)
    if isinstance(value, int):
        return Linear("int", constant=value)
    return Linear("decimal", constant=value) if isinstance(value, Decimal) else Linear("date", date=value)
