"""Who reads what a statement gives: a site cannot take a conclusion away from rules that rest on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from rules.language.model import Statement


def readers(id_: str, statements: Iterable[Statement]) -> tuple[str, ...]:
    """Returns the statements with findings that rest on the facts of one, through any number of steps.

    Steps (statements without findings) are passed through, not named. Conditions on `finding` do not count:
    they say how messages give way to each other, and without the one the other speaks.
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


def held_back(states: Mapping[str, str], statements: Collection[Statement]) -> dict[str, tuple[str, ...]]:
    """Returns each statement that a site takes out of force with the readers that stay in force."""
    silent = {one.id for one in statements if one.status != "active"}
    left: dict[str, tuple[str, ...]] = {}
    for one in statements:
        if one.id in states and one.id in silent:
            active = tuple(name for name in readers(one.id, statements) if name not in silent)
            if active:
                left[one.id] = active
    return left


def _next(statement: Statement, every: Mapping[str, Statement]) -> list[Statement]:
    given = {give.kind for give in statement.given()}
    return [
        other
        for other in every.values()
        if other.id != statement.id and any(one.kind in given for one in other.conditions())
    ]
