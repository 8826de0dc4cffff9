"""Who reads what a statement gives: a site cannot take a conclusion away from rules that rest on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from rules.facts import Value
from rules.language.model import FINDING, Condition, Statement, Test


def readers(id_: str, statements: Iterable[Statement]) -> tuple[str, ...]:
    """Returns the statements with findings that rest on the facts of one, through any number of steps.

    Steps (statements without findings) are passed through, not named. A condition of `when` that wants the
    finding counts as well; one that names several rules only where none of the others is in force. Other
    conditions on `finding` do not: they say how messages give way to each other, and without the one the
    other speaks.
    """
    every = {one.id: one for one in statements}
    found: set[str] = set()
    waiting, seen = [id_], {id_}
    while waiting:
        for reader in _next(every[waiting.pop()], every):
            if reader.id in seen:
                continue
            seen.add(reader.id)
            if reader.finding_specs():
                found.add(reader.id)
            else:
                waiting.append(reader.id)
    return tuple(sorted(found))


def held_back(statements: Collection[Statement]) -> dict[str, tuple[str, ...]]:
    """Returns each statement out of force that others in force rest on, with the readers that stay so."""
    silent = {one.id for one in statements if one.status != "active"}
    left: dict[str, tuple[str, ...]] = {}
    for one in statements:
        if one.id in silent:
            active = tuple(name for name in readers(one.id, statements) if name not in silent)
            if active:
                left[one.id] = active
    return left


def _next(statement: Statement, every: Mapping[str, Statement]) -> list[Statement]:
    given = {give.kind for give in statement.given()}
    return [
        other
        for other in every.values()
        if other.id != statement.id
        and (any(one.kind in given for one in other.conditions()) or _wants(other, statement.id, every))
    ]


def _wants(reader: Statement, id_: str, every: Mapping[str, Statement]) -> bool:
    """Tells whether a statement speaks only where another one made a finding."""
    positive = reader.when + ((reader.source,) if reader.source else ())
    positive += tuple(condition for case in reader.cases for condition in case.when)
    return any(
        id_ in (names := named_rules(condition)) and not _others(names, id_, every)
        for condition in positive
        if condition.kind == FINDING
    )


def _others(names: frozenset[str], id_: str, every: Mapping[str, Statement]) -> frozenset[str]:
    """Returns the other named rules that are in force."""
    return (names & {one.id for one in every.values() if one.status == "active"}) - {id_}


def named_rules(condition: Condition) -> frozenset[str]:
    """Returns the rules whose findings meet a condition on `finding`; none where it names no rule."""
    return frozenset(
        str(name) for test in condition.tests if test.property == "rule" for name in _constants(test)
    )


def _constants(test: Test) -> tuple[Value | None, ...]:
    if test.operator == "in":
        return test.choices
    fixed = test.operator == "=" and test.right is not None and not test.right.terms
    return (test.right.literal,) if fixed and test.right is not None else ()
