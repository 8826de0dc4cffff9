"""What of a fact enters the engine in one stratum: a few named integer columns for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rules.engine.encode import Row
from rules.engine.integers import Integers

SENTINEL = "k0"
"""The property that is 1 in the last fact of a batch only."""


@dataclass(slots=True)
class Columns:
    """Collects the columns one stratum needs, and writes facts with exactly these."""

    integers: Integers
    kinds: dict[str, str] = field(default_factory=dict)
    sources: dict[str, dict[str, str]] = field(default_factory=dict)
    """By kind: source of a column -> its name."""

    def kind(self, kind: str) -> str:
        """Returns the name of the property that is 1 in the facts of a kind, and in no others.

        One name for each kind, not one property with a number: the engine tries every test of a property.
        """
        self.sources.setdefault(kind, {})
        return self.kinds.setdefault(kind, f"k{len(self.kinds) + 1}")

    def column(self, kind: str, source: str) -> str:
        """Returns the name of the column with that source (`r` is the row)."""
        self.kind(kind)
        columns = self.sources[kind]
        return columns.setdefault(source, f"p{len(columns)}")

    def value(self, kind: str, name: str) -> str:
        """Returns the column of a value as it stands.

        An absent text becomes a number of its own (negative, the fact's), so that it equals nothing; an
        absent number becomes 0 and is only compared beside a test that it is stated.
        """
        place = self.integers.place(kind, name)
        if not self.integers.optional(kind, name):
            return self.column(kind, f"r[{place}]")
        absent = "-1 - r[0]" if self.integers.kinds[kind].properties[name].type == "id" else "0"
        return self.column(kind, f"({absent} if r[{place}] is None else r[{place}])")

    def stated(self, kind: str, name: str) -> str:
        """Returns the column that is 1 where the value is stated."""
        return self.column(kind, f"(0 if r[{self.integers.place(kind, name)}] is None else 1)")

    def scaled(self, kind: str, name: str, factor: int, addend: int) -> str:
        """Returns the column of a multiple of a value plus a number."""
        if (factor, addend) == (1, 0):
            return self.value(kind, name)
        place = self.integers.place(kind, name)
        return self.column(kind, f"(0 if r[{place}] is None else bounded(r[{place}] * {factor} + {addend}))")

    def flag(self, kind: str, expression: str) -> str:
        """Returns the column that is 1 where an expression over the row holds."""
        return self.column(kind, f"(1 if {expression} else 0)")

    def names(self) -> set[str]:
        """Returns the names of all properties that enter the engine."""
        columns = {name for columns in self.sources.values() for name in columns.values()}
        return columns | {*self.kinds.values(), SENTINEL, "id"}

    def writer(self, kind: str) -> Callable[[Sequence[Row]], list[str]]:
        """Returns a function that writes rows as JSON, of integers only; the ids count from 1."""
        parts = [f'"{name}":{{{source}}}' for source, name in self.sources[kind].items()]
        body = ",".join([f'"{self.kinds[kind]}":1,"id":{{r[0] + 1}}', *parts])
        return self.integers.compile("rows", f"[f'{{{{{body}}}}}' for r in rows]")
