"""Which facts a session of the engine needs: only those that can stand in a rule that can fire.

A fact of which no condition's own tests hold, or whose rule lacks a fact for another condition, changes no
firing; every fact that enters costs the engine some 14 kB of copying. The engine still tests what it gets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from rules.engine.encode import Row
from rules.engine.integers import Integers, is_plain
from rules.engine.units import Unit
from rules.errors import LimitExceeded
from rules.language.model import OWN, TEXTUAL, Condition

MANY = 32
"""Rows of a kind from which it pays to choose them by the values they are joined on."""

CROWD = 300
"""Rows from which the pairs are counted before the engine makes them."""
MAX_PAIRS = 1_000_000
"""The engine holds every pair that a join finds, before the first firing can be counted."""

Marks = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class _Join:
    """Says that a condition's rows have, at a place, a value that rows of another condition have."""

    place: int
    other: str
    other_bit: int
    other_place: int


Conditions = Sequence[tuple[str, int, _Join | None]]
"""Kind and bit of a rule's conditions, with an equality that binds their rows to others."""


class Sift:
    """Sifts facts for the rules of one ruleset.

    Every kind has its own marks: bit n says that a row meets the own tests of the kind's condition n. Side by
    side, each kind shifted to its place, they say which conditions of the ruleset are met.
    """

    def __init__(self, units: Sequence[Unit], integers: Integers) -> None:
        self.integers = integers
        self.tests: dict[str, dict[str, int]] = {}
        bits = [[self.bit(condition) for condition in unit.conditions] for unit in units]
        self.shifts: dict[str, int] = {}
        width = 0
        for kind, tests in self.tests.items():
            self.shifts[kind] = width
            width += len(tests)
        self.all = (1 << width) - 1
        self.needs = [
            (self.need(unit, own), self.joins(unit, own)) for unit, own in zip(units, bits, strict=True)
        ]
        self.marks_of = {kind: self.marker(tests) for kind, tests in self.tests.items()}
        self.always = {kind: tests.get("", 0) for kind, tests in self.tests.items()}
        """By kind, the bit of a condition that every row meets."""
        self.kept: dict[str, tuple[Sequence[Row], Sequence[int], int]] = {}
        self.by_value: dict[tuple[str, int], dict[int | None, list[int]]] = {}

    def bit(self, condition: Condition) -> int:
        """Returns the bit of a condition's own tests; equal ones of a kind have one bit."""
        tests = [
            self.integers.expression(condition, test, "r", {})
            for test in condition.tests
            if not test.other_aliases()
        ]
        of_kind = self.tests.setdefault(condition.kind, {})
        return of_kind.setdefault(" and ".join(sorted(tests)), 1 << len(of_kind))

    def need(self, unit: Unit, bits: Sequence[int]) -> int:
        """Returns what must be met for a rule to fire."""
        need = 0
        for kind, bit in zip(unit.kinds, bits, strict=True):
            need |= bit << self.shifts[kind]
        return need

    def marker(self, tests: Mapping[str, int]) -> Callable[[Sequence[Row]], list[int]]:
        """Returns a function from rows of a kind to their marks."""
        always = sum(bit for test, bit in tests.items() if not test)
        parts = [f"({bit} if {test} else 0)" for test, bit in tests.items() if test]
        if not parts:
            return self.integers.compile("rows", f"[{always}] * len(rows)")
        parts += [str(always)] if always else []
        return self.integers.compile("rows", f"[{' | '.join(parts)} for r in rows]")

    def joins(self, unit: Unit, bits: Sequence[int]) -> Conditions:
        """Returns kind and bit of a unit's conditions, with an equality that binds their rows to others."""
        slots = {condition.alias: slot for slot, condition in enumerate(unit.conditions)}
        found: list[tuple[str, int, _Join | None]] = []
        for condition, bit in zip(unit.conditions, bits, strict=True):
            join: _Join | None = None
            for test in condition.join_keys():
                ref = test.refs[0]
                if test.right and test.right.type in TEXTUAL and is_plain(test.right) and ref.alias != OWN:
                    other = unit.conditions[slots[ref.alias]]
                    place = self.integers.place(condition.kind, test.property)
                    other_place = self.integers.place(other.kind, ref.property)
                    join = _Join(place, other.kind, bits[slots[ref.alias]], other_place)
                    break
            found.append((condition.kind, bit, join))
        return found

    def needed(self, rows: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
        """Returns the rows to send, by kind; nothing where no rule can fire."""
        marks: dict[str, Sequence[int]] = {}
        met = 0
        for kind, marks_of in self.marks_of.items():
            of_kind = rows.get(kind)
            if not of_kind:
                continue
            kept = self.kept.get(kind)
            if kept is not None and kept[0] is of_kind:
                _, marks[kind], all_ = kept
            else:
                marks[kind] = marks_of(of_kind)
                all_ = reduce(or_, set(marks[kind]))
            met |= all_ << self.shifts[kind]
        unmet = self.all ^ met
        can_fire = [one for one in self.needs if not one[0] & unmet]
        if not can_fire:
            return {}
        wanted = reduce(or_, [need for need, _ in can_fire])
        live = [conditions for _, conditions in can_fire]
        found = {kind: self.chosen(kind, wanted >> self.shifts[kind], live, rows, marks) for kind in marks}
        if sum(map(len, found.values())) > CROWD:
            self.check_pairs(live, rows, marks)
        return found

    def check_pairs(
        self, live: Sequence[Conditions], rows: Mapping[str, Sequence[Row]], marks: Marks
    ) -> None:
        """Refuses facts of which too many would have to be paired."""
        counted: dict[tuple[str, int, int], Counter[int | None]] = {}

        def values(kind: str, bit: int, place: int) -> Counter[int | None]:
            at = (kind, bit, place)
            if at not in counted:
                pairs = zip(rows[kind], marks[kind], strict=True)
                counted[at] = Counter(
                    [row[place] for row, mark in pairs if mark & bit and row[place] is not None]
                )
            return counted[at]

        for conditions in live:
            for kind, bit, join in conditions:
                if join is not None:
                    others = values(join.other, join.other_bit, join.other_place)
                    mine = values(kind, bit, join.place)
                    if sum(count * others[value] for value, count in mine.items()) > MAX_PAIRS:
                        raise LimitExceeded(f"more than {MAX_PAIRS} pairs of facts to compare")

    def keep(self, kind: str, rows: Sequence[Row]) -> None:
        """Keeps the marks of the rows of one of the pack's tables, and where each value stands."""
        self.by_value = {at: found for at, found in self.by_value.items() if at[0] != kind}
        if kind in self.marks_of:
            marks = self.marks_of[kind](rows)
            self.kept[kind] = (rows, marks, reduce(or_, marks, 0))

    def chosen(
        self,
        kind: str,
        wanted: int,
        live: Sequence[Conditions],
        rows: Mapping[str, Sequence[Row]],
        marks: Marks,
    ) -> list[Row]:
        """Returns the rows of a kind that can stand in a rule; of a large table only those joined to a
        fact."""
        bits = wanted & ((1 << len(self.tests[kind])) - 1)
        mine, of_kind = rows[kind], marks[kind]
        if not bits:
            return []
        if len(mine) >= MANY and kind in self.kept:
            joins = [join for unit in live for other, _, join in unit if other == kind]
            if None not in joins:
                places = self.joined(kind, [join for join in joins if join], rows, marks)
                return [mine[place] for place in sorted(places) if of_kind[place] & bits]
        if bits & self.always[kind]:
            return list(mine)
        return [row for row, mark in zip(mine, of_kind, strict=True) if mark & bits]

    def joined(
        self, kind: str, joins: Sequence[_Join], rows: Mapping[str, Sequence[Row]], marks: Marks
    ) -> set[int]:
        """Returns where in a table stand the rows that a join reaches."""
        places: set[int] = set()
        for join in joins:
            index = self.index(kind, join.place)
            others = zip(rows[join.other], marks[join.other], strict=True)
            for value in {row[join.other_place] for row, mark in others if mark & join.other_bit}:
                places.update(index.get(value, ()))
        return places

    def index(self, kind: str, place: int) -> dict[int | None, list[int]]:
        found = self.by_value.get((kind, place))
        if found is None:
            found = self.by_value[(kind, place)] = {}
            for number, row in enumerate(self.kept[kind][0]):
                found.setdefault(row[place], []).append(number)
        return found
