"""Comparing two evaluations of the same facts, statement by statement."""

from __future__ import annotations

from collections.abc import Callable

from rules.trace import Outcome, Trace, Way


def differing(first: Trace, second: Trace) -> tuple[str, ...]:
    """Returns the ids of the statements on which two traces of the same facts differ."""
    outcomes = _renumbered(first, second)
    if outcomes == first.outcomes:
        return ()
    ids = dict.fromkeys((*first.outcomes, *outcomes))
    return tuple(id_ for id_ in ids if outcomes.get(id_) != first.outcomes.get(id_))


def _renumbered(first: Trace, second: Trace) -> dict[str, Outcome]:
    """Returns the second trace's outcomes with the facts numbered as in the first."""
    known, asserted = first.numbers, second.asserted
    mapped = list(range(asserted))
    fresh = asserted + len(known)
    for key, number in second.numbers.items():
        if number >= asserted:
            other = known.get(key)
            if other is None:
                # A fact that only the second evaluation gave gets a number that the first has not.
                other = fresh = fresh + 1
            mapped.append(other)
    if mapped == list(range(len(mapped))):
        return second.outcomes
    moved = {number for number, other in enumerate(mapped) if number != other}
    new = mapped.__getitem__
    return {
        id_: outcome if moved.isdisjoint(_rests_on(outcome)) else _mapped(outcome, new)
        for id_, outcome in second.outcomes.items()
    }


def _rests_on(outcome: Outcome) -> set[int]:
    """Returns the numbers of all facts that an outcome rests on."""
    return set().union(*outcome.gifts.values(), *[way.support for way in outcome.ways.values()])


def _mapped(outcome: Outcome, new: Callable[[int], int]) -> Outcome:
    """Returns an outcome with the facts it rests on numbered anew."""
    return Outcome(
        {at: Way(says, set(map(new, support))) for at, (says, support) in outcome.ways.items()},
        {at: set(map(new, support)) for at, support in outcome.gifts.items()},
    )
