"""Derivations on encoded facts: matching `from`, choosing with `pick`, and the aggregates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rules.engine.encode import Row, decode_number
from rules.engine.integers import Integers, is_plain
from rules.engine.outputs import Outputs, Texts
from rules.engine.session import Budget
from rules.facts import Value
from rules.language.model import NUMERIC, Aggregate, Condition, Give, Preference, Statement
from rules.trace import Key

Rows = tuple[Row, ...]


class Derivation:
    """Is one derivation made ready."""

    def __init__(self, statement: Statement, integers: Integers) -> None:
        self.statement, self.integers = statement, integers
        self.source = statement.source
        bound = statement.when + ((self.source,) if self.source else ())
        outputs = Outputs(integers, bound)
        self.gives = [_Give(give, outputs, self.source, integers) for give in statement.give]
        self.matcher = _Matcher(self.source, statement.when, integers) if self.source else None
        self.choose = (
            _Chooser(statement.pick, self.source, integers) if self.source and statement.pick else None
        )

    def facts(
        self, lookup: Lookup, bindings: Sequence[Rows], texts: Texts, budget: Budget
    ) -> list[tuple[Key, set[int]]]:
        """Returns the facts that follow for every binding of `when`, with the numbers of the rows they rest
        on."""
        found: list[tuple[Key, set[int]]] = []
        for binding in bindings:
            met = self.matcher.find(lookup, binding) if self.matcher else None
            budget.spend(len(met) if met else 1)
            chosen = self.choose(met, texts) if self.choose and met else None
            for give in self.gives:
                fact = give.fact(binding, met, chosen, texts)
                if fact is not None:
                    key, used = fact
                    found.append((key, {row[0] or 0 for row in binding} | used))
        return found


class Lookup:
    """Finds encoded facts by the values at some places; keeps what was looked up once, for one stratum."""

    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self.rows = rows
        self.known: dict[tuple[str, tuple[int, ...]], dict[tuple[int | None, ...], list[Row]]] = {}

    def by(self, kind: str, places: tuple[int, ...]) -> dict[tuple[int | None, ...], list[Row]]:
        """Returns the facts of a kind by their values at the places; those that lack one are left out."""
        found = self.known.get((kind, places))
        if found is None:
            found = self.known[(kind, places)] = {}
            for row in self.rows.get(kind, ()):
                key = tuple([row[place] for place in places])
                if None not in key:
                    found.setdefault(key, []).append(row)
        return found


class _Matcher:
    """Finds the facts of `from` for a binding, by the values that must be equal."""

    def __init__(self, source: Condition, bound: Sequence[Condition], integers: Integers) -> None:
        self.kind = source.kind
        slots = {condition.alias: (condition.kind, f"b[{slot}]") for slot, condition in enumerate(bound)}
        self.same = [slot for slot, condition in enumerate(bound) if condition.kind == source.kind]
        keys = [
            t
            for t in source.tests
            if t.operator == "=" and t.right and is_plain(t.right) and t.other_aliases()
        ]
        self.places = tuple(integers.place(source.kind, test.property) for test in keys)
        self.wanted = [
            (
                list(slots).index(test.refs[0].alias),
                integers.place(slots[test.refs[0].alias][0], test.refs[0].property),
            )
            for test in keys
        ]
        tests = [integers.expression(source, test, "r", slots) for test in source.tests if test not in keys]
        self.choose = integers.compile("m, b", f"[r for r in m if {' and '.join(tests)}]") if tests else None

    def find(self, lookup: Lookup, binding: Rows) -> list[Row]:
        """Returns the facts of `from` that a binding meets."""
        met = lookup.by(self.kind, self.places).get(
            tuple([binding[slot][at] for slot, at in self.wanted]), []
        )
        if self.choose and met:
            met = self.choose(met, binding)
        if self.same and met:
            bound = {binding[slot][0] for slot in self.same}
            met = [row for row in met if row[0] not in bound]
        return met


class _Chooser:
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
        self.rank: Callable[[Row], tuple[int, ...]] = integers.compile("r", f"({', '.join(ranks)},)")
        for name in integers.kinds[source.kind].properties:
            integers.place(source.kind, name)
        self.textual = [
            prop.type not in (*NUMERIC, "date") for prop in integers.kinds[source.kind].properties.values()
        ]

    def __call__(self, met: Sequence[Row], texts: Texts) -> Row:
        if len(met) == 1:
            return met[0]
        ranks = [self.rank(row) for row in met]
        best = min(ranks)
        left = [row for row, rank in zip(met, ranks, strict=True) if rank == best]
        return left[0] if len(left) == 1 else min(left, key=lambda row: self.tie(row, texts))

    def tie(self, row: Row, texts: Texts) -> tuple[tuple[int, int | str], ...]:
        """Returns what sorts the smallest values first, in the order of the declaration."""
        return tuple(
            (1, 0) if number is None else (0, texts[number] if textual else number)
            for number, textual in zip(row[1:], self.textual, strict=True)
        )


class _Give:
    """Is one fact of `give`."""

    def __init__(self, give: Give, outputs: Outputs, source: Condition | None, integers: Integers) -> None:
        self.kind = give.kind
        self.values = outputs.fact(give)
        names = list(integers.kinds[give.kind].properties)
        self.aggregates: list[tuple[int, Aggregate, int, str]] = []
        for name, value in give.values:
            if isinstance(value, Aggregate):
                place = integers.place(source.kind, value.property) if value.property and source else 0
                self.aggregates.append((names.index(name), value, place, value.type))
        self.counts = any(aggregate.function in ("count", "exists") for _, aggregate, _, _ in self.aggregates)
        self.decode = {type_: outputs.decoder(value.type) for _, value, _, type_ in self.aggregates}

    def fact(
        self, binding: Rows, met: list[Row] | None, chosen: Row | None, texts: Texts
    ) -> tuple[Key, set[int]] | None:
        """Returns the fact and the rows of `from` it rests on, or None where nothing follows."""
        if met is not None and not met and not self.counts:
            return None
        values = self.values((*binding, chosen) if chosen is not None else binding, texts)
        used = {chosen[0] or 0} if chosen is not None else set()
        for position, aggregate, place, type_ in self.aggregates:
            values[position], rest = self.aggregate(aggregate, place, type_, met or [], texts)
            used |= rest
        if met and not self.aggregates and chosen is None:
            used = {row[0] or 0 for row in met}
        return (self.kind, tuple(values)), used

    def aggregate(
        self, aggregate: Aggregate, place: int, type_: str, met: list[Row], texts: Texts
    ) -> tuple[Value | None, set[int]]:
        everything = {row[0] or 0 for row in met}
        if aggregate.function == "count":
            return len(met), everything
        if aggregate.function == "exists":
            return ("yes" if met else "no"), everything
        numbers = [(number, row[0] or 0) for row in met if (number := row[place]) is not None]
        if not numbers:
            return None, set()
        extreme = (min if aggregate.function == "min" else max)(numbers)[0]
        value = decode_number(extreme, type_) if type_ in NUMERIC else self.decode[type_](extreme, texts)
        return value, {row for number, row in numbers if number == extreme}
