"""Two traces of the same facts: compared in one pass, held to the plain meaning of being the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.agreement import differing
from rules.trace import Key, Outcome, Trace, Way

PUT_IN = 3
"""Facts put in; one of them is of a kind that statements give, too."""
GIVEN: list[Key] = [("out", (text, None)) for text in "abcde"]
KNOWN: Key = ("out", ("put in", None))

supports = st.frozensets(st.integers(0, PUT_IN - 1) | st.sampled_from(GIVEN), max_size=4)
outcomes_ = st.tuples(
    st.dictionaries(st.tuples(st.sampled_from([*GIVEN, KNOWN]), st.integers(0, 1)), supports, max_size=4),
    st.dictionaries(
        st.tuples(st.integers(0, 1), st.sampled_from([None, "L1", "L2"])),
        st.tuples(st.frozensets(st.sampled_from([(), (("mm", 1),)]), min_size=1), supports),
        max_size=2,
    ),
)
Told = dict[str, tuple[dict[tuple[Key, int], frozenset], dict[tuple[int, str | None], tuple]]]
"""Outcomes by statement; a given fact stands for itself in place of its number."""
told_ = st.dictionaries(st.sampled_from("ABC"), outcomes_, max_size=3)


def trace(told: Told, order: list[Key], reverse: bool) -> Trace:
    """Returns a trace that numbers the given facts in this order, and holds everything back to front."""
    numbers = {KNOWN: 1} | {key: PUT_IN + place for place, key in enumerate(order)}

    def numbered(support: frozenset) -> set[int]:
        return {part if isinstance(part, int) else numbers[part] for part in support}

    def ordered(found: dict) -> dict:
        return dict(reversed(found.items())) if reverse else found

    outcomes = {
        id_: Outcome(
            ordered({at: Way(set(says), numbered(support)) for at, (says, support) in ways.items()}),
            ordered({at: numbered(support) for at, support in gifts.items()}),
        )
        for id_, (gifts, ways) in told.items()
    }
    return Trace(ordered(outcomes), numbers, PUT_IN)


def plain(first: Told, second: Told) -> set[str]:
    """Returns the statements that do not say the same."""
    return {id_ for id_ in {*first, *second} if first.get(id_) != second.get(id_)}


@settings(deadline=None, max_examples=100)
@given(told_, told_, st.permutations(GIVEN), st.permutations(GIVEN), st.booleans(), st.data())
def test_what_differs_is_found_whatever_the_numbers(
    told: Told, other: Told, one: list[Key], two: list[Key], reverse: bool, data: st.DataObject
) -> None:
    assert differing(trace(told, one, False), trace(told, two, reverse)) == ()
    mixed = {**told, **{id_: other[id_] for id_ in other if data.draw(st.booleans())}}
    found = differing(trace(told, one, False), trace(mixed, two, reverse))
    assert set(found) == plain(told, mixed)
    assert len(set(found)) == len(found)


def alone(fact: Key, order: list[Key], support: set[int] | None = None) -> Trace:
    numbers = {key: PUT_IN + place for place, key in enumerate(order)}
    return Trace({"A": Outcome({}, {(fact, 0): {0} if support is None else support})}, numbers, PUT_IN)


def test_a_fact_that_one_evaluation_gave_alone_is_a_difference() -> None:
    first, second = alone(GIVEN[0], GIVEN[:1]), alone(GIVEN[1], GIVEN[1:2])
    assert differing(first, second) == ("A",)
    # The same number, and another fact behind it.
    rests, other = alone(GIVEN[2], [GIVEN[0], GIVEN[2]], {3}), alone(GIVEN[2], [GIVEN[1], GIVEN[2]], {3})
    assert differing(rests, other) == ("A",)
    assert differing(rests, alone(GIVEN[2], [GIVEN[2], GIVEN[0]], {4})) == ()
    assert differing(rests, alone(GIVEN[2], [GIVEN[2], GIVEN[0]], {3})) == ("A",)
    # One gave more than the other.
    assert differing(rests, alone(GIVEN[2], [GIVEN[1], GIVEN[0], GIVEN[2]], {4})) == ()
    assert differing(rests, alone(GIVEN[2], [GIVEN[1], GIVEN[0], GIVEN[2]], {3})) == ("A",)
