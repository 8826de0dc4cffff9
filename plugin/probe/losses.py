"""Which kinds of fact, and with them which rules, have no input where queries are not answered."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from plugin.pull.queries import QUERIES
from rules.language import Pack
from rules.language.model import Condition, Statement


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """What is lost with some queries.

    `kinds`: kinds of fact that nothing feeds any more. `thinned`: those that a query less feeds.
    `rules`: rules that can no longer conclude, because what they need cannot exist. `exposed`: rules that
    can, but look at a kind that is lost or thinned.
    """

    kinds: tuple[str, ...]
    thinned: tuple[str, ...]
    rules: tuple[str, ...]
    exposed: tuple[str, ...]


def losses(unanswered: Iterable[str], pack: Pack) -> Losses:
    """Returns what the rules lose where the queries with these keys are not answered."""
    gone = set(unanswered)
    fed = {kind for query in QUERIES for kind in query.feeds}
    still = {kind for query in QUERIES if query.key not in gone for kind in query.feeds}
    touched = {kind for query in QUERIES if query.key in gone for kind in query.feeds}
    lost = _closed(fed - still, pack)
    speaking = [one for one in pack.statements.values() if one.finding_specs() and one.status == "active"]
    rules = {one.id for one in speaking if _silent(one, lost)}
    exposed = {
        one.id for one in speaking if {each.kind for each in one.conditions()} & (lost | touched)
    } - rules
    return Losses(
        kinds=tuple(sorted(lost & fed)),
        thinned=tuple(sorted(touched - lost)),
        rules=tuple(sorted(rules)),
        exposed=tuple(sorted(exposed)),
    )


def _closed(lost: set[str], pack: Pack) -> set[str]:
    """Returns the kinds that cannot exist without these: each is given only by statements that need one."""
    lost = set(lost)
    givers: dict[str, list[Statement]] = {}
    for one in pack.statements.values():
        for give in one.given():
            givers.setdefault(give.kind, []).append(one)
    while True:
        more = {
            kind
            for kind, statements in givers.items()
            if kind not in lost and all(_silent(one, lost) for one in statements)
        }
        if not more:
            return lost
        lost |= more


def _silent(statement: Statement, lost: set[str]) -> bool:
    """Says whether a statement cannot conclude without these kinds of fact."""
    if _needs(statement.when, lost):
        return True
    if statement.source is not None and statement.source.kind in lost:
        return True
    return bool(statement.cases) and all(_needs(case.when, lost) for case in statement.cases)


def _needs(conditions: tuple[Condition, ...], lost: set[str]) -> bool:
    return any(one.kind in lost for one in conditions)
