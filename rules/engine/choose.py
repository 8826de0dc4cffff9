"""`pick` on encoded facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rules.engine.encode import Row
from rules.engine.integers import Integers
from rules.language.model import NUMERIC, Condition, Preference


class Chooser:
    """Chooses one fact of `from`."""

    def __init__(self, pick: Sequence[Preference], source: Condition, integers: Integers) -> None:
        ranks: list[str] = []
        for preference in pick:
            value = f"r[{integers.place(source.kind, preference.property)}]"
            if preference.value is not None:
                ranks.append(f"{value} != {integers.texts[preference.value]}")
            else:
                # An absent value comes after every stated one.
                sign = "-" if preference.order == "descending" else ""
                ranks.append(f"{value} is None, 0 if {value} is None else {sign}{value}")
        self.ranks: Callable[[Sequence[Row]], list[tuple[int, ...]]] = integers.compile(
            "rows", f"[({', '.join(ranks)},) for r in rows]"
        )
        for name in integers.kinds[source.kind].properties:
            integers.place(source.kind, name)
        self.textual = [
            prop.type not in (*NUMERIC, "date") for prop in integers.kinds[source.kind].properties.values()
        ]

    def __call__(self, met: Sequence[Row], texts: Sequence[str]) -> Row:
        ranks = self.ranks(met)
        best = min(ranks)
        if ranks.count(best) == 1:
            return met[ranks.index(best)]
        left = [row for row, rank in zip(met, ranks, strict=True) if rank == best]
        return min(left, key=lambda row: self.tie(row, texts))

    def tie(self, row: Row, texts: Sequence[str]) -> tuple[tuple[int, int | str], ...]:
        """Returns what sorts the smallest values first, in the order of the declaration."""
        return tuple(
            (1, 0) if number is None else (0, texts[number] if textual else number)
            for number, textual in zip(row[1:], self.textual, strict=True)
        )
