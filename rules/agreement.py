"""Comparing two evaluations of the same facts, statement by statement."""

from __future__ import annotations

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
    new = mapped.__getitem__
    return {
        id_: Outcome(
            {at: Way(says, set(map(new, support))) for at, (says, support) in ways.items()},
            {at: set(map(new, support)) for at, support in gifts.items()},
        )
        for id_, (ways, gifts) in second.outcomes.items()
    }
