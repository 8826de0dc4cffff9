"""Derivations on encoded facts: matching `from`, choosing with `pick`, and the aggregates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rules.engine.cases import Numbers
from rules.engine.choose import Chooser
from rules.engine.encode import Row
from rules.engine.integers import Integers, is_plain
from rules.engine.lookup import Among, Lookup
from rules.engine.outputs import Decimals, Outputs
from rules.engine.session import Budget
from rules.language.model import Aggregate, Condition, Give, Statement
from rules.trace import Gifts

Derive = Callable[
    [Sequence[Numbers], Sequence[Row], object, Sequence[str], Decimals, Gifts, Callable[[int], None]], None
]
"""Bindings, rows by number, rows or index of `from`, texts, decimals; fills gifts, counts what is met."""


class Derivation:
    """Is one derivation made ready."""

    def __init__(self, statement: Statement, integers: Integers) -> None:
        self.among: Among | None = None
        self.derive: Derive = self._written(statement, integers)

    def _written(self, statement: Statement, integers: Integers) -> Derive:
        when, source = statement.when, statement.source
        outputs = Outputs(integers, when + ((source,) if source else ()))
        numbers = "".join(f"i{slot}, " for slot in range(len(when)))
        lines = ["ways = 0", f"for {numbers} in bindings:"]
        lines += [f"    r{slot} = rows[i{slot}]" for slot in range(len(when))]
        if source is not None:
            self.among, met = _matched(source, when, integers)
            lines += [f"    met = {met}", "    ways += len(met) or 1"]
        else:
            lines.append("    ways += 1")
        # The time is looked at now and then, and the limit kept, before much more is put together.
        lines += ["    if ways > 63:", "        count(ways)", "        ways = 0"]
        picked = f"r{len(when)}"
        if source is not None and statement.pick:
            choose = outputs.constant(Chooser(statement.pick, source, integers))
            lines.append(f"    {picked} = None if not met else met[0] if len(met) == 1 else {choose}(met, T)")
        for give in statement.give:
            lines += _Given(give, statement, integers, outputs).lines()
        lines.append("count(ways)")
        return outputs.function("derive", "bindings, rows, known, T, D, gifts, count", lines)

    def conclude(
        self,
        lookup: Lookup,
        bindings: Sequence[Numbers],
        rows: Sequence[Row],
        texts: Sequence[str],
        decimals: Decimals,
        gifts: Gifts,
        budget: Budget,
    ) -> None:
        """Adds the facts that follow for every binding of `when`, with the numbers they rest on."""
        known = () if self.among is None else lookup.by(self.among)
        self.derive(bindings, rows, known, texts, decimals, gifts, budget.spend)


def _matched(source: Condition, bound: Sequence[Condition], integers: Integers) -> tuple[Among, str]:
    """Returns what a `from` looks among, and the source of the facts that meet it for bound rows."""
    slots = {condition.alias: (condition.kind, f"r{slot}") for slot, condition in enumerate(bound)}
    own = [test for test in source.tests if not test.other_aliases()]
    keys = [t for t in source.tests if t not in own and t.operator == "=" and t.right and is_plain(t.right)]
    places = tuple(integers.place(source.kind, test.property) for test in keys)
    wanted = [
        f"{slots[t.refs[0].alias][1]}[{integers.place(slots[t.refs[0].alias][0], t.refs[0].property)}]"
        for t in keys
    ]
    alone = sorted(integers.expression(source, test, "s", {}) for test in own)
    among = Among.of(source.kind, places, alone, integers)
    rest = [test for test in source.tests if test not in keys and test not in own]
    tests = [integers.expression(source, test, "s", slots) for test in rest]
    # One fact never stands for two aliases.
    tests += [f"s[0] != r{slot}[0]" for slot, other in enumerate(bound) if other.kind == source.kind]
    key = wanted[0] if len(wanted) == 1 else f"({''.join(f'{value}, ' for value in wanted)})"
    candidates = f"known.get({key}, ())" if keys else "known"
    return among, f"[s for s in {candidates} if {' and '.join(tests)}]" if tests else candidates


class _Given:
    """Writes how one fact of `give` follows."""

    def __init__(self, give: Give, statement: Statement, integers: Integers, outputs: Outputs) -> None:
        self.give, self.statement, self.integers, self.outputs = give, statement, integers, outputs
        self.aggregates = [(name, value) for name, value in give.values if isinstance(value, Aggregate)]
        self.counts = any(value.function in ("count", "exists") for _, value in self.aggregates)

    def lines(self) -> list[str]:
        """Returns the lines, as they stand in the loop over the bindings."""
        statement = self.statement
        support = ", ".join(f"r{slot}[0]" for slot in range(len(statement.when)))
        lines = [f"used = {{{support}}}"]
        if statement.source is not None:
            if statement.pick:
                picked = f"r{len(statement.when)}"
                lines.append(f"if met: used.add({picked}[0])")
            if self.counts or not (self.aggregates or statement.pick):
                lines.append("used.update([s[0] for s in met])")
        values = self.outputs.fact(self.give)
        names = list(self.integers.kinds[self.give.kind].properties)
        for number, (name, aggregate) in enumerate(self.aggregates):
            lines += self.aggregate(f"a{number}", aggregate)
            values[names.index(name)] = f"a{number}"
        kind = self.outputs.constant(self.give.kind)
        lines += [
            f"at = ({kind}, ({''.join(f'{value}, ' for value in values)})), 0",
            "held = gifts.setdefault(at, used)",
            "if held is not used: held |= used",
        ]
        if statement.source is not None and not self.counts:
            lines = ["if met:", *(f"    {line}" for line in lines)]
        return [f"    {line}" for line in lines]

    def aggregate(self, name: str, aggregate: Aggregate) -> list[str]:
        """Returns the lines that put an aggregate under a name, and what it rests on in `used`."""
        if aggregate.function == "count":
            return [f"{name} = len(met)"]
        if aggregate.function == "exists":
            return [f"{name} = 'yes' if met else 'no'"]
        source = self.statement.source
        place = self.integers.place(source.kind, aggregate.property) if source and aggregate.property else 0
        optional = source and aggregate.property and self.integers.optional(source.kind, aggregate.property)
        stated = f" if s[{place}] is not None" if optional else ""
        return [
            f"stated = [s[{place}] for s in met{stated}]",
            "if stated:",
            f"    extreme = {aggregate.function}(stated)",
            f"    used.update([s[0] for s in met if s[{place}] == extreme])",
            f"    {name} = {self.outputs.decoded('extreme', aggregate.type)}",
            f"else: {name} = None",
        ]
