"""What can never be reached: values that nothing gives, and cases that an earlier case always forestalls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rules.errors import Problem
from rules.facts import Value
from rules.language.model import (
    CODED,
    FINDING,
    UNKNOWN,
    Case,
    Condition,
    Give,
    Kind,
    Linear,
    Pack,
    Ref,
    Statement,
    Test,
)
from rules.language.report import suggestion

Names = Mapping[str, str]
"""The aliases of an earlier case, each with the one that stands for it in a later case."""


def never_given(pack: Pack, statement: Statement) -> Iterator[Problem]:
    """Yields the tests that want a code which no statement and no row of a table gives."""
    for condition in statement.conditions():
        kind = pack.kinds[condition.kind]
        if kind.input or condition.kind == FINDING:
            continue
        for test in condition.tests:
            wanted = _codes(test)
            if kind.properties[test.property].type not in CODED or not wanted:
                continue
            known = _given(pack, kind, test.property)
            if known is not None and known.isdisjoint(wanted):
                word = ", ".join(sorted(wanted))
                read = f"'{statement.id}' reads '{kind.name}.{test.property}' as '{word}'"
                message = f"{read}, which no statement gives{suggestion(word, known)}"
                yield Problem(statement.file, test.line, message)


def _codes(test: Test) -> set[str]:
    if test.operator == "in":
        return {str(choice) for choice in test.choices}
    literal = test.right.literal if test.operator == "=" and test.right is not None else None
    return {literal} if isinstance(literal, str) else set()


def _given(pack: Pack, kind: Kind, name: str) -> set[str] | None:
    """Returns the codes that a property may have; None where it could be any."""
    found = {str(row.get(name, UNKNOWN)) for row in pack.tables.get(kind.name, ())}
    for giver in pack.statements.values():
        for give in giver.given():
            if give.kind == kind.name:
                value = _value(give, name)
                if value is None:
                    return None
                found.add(value)
    return found or None


def _value(give: Give, name: str) -> str | None:
    """Returns the only code that a property is given, None where it follows from facts."""
    expression = dict(give.values).get(name)
    if expression is None:
        return UNKNOWN
    literal = expression.literal if isinstance(expression, Linear) else None
    return literal if isinstance(literal, str) else None


def forestalled(statement: Statement) -> Iterator[Problem]:
    """Yields the cases of a decision list that hold only where an earlier one holds, which then wins."""
    if statement.form != "decision":
        return
    for number, later in enumerate(statement.cases):
        for earlier in statement.cases[:number]:
            if covers(statement, earlier, later):
                message = (
                    f"case '{later.id}' of '{statement.id}' is never reached: '{earlier.id}' before it holds "
                    "whenever it does"
                )
                yield Problem(statement.file, later.line, message)
                break


def covers(statement: Statement, earlier: Case, later: Case) -> bool:
    """Tells whether an earlier case surely holds wherever a later one does."""
    same = {condition.alias: condition.alias for condition in statement.when}
    return any(
        all(
            any(_implied(left, right, names) for right in (*later.unless, *statement.unless))
            for left in earlier.unless
        )
        for names in _matched(earlier.when, later.when, same)
    )


def _matched(earlier: tuple[Condition, ...], later: tuple[Condition, ...], names: Names) -> Iterator[Names]:
    """Yields the ways in which each condition of an earlier case is met by one of its own of a later case."""
    if not earlier:
        yield names
        return
    first, rest = earlier[0], earlier[1:]
    for place, condition in enumerate(later):
        named = {**names, first.alias: condition.alias}
        if condition.kind == first.kind and _narrower(condition, first, named):
            yield from _matched(rest, later[:place] + later[place + 1 :], named)


def _narrower(condition: Condition, wider: Condition, names: Names) -> bool:
    """Tells whether a condition holds only where a wider one (its aliases renamed) does."""
    return all(
        any(_entails(test, _renamed(wanted, names)) for test in condition.tests) for wanted in wider.tests
    )


def _implied(forbidden: Condition, known: Condition, names: Names) -> bool:
    """Tells whether nothing meets `forbidden` where nothing meets `known`."""
    if forbidden.kind != known.kind:
        return False
    named = {**names, forbidden.alias: known.alias}
    own = replace(forbidden, tests=tuple(_renamed(test, named) for test in forbidden.tests))
    return all(any(_entails(test, wanted) for test in own.tests) for wanted in known.tests)


def _renamed(test: Test, names: Names) -> Test:
    if test.right is None:
        return test
    terms = tuple(
        (factor, Ref(names.get(ref.alias, ref.alias), ref.property)) for factor, ref in test.right.terms
    )
    return replace(test, right=replace(test.right, terms=terms))


def _entails(test: Test, wanted: Test) -> bool:
    """Tells whether what meets a test meets another one; passes over what is not plain to see."""
    if test.property != wanted.property:
        return False
    if (test.operator, test.right, test.choices) == (wanted.operator, wanted.right, wanted.choices):
        return True
    values, allowed = _constants(test), _constants(wanted)
    return bool(values) and bool(allowed) and values <= allowed


def _constants(test: Test) -> frozenset[Value]:
    """Returns the constants one of which a property must be, none where that is not what is tested."""
    if test.operator == "in":
        return frozenset(test.choices)
    literal = test.right.literal if test.operator == "=" and test.right is not None else None
    return frozenset() if literal is None else frozenset({literal})
