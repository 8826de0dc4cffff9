"""Comparing two evaluations of the same facts, statement by statement."""

from __future__ import annotations

from collections.abc import Sequence

from rules.trace import Outcome, Trace, Way

Numbers = Sequence[int]
"""By the number of a fact in the second trace, that in the first."""


def differing(first: Trace, second: Trace) -> tuple[str, ...]:
    """Returns the ids of the statements on which two traces of the same facts differ."""
    numbers = _numbers(first, second)
    moved = {number for number, other in enumerate(numbers) if number != other}
    if not moved and first.outcomes == second.outcomes:
        return ()
    mine, others = first.outcomes, second.outcomes
    found: list[str] = []
    for id_ in dict.fromkeys((*mine, *others)):
        one, other = mine.get(id_), others.get(id_)
        if one is None or other is None or not _agree(one, other, numbers, moved):
            found.append(id_)
    return tuple(found)


def _numbers(first: Trace, second: Trace) -> Numbers:
    """Returns the numbers of the second trace's facts in the first; a fact that only the second evaluation
    gave gets a number that the first has not."""
    asserted, known = second.asserted, first.numbers
    # The facts in the order of the first, with the numbers of the second where it has them.
    both = known | second.numbers
    if len(both) == len(known) == len(second.numbers):
        mapped = list(range(asserted + len(both)))
        for number, other in zip(known.values(), both.values(), strict=True):
            mapped[other] = number
        return mapped
    mapped = list(range(asserted))
    fresh = asserted + len(known)
    for key, number in second.numbers.items():
        if number >= asserted:
            other = known.get(key, -1)
            if other < 0:
                other = fresh = fresh + 1
            mapped.append(other)
    return mapped


def _agree(first: Outcome, second: Outcome, numbers: Numbers, moved: set[int]) -> bool:
    """Tells whether a statement concluded the same, resting on the same facts."""
    if len(first.ways) != len(second.ways) or len(first.gifts) != len(second.gifts):
        return False
    if second.ways and first.ways != {
        at: Way(says, _renumbered(support, numbers)) for at, (says, support) in second.ways.items()
    }:
        return False
    # Both mostly give their facts in the same order: then none has to be looked up.
    for (at, mine), (other_at, others) in zip(first.gifts.items(), second.gifts.items(), strict=True):
        if at != other_at:
            break
        if mine != (others if moved.isdisjoint(others) else _renumbered(others, numbers)):
            return False
    else:
        return True
    return first.gifts == {at: _renumbered(support, numbers) for at, support in second.gifts.items()}


def _renumbered(support: set[int], numbers: Numbers) -> set[int]:
    return {numbers[number] for number in support}
