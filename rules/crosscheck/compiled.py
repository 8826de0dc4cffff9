"""Statements as ready Python functions, one each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.crosscheck.arithmetic import SCOPE, Row
from rules.crosscheck.choice import chooser
from rules.crosscheck.source import Source
from rules.language.model import Aggregate, Case, Give, Kind, Linear, Statement
from rules.trace import Gifts, Ways

Rows = Mapping[str, list[Row]]
Conclude = Callable[[Rows, Callable[[int], Any], Ways, Gifts, Callable[[], None], int], int]
"""Fills ways and gifts, and returns in how many ways conditions held (it stops beyond the limit)."""


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """Is one statement; it concludes nothing where one of the kinds it `needs` has no fact."""

    statement: Statement
    conclude: Conclude
    needs: tuple[str, ...]


class Compiler:
    """Compiles the statements of a pack; all of them share the lookups of facts."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.source = Source(kinds)
        self.kinds = kinds
        self.choosers: list[Callable[[list[Row]], Row]] = []

    def compile(self, statements: list[Statement]) -> list[CompiledStatement]:
        """Returns the statements as functions."""
        texts: list[str] = []
        for number, statement in enumerate(statements):
            head = self.source.begin(f"s{number}")
            _Writer(self, statement).write()
            self.source.end(head)
            texts.append("\n".join(self.source.lines))
            self.source.lines.clear()
        scope: dict[str, Any] = {f"C{i}": value for i, value in enumerate(self.source.constants)}
        scope |= {f"P{i}": choose for i, choose in enumerate(self.choosers)}
        scope |= SCOPE
        # The texts hold numbers and names made here only, never a word of the rule pack. One by one: the
        # syntax tree of all together takes 30 MB, most of which stays with the process.
        for number, text in enumerate(texts):
            exec(compile(text, f"<crosscheck s{number}>", "exec"), scope)  # noqa: S102 # nosec B102
        return [
            CompiledStatement(
                statement, scope[f"s{number}"], tuple(dict.fromkeys(c.kind for c in statement.when))
            )
            for number, statement in enumerate(statements)
        ]


