"""Which statements can be matched together: fewer sessions of the engine than the pack has strata."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from rules.language.model import FINDING, Condition, Statement

BEFORE = -1
"""The level of what needs no session at all."""


def levels(statements: Sequence[Statement], free: Collection[str] = ()) -> dict[str, int]:
    """Returns the number of the session, from 0, after which each statement concludes.

    A statement stands as early as what it reads allows: one that the engine matches in a session after those
    of what it reads, a `free` one, which the engine does not match, in the same. Where a statement reads
    findings without naming a rule, it must not see those of its own or a higher stratum: their statements
    stand no earlier than it does.
    """
    level = {statement.id: BEFORE if statement.id in free else 0 for statement in statements}
    before, beside = _order(statements)
    changed = True
    while changed:
        changed = False
        for statement in statements:
            own = statement.id
            step = 0 if own in free else 1
            least = max(
                [
                    level[own],
                    *(level[id_] + step for id_ in before[own]),
                    *(level[id_] for id_ in beside[own]),
                ]
            )
            if least > level[own]:
                level[own] = least
                changed = True
    return level


def _order(statements: Sequence[Statement]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Returns, for each statement, those that must stand before it, and those it must not stand before."""
    givers: dict[str, set[str]] = defaultdict(set)
    speakers = [statement for statement in statements if statement.finding_specs()]
    for statement in statements:
        for give in statement.given():
            givers[give.kind].add(statement.id)
    before: dict[str, set[str]] = defaultdict(set)
    beside: dict[str, set[str]] = defaultdict(set)
    for statement in statements:
        for condition in statement.conditions():
            if condition.kind != FINDING:
                before[statement.id] |= givers[condition.kind] - {statement.id}
                continue
            named = _named(condition)
            for speaker in speakers:
                if named is not None and speaker.id not in named:
                    continue
                if speaker.stratum < statement.stratum:
                    before[statement.id].add(speaker.id)
                elif named is None:
                    beside[speaker.id].add(statement.id)
    return before, beside


def _named(condition: Condition) -> set[str] | None:
    """Returns the rules whose findings a condition can meet; None where it names none."""
    for test in condition.tests:
        if test.property == "rule" and test.operator == "in":
            return {str(value) for value in test.choices}
        if test.property == "rule" and test.operator == "=" and test.right and test.right.literal is not None:
            return {str(test.right.literal)}
    return None
