"""What one evaluation hands back, before it is compared and told as findings."""

from __future__ import annotations

from dataclasses import dataclass, field

from rules.facts import Value

Values = tuple[Value | None, ...]
Key = tuple[str, Values]
"""A fact as the engines see it: its kind, and its values in the order of the declaration (None: absent)."""
Said = tuple[tuple[str, Value], ...]


@dataclass(slots=True)
class Way:
    """Is what speaks for one finding: the values said, and the numbers of the facts that were bound."""

    says: set[Said] = field(default_factory=set)
    support: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Outcome:
    """Is what one statement concluded.

    `ways` by (number of the case, subject); `gifts` by (fact, number of the case), each with the numbers of
    the facts it rests on.
    """

    ways: dict[tuple[int, str | None], Way] = field(default_factory=dict)
    gifts: dict[tuple[Key, int], set[int]] = field(default_factory=dict)

    def silent(self) -> bool:
        """Tells whether the statement concluded nothing."""
        return not self.ways and not self.gifts


@dataclass(slots=True)
class Trace:
    """Is one evaluation's whole answer; fact number n of `derived` is counted on from the facts put in."""

    outcomes: dict[str, Outcome]
    derived: list[Key]
    asserted: int


def speak(outcome: Outcome, case: int, subject: str | None, said: Said, support: set[int]) -> None:
    """Adds one way in which a case speaks of a subject."""
    way = outcome.ways.get((case, subject))
    if way is None:
        way = outcome.ways[(case, subject)] = Way()
    way.says.add(said)
    way.support |= support


def grant(outcome: Outcome, key: Key, case: int, support: set[int]) -> None:
    """Adds one fact that a case gives."""
    known = outcome.gifts.get((key, case))
    if known is None:
        outcome.gifts[(key, case)] = set(support)
    else:
        known |= support