class _Writer:
    """Writes the function of one statement."""

    def __init__(self, compiler: Compiler, statement: Statement) -> None:
        self.compiler, self.source, self.statement = compiler, compiler.source, statement
        self.names: dict[str, str] = {}
        self.kinds: dict[str, str] = {}

    def write(self) -> None:
        statement = self.statement
        match statement.form:
            case "rule":
                inner = self.source.nest(self.names, self.kinds, statement.when, statement.unless, 1)
                self.count(inner)
                self.conclude(0, statement.cases[0], inner)
            case "decision":
                self.decision()
            case "derivation":
                inner = self.source.nest(self.names, self.kinds, statement.when, statement.unless, 1)
                self.derivation(inner)

    def count(self, depth: int, number: str = "1") -> None:
        self.source.write(depth, f"n += {number}")
        self.source.write(depth, "if n > limit: return n")

    # -- decision lists

    def decision(self) -> None:
        """Writes the loop over `each`; the ways of `when` beside it are collected where there are any."""
        write, statement = self.source.write, self.statement
        depth = self.source.nest(self.names, self.kinds, statement.when[:1], (), 1)
        bound = ""
        if len(statement.when) > 1 or statement.unless:
            write(depth, "met = []")
            inner = self.source.nest(self.names, self.kinds, statement.when[1:], statement.unless, depth)
            bound = "".join(f"b{slot}, " for slot in range(1, len(statement.when)))
            self.count(inner)
            write(inner, f"met.append(({bound}))")
            write(depth, "if not met: continue")
        for number, case in enumerate(statement.cases):
            names, kinds = dict(self.names), dict(self.kinds)
            write(depth, "m = n")
            inner = depth
            if bound:
                write(depth, f"for {bound} in met:")
                inner += 1
            inner = self.source.nest(self.names, self.kinds, case.when, case.unless, inner)
            self.count(inner)
            self.conclude(number, case, inner)
            write(depth, "if n > m: continue")
            self.names, self.kinds = names, kinds

    # -- what follows

    def numbers(self) -> str:
        """Returns the numbers of the bound facts, separated by commas."""
        return ", ".join(f"{name}[0]" for name in self.names.values())

    def conclude(self, number: int, case: Case, depth: int) -> None:
        for give in case.then:
            self.grant(give, number, depth, self.values(give), f"{{{self.numbers()}}}")
        if case.finding is None:
            return
        spec, source = case.finding, self.source
        subject = source.expression(spec.subject, self.names, self.kinds, "id") if spec.subject else "None"
        pairs = [
            f"({source.constant(key)}, {source.expression(value, self.names, self.kinds, value.type)})"
            for key, value in sorted(spec.say)
        ]
        said = f"tuple([p for p in ({', '.join(pairs)},) if p[1] is not None])" if pairs else "()"
        source.write(depth, f"k = ({number}, {subject})")
        source.write(depth, "w = ways.get(k)")
        source.write(depth, "if w is None: w = ways[k] = Way(set(), set())")
        source.write(depth, f"w[0].add({said})")
        source.write(depth, f"w[1].update(({self.numbers()},))")

    def values(self, give: Give) -> list[str]:
        """Returns the source of every value of a given fact; aggregates stay open."""
        stated = dict(give.values)
        found: list[str] = []
        for name, prop in self.compiler.kinds[give.kind].properties.items():
            value = stated.get(name)
            if isinstance(value, Linear):
                found.append(self.source.expression(value, self.names, self.kinds, prop.type))
            else:
                found.append(self.source.constant("unknown") if prop.values and value is None else "None")
        return found

    def grant(self, give: Give, case: int, depth: int, values: list[str], support: str) -> None:
        write = self.source.write
        write(depth, f"k = (({self.source.constant(give.kind)}, ({', '.join(values)},)), {case})")
        write(depth, f"if k in gifts: gifts[k] |= {support}")
        write(depth, f"else: gifts[k] = {support}")

    # -- derivations

    def derivation(self, depth: int) -> None:
        source, statement = self.source, self.statement
        if statement.source is None:
            self.count(depth)
            for give in statement.give:
                self.grant(give, 0, depth, self.values(give), f"{{{self.numbers()}}}")
            return
        rows, checks = source.candidates(statement.source, "f", self.names, self.kinds)
        source.write(depth, f"met = [f for f in {rows} if {checks}]" if checks else f"met = {rows}")
        self.count(depth, "len(met)")
        chosen = ""
        if statement.pick:
            chosen = f"P{len(self.compiler.choosers)}"
            places = {name: source.position(statement.source.kind, name) for name in self.of_source()}
            self.compiler.choosers.append(chooser(statement.pick, places))
        bound = self.numbers()
        for give in statement.give:
            self.derived(give, bound, chosen, depth)

    def of_source(self) -> tuple[str, ...]:
        source = self.statement.source
        return tuple(self.compiler.kinds[source.kind].properties) if source else ()

    def derived(self, give: Give, bound: str, chosen: str, depth: int) -> None:
        """Writes one fact of a derivation with `from`."""
        source, aggregates = self.source, [(n, v) for n, v in give.values if isinstance(v, Aggregate)]
        counts = any(value.function in ("count", "exists") for _, value in aggregates)
        if not counts:
            source.write(depth, "if met:")
            depth += 1
        source.write(depth, f"u = {{{bound}}}")
        names, kinds = dict(self.names), dict(self.kinds)
        if counts or not (chosen or aggregates):
            source.write(depth, "u.update([f[0] for f in met])")
        elif chosen:
            source.write(depth, f"c = {chosen}(met) if len(met) > 1 else met[0]")
            source.write(depth, "u.add(c[0])")
            self.bind_chosen("c")
        values = self.values(give)
        properties = list(self.compiler.kinds[give.kind].properties)
        for number, (name, aggregate) in enumerate(aggregates):
            values[properties.index(name)] = self.aggregate(number, aggregate, depth)
        self.grant(give, 0, depth, values, "u")
        self.names, self.kinds = names, kinds

    def bind_chosen(self, name: str) -> None:
        source = self.statement.source
        if source is not None:
            self.names[source.alias], self.kinds[source.alias] = name, source.kind

    def aggregate(self, number: int, aggregate: Aggregate, depth: int) -> str:
        """Writes how an aggregate is found, with the rows it rests on; returns the source of its value."""
        if aggregate.function == "count":
            return "len(met)"
        if aggregate.function == "exists":
            return f"({self.source.constant('yes')} if met else {self.source.constant('no')})"
        source = self.statement.source
        place = self.source.position(source.kind, aggregate.property) if source and aggregate.property else 0
        decimal = ", True" if aggregate.type == "decimal" else ""
        self.source.write(depth, f"v{number} = {aggregate.function}imum(met, {place}, u{decimal})")
        return f"v{number}"
