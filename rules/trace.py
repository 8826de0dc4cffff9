"""What one evaluation hands back, before it is compared and told as findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rules.facts import Value

Values = tuple[Value | None, ...]
Key = tuple[str, Values]
"""A fact as the engines see it: its kind, and its values in the order of the declaration (None: absent)."""
Said = tuple[tuple[str, Value], ...]


class Way(NamedTuple):
    """Is what speaks for one finding: the values said, and the numbers of the facts that were bound."""

    says: set[Said]
    support: set[int]


Ways = dict[tuple[int, str | None], Way]
"""By number of the case and subject."""
Gifts = dict[tuple[Key, int], set[int]]
"""The numbers of the facts that a given fact rests on, by fact and number of the case."""


class Outcome(NamedTuple):
    """Is what one statement concluded."""

    ways: Ways
    gifts: Gifts


@dataclass(slots=True)
class Trace:
    """Is one evaluation's whole answer.

    `outcomes` are those of the statements that concluded anything. `numbers` has the number of every fact
    that an active statement gave, counted on from the facts put in (lower where it was put in already).
    """

    outcomes: dict[str, Outcome]
    numbers: dict[Key, int]
    asserted: int

    def outcome(self, id_: str) -> Outcome:
        """Returns what a statement concluded."""
        return self.outcomes.get(id_) or Outcome({}, {})

    @property
    def derived(self) -> list[Key]:
        """Returns the facts that were not put in, in the order of their numbers."""
        return [key for key, number in self.numbers.items() if number >= self.asserted]
