"""What is in doubt with a statement that is refused, and what that doubt may have kept silent."""

from __future__ import annotations

from rules.language.model import FINDING, Statement
from rules.language.readers import named_rules

_ANY = "finding *"
"""The findings of any rule."""


def withheld(statement: Statement) -> frozenset[str]:
    """Returns what is in doubt with a statement: the kinds that it gives, and its findings."""
    if statement.status != "active":
        return frozenset()
    named = {_ANY, _finding(statement.id)} if statement.finding_specs() else set()
    return frozenset({give.kind for give in statement.given()} | named)


def silencing(statement: Statement) -> frozenset[str]:
    """Returns what can keep a statement from saying what it would say: kinds, and findings of rules."""
    forbidding = [*statement.unless, *(one for case in statement.cases for one in case.unless)]
    if statement.form == "decision":
        forbidding += [one for case in statement.cases for one in case.when]
    found: set[str] = set()
    for condition in forbidding:
        rules = named_rules(condition)
        found |= {condition.kind} if condition.kind != FINDING else {_finding(one) for one in rules} or {_ANY}
    return frozenset(found)


def _finding(rule: str) -> str:
    return f"finding {rule}"
