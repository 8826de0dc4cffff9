"""What is looked up among encoded facts, kept and shared until facts of the kind are added."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from rules.engine.encode import Row
from rules.engine.integers import Integers
from rules.language.model import Condition

Index = dict[object, list[Row]]


@dataclass(frozen=True, slots=True)
class Among:
    """Says what an evaluation keeps of the facts of one kind; those with the same source keep the same."""

    kind: str
    source: str
    gather: Callable[[Sequence[Row]], Any] = field(compare=False)

    @classmethod
    def of(cls, kind: str, places: Sequence[int], tests: Sequence[str], integers: Integers) -> Self:
        """Returns how facts that meet the tests are found by the values at the places (one value, or a tuple
        of several; without places, all in a list); those that lack such a value are left out."""
        stated = [f"s[{place}] is not None" for place in places]
        holds = " and ".join(dict.fromkeys([*stated, *tests]))
        chosen = f"[s for s in rows if {holds}]" if holds else "rows"
        if not places:
            return cls(kind, chosen, integers.compile("rows", chosen))
        key = f"s[{places[0]}]" if len(places) == 1 else f"({', '.join(f's[{p}]' for p in places)})"
        source = f"gathered([({key}, s) for s in rows if {holds}])"
        return cls(kind, source, integers.compile("rows", source, gathered=_gathered))

    @classmethod
    def numbers(cls, condition: Condition, integers: Integers) -> Self:
        """Returns how the bindings of a condition are found that names no other alias."""
        tests = sorted(integers.expression(condition, test, "r", {}) for test in condition.tests)
        met = f" if {' and '.join(tests)}" if tests else ""
        source = f"[(r[0] + 1,) for r in rows{met}]"
        return cls(condition.kind, source, integers.compile("rows", source))


def _gathered(pairs: Sequence[tuple[object, Row]]) -> Index:
    found: Index = {}
    for key, row in pairs:
        if key in found:
            found[key].append(row)
        else:
            found[key] = [row]
    return found


class Lookup:
    """Finds encoded facts; keeps what was looked up until facts are added."""

    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self.rows = rows
        self.known: dict[str, dict[str, Any]] = {}

    def by(self, among: Among) -> Any:
        """Returns what is kept of the facts; it is shared and not to be changed."""
        of_kind = self.known.get(among.kind)
        if of_kind is None:
            of_kind = self.known[among.kind] = {}
        found = of_kind.get(among.source)
        if found is None:
            found = of_kind[among.source] = among.gather(self.rows.get(among.kind, ()))
        return found

    def forget(self, kind: str) -> None:
        """Forgets what was looked up of a kind."""
        self.known.pop(kind, None)
