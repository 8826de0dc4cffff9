"""Conditions: `kind Alias: {property: test}`."""

from __future__ import annotations

import re

from rules.language.comparisons import TestReader
from rules.language.kinds import IDENTIFIER, RESERVED
from rules.language.model import (
    ALONE,
    FINDING,
    Condition,
    Test,
)
from rules.language.nodes import Mapping, Node, Scalar
from rules.language.report import Report
from rules.language.scope import Scope

MAX_ALIASES = 6
MAX_TESTS = 24

_HEAD = re.compile(r"([A-Za-z]\w*)(?:\s+([A-Za-z]\w*))?\Z")


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
            tests.extend(TestReader(scope.with_own(condition), kind, prop, node).read())
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
