"""Conditions: `kind Alias: {property: test}`."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from rules.facts import Value
from rules.language.expressions import REF, read_sum
from rules.language.kinds import IDENTIFIER, RESERVED
from rules.language.model import (
    ALONE,
    FINDING,
    NUMERIC,
    OWN,
    TEXTUAL,
    Condition,
    Kind,
    Linear,
    Operator,
    Property,
    Ref,
    Test,
)
from rules.language.nodes import Mapping, Node, Scalar, Sequence
from rules.language.report import Report
from rules.language.scalars import code_fault, read_value
from rules.language.scope import Scope

MAX_ALIASES = 6
MAX_TESTS = 24
MAX_RATIO = 1000

_HEAD = re.compile(r"([A-Za-z]\w*)(?:\s+([A-Za-z]\w*))?\Z")
_OPERATOR = re.compile(r"(==|=<|=>|=|!=|<>|<=|>=|<|>)\s*")
_IN = re.compile(r"(in|not\s+in)\s*\[(.*)\]\Z", re.DOTALL)
_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def read_head(scope: Scope, key: Scalar) -> tuple[str, str, bool] | None:
    """Returns kind, alias and whether the alias was written, of `kind Alias`."""
    report = scope.report
    match = _HEAD.match(key.text.strip())
    if match is None:
        report.add(key, f"'{key.text}' must be 'kind Alias'")
        return None
    kind, alias = match.group(1), match.group(2)
    if kind not in scope.kinds:
        report.unknown(key, "kind", kind, scope.kinds)
        return None
    if alias is None:
        return kind, f"_{len(scope.bound) + 1}", False
    if alias in RESERVED or not IDENTIFIER.match(alias):
        report.add(key, f"'{alias}' is a reserved word and cannot be an alias")
        return None
    if alias in scope.bound:
        report.add(key, f"the alias '{alias}' is bound twice")
        return None
    return kind, alias, True


def read_condition(scope: Scope, key: Scalar, body: Node | None) -> Condition | None:
    """Returns the checked condition; does not bind its alias."""
    head = read_head(scope, key)
    if head is None:
        return None
    kind_name, alias, named = head
    kind = scope.kinds[kind_name]
    condition = Condition(alias, kind_name, (), named, key.line)
    if body is None or (isinstance(body, Scalar) and not body.text and not body.quoted):
        return condition
    mapping = scope.report.mapping(body, f"the tests of '{key.text}'")
    tests: list[Test] = []
    for name, node in mapping.entries if mapping else ():
        prop = kind.properties.get(name.text)
        if prop is None:
            scope.report.unknown(name, f"property of '{kind_name}'", name.text, kind.properties)
        else:
            tests.extend(_Reader(scope.with_own(condition), kind, prop, node).read())
    if len(tests) > MAX_TESTS:
        scope.report.add(key, f"'{key.text}' has more than {MAX_TESTS} tests")
    return Condition(alias, kind_name, tuple(tests), named, key.line)


def read_conditions(scope: Scope, node: Node | None, what: str, *, bind: bool) -> tuple[Condition, ...]:
    """Returns the conditions of a list; `bind` makes each alias known to the following ones."""
    if node is None:
        return ()
    found: list[Condition] = []
    for item in _items(scope.report, node, what):
        entry = scope.report.single(item, f"a condition of {what}")
        condition = read_condition(scope, *entry) if entry else None
        if condition is None:
            if bind and entry:
                _bind_anyway(scope, entry[0])
            continue
        _check_join(scope, condition, negative=not bind)
        if bind:
            scope.bound[condition.alias] = condition
        found.append(condition)
    if bind and len(scope.bound) > MAX_ALIASES:
        scope.report.add(node, f"more than {MAX_ALIASES} aliases are bound")
    return tuple(found)


def _bind_anyway(scope: Scope, key: Scalar) -> None:
    """Binds the alias of a condition that was refused, so that its fault is not reported again and again."""
    words = key.text.split()
    if len(words) == 2 and words[0] in scope.kinds and words[1] not in scope.bound:
        scope.bound[words[1]] = Condition(words[1], words[0])


def _items(report: Report, node: Node, what: str) -> tuple[Node, ...]:
    if isinstance(node, Mapping) and len(node.entries) == 1:
        report.add(node, f"{what} must be a list: write '- {node.entries[0][0].text}: ...'")
        return ()
    return report.sequence(node, what)


def _check_join(scope: Scope, condition: Condition, *, negative: bool) -> None:
    """Refuses a condition that would have to be compared with every fact bound before it."""
    if not scope.bound or condition.join_keys() or alone(scope, condition):
        return
    compared = condition.joins() if negative else set(scope.bound)
    if all(alone(scope, scope.bound[alias]) for alias in compared):
        return
    aliases = ", ".join(alias for alias in scope.bound if not alias.startswith("_"))
    scope.report.add(
        condition.line,
        f"'{condition.kind} {condition.alias}' needs an equality with an earlier alias ({aliases}), "
        f"such as 'lesion: = {aliases.split(', ')[0]}.id'",
    )


def alone(scope: Scope, condition: Condition) -> bool:
    """Tells whether at most one fact of the kind exists."""
    return scope.kinds[condition.kind].unique == ALONE or (
        condition.kind == FINDING and any(t.property == "rule" and t.operator == "=" for t in condition.tests)
    )


class _Reader:
    """Reads the tests of one property."""

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
        if text in ("present", "absent") and not self.prop.values:
            return self.presence(text)
        listed = _IN.match(text)
        if listed:
            operator: Operator = "in" if listed.group(1) == "in" else "not in"
            words = [_unquoted(word.strip()) for word in listed.group(2).split(",")]
            return self.choices(operator, tuple(Scalar(word, True, self.node.line) for word in words), text)
        if re.match(r"(not\s+)?in\b\s*\S", text) and not self.prop.values:
            self.report.add(self.node, f"{self.what}: write the list as '{text.split()[0]} [a, b]'")
            return []
        if _OPERATOR.match(text):
            return [test for part in re.split(r"\s+and\s+", text) for test in self.comparison(part.strip())]
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
        if value is None:
            return []
        return [Test(self.prop.name, "=", constant(value), (), node.text, node.line)]

    def choices(self, operator: Operator, items: tuple[Node, ...], written: str) -> list[Test]:
        if not items:
            self.report.add(self.node, f"{self.what}: the list is empty")
        values: list[Value] = []
        for item in items:
            plain = item
            if isinstance(item, Scalar) and self.prop.type in NUMERIC:
                plain = Scalar(item.text, False, item.line)
            value = read_value(self.report, plain, self.prop, self.kind.name)
            if value is not None and value in values:
                self.report.add(item, f"{self.what}: '{value}' is listed twice")
            elif value is not None:
                values.append(value)
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
                self.node, f"{self.what} is a {self.prop.type}; '{operator}' is for numbers and dates"
            )
            return None
        ref = REF.match(rest)
        if ref and (operator == "=" or ref.group(1) in self.scope.bound):
            found = self.scope.resolve(self.node, ref.group(1), ref.group(2))
            if found is None:
                return None
            if found.type not in TEXTUAL:
                self.report.add(self.node, f"{self.what} is a {self.prop.type}, {rest} is a {found.type}")
                return None
            self.check_own(ref.group(1), ref.group(2))
            return Linear(found.type, ((1, Ref(ref.group(1), ref.group(2))),))
        if operator == "=":
            self.report.add(
                self.node, f"{self.what}: after '=' comes Alias.property; write a value without '='"
            )
            return None
        if self.prop.values and rest not in self.prop.values:
            self.report.add(self.node, f"{self.kind.name}.{code_fault(self.prop, rest)}")
            return None
        return constant(rest)

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
            self.report.add(self.node, f"{self.what} is a {self.prop.type}, '{rest}' is a {right.type}")
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
