"""A third, deliberately plain interpreter of the rule language: nested loops over dictionaries, nothing shared."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

from rules.facts import Fact
from tests.rules.program import Cond, Give, Program, Statement, Test

CODED = ("code", "yesno")


class Naive:
    """Evaluates a program on facts; `findings` and `derived` hold the answer as sets."""

    def __init__(self, program: Program, facts: list[Fact]) -> None:
        self.program = program
        self.facts: list[dict] = []  # {"kind", "values", "sources", "parameters"}
        for fact in facts:
            self.add(fact.kind, dict(fact.values), set(fact.sources), set())
        for kind, rows in program.tables.items():
            for row in rows:
                self.add(kind, dict(row), set(), set())
        self.findings: set = set()
        self.derived: set = set()
        for stratum in sorted({statement.stratum for statement in program.statements}):
            fresh = []
            for statement in program.statements:
                if statement.stratum == stratum:
                    fresh += self.statement(statement)
            for kind, values, support, used in fresh:
                sources = set().union(*(fact["sources"] for fact in support))
                parameters = set(used).union(*(fact["parameters"] for fact in support))
                self.add(kind, values, sources, parameters)

    def add(self, kind: str, values: dict, sources: set, parameters: set) -> None:
        if kind in self.program.kinds:
            for name, prop in self.program.kinds[kind].props.items():
                if prop.type in CODED:
                    values.setdefault(name, "unknown")
        for fact in self.facts:
            if fact["kind"] == kind and fact["values"] == values:
                fact["sources"] |= sources
                fact["parameters"] |= parameters
                return
        self.facts.append({"kind": kind, "values": values, "sources": sources, "parameters": parameters})

    # -- conditions

    def holds(self, test: Test, fact: dict, env: dict[str, dict]) -> bool:
        value = fact["values"].get(test.prop)
        if test.op == "present":
            return value is not None
        if test.op == "absent":
            return value is None
        if value is None:
            return False
        if test.right[0] == "list":
            return (value in test.right[1]) == (test.op == "in")
        other = test.right[1]
        if test.right[0] == "ref":
            _, alias, name, factor, plus, parameter = test.right
            other = (fact if alias == "own" else env[alias])["values"].get(name)
            if other is None:
                return False
            if parameter:
                plus = plus + self.program.parameters[parameter]
            if isinstance(other, datetime.date):
                other = other.toordinal() + plus
                value = value.toordinal()
            elif not isinstance(other, str):
                other = Decimal(factor) * other + plus
        return {
            "=": lambda: value == other,
            "!=": lambda: value != other,
            "<": lambda: value < other,
            "<=": lambda: value <= other,
            ">": lambda: value > other,
            ">=": lambda: value >= other,
        }[test.op]()

    def ways(self, conds: list[Cond], env: dict[str, dict]) -> Iterator[dict[str, dict]]:
        if not conds:
            yield env
            return
        for fact in self.facts:
            if self.meets(conds[0], fact, env):
                yield from self.ways(conds[1:], {**env, conds[0].alias: fact})

    def meets(self, cond: Cond, fact: dict, env: dict[str, dict]) -> bool:
        if fact["kind"] != cond.kind or any(fact is bound for bound in env.values()):
            return False
        return all(self.holds(test, fact, env) for test in cond.tests)

    def allowed(self, unless: list[Cond], env: dict[str, dict]) -> bool:
        return not any(self.meets(cond, fact, env) for cond in unless for fact in self.facts)

    # -- statements

    def statement(self, statement: Statement) -> list[tuple]:
        used = parameters_of(statement)
        base = [env for env in self.ways(statement.when, {}) if self.allowed(statement.unless, env)]
        gifts: dict[tuple, tuple[dict, list]] = {}
        ways: dict[tuple, tuple[set, list, dict]] = {}
        if statement.form == "derivation":
            for env in base:
                for give in statement.give:
                    self.derive(statement, give, env, gifts)
        elif statement.form == "rule":
            for env in base:
                self.conclude(statement, statement.cases[0], env, gifts, ways)
        else:
            for each in self.facts:
                mine = [env for env in base if env[statement.when[0].alias] is each]
                for case in statement.cases:
                    full = [
                        e for env in mine for e in self.ways(case.when, env) if self.allowed(case.unless, e)
                    ]
                    for env in full:
                        self.conclude(statement, case, env, gifts, ways)
                    if full:
                        break
        fresh = []
        for (kind, _, case_id), (values, support) in gifts.items():
            if statement.status == "active":
                fresh.append((kind, dict(values), support, used))
                key = (
                    statement.id,
                    case_id,
                    frozen(kind, values),
                    frozenset(self.frozen(f) for f in support),
                )
                self.derived.add(key)
        for (case_id, subject), (says, support, finding) in ways.items():
            sources = set().union(*(fact["sources"] for fact in support))
            parameters = set(used).union(*(fact["parameters"] for fact in support))
            if statement.status == "active":
                about = {"rule": statement.id, "case": case_id, "subject": subject}
                about |= {"indicator": finding["indicator"], "conclusion": finding["conclusion"]}
                values = {name: value for name, value in about.items() if value is not None}
                fresh.append(("finding", values, support, used))
            self.findings.add(
                (
                    statement.id,
                    case_id,
                    subject,
                    finding["conclusion"],
                    finding["indicator"],
                    statement.status,
                    frozenset(says),
                    frozenset(self.frozen(fact) for fact in support),
                    tuple(sorted(sources)),
                    tuple(sorted(parameters)),
                )
            )
        return fresh

    def conclude(self, statement: Statement, case, env: dict, gifts: dict, ways: dict) -> None:
        support = list(env.values())
        for give in case.then:
            values = {
                name: v
                for name, value in give.values.items()
                if (v := self.output(give, name, value, env)) is not None
            }
            self.gift(give.kind, values, case.id, support, gifts)
        if case.finding:
            subject = env[statement.subject[0]]["values"][statement.subject[1]] if statement.subject else None
            said = frozenset(
                (name, v)
                for name, value in case.finding["say"].items()
                if (v := self.total(value, env)) is not None
            )
            says, facts, _ = ways.setdefault((case.id, subject), (set(), [], case.finding))
            says.add(said)
            facts += [fact for fact in support if not any(fact is other for other in facts)]

    def gift(self, kind: str, values: dict, case_id: str | None, support: list, gifts: dict) -> None:
        for name, prop in self.program.kinds[kind].props.items():
            if prop.type in CODED:
                values.setdefault(name, "unknown")
        _, facts = gifts.setdefault((kind, frozenset(values.items()), case_id), (values, []))
        facts += [fact for fact in support if not any(fact is other for other in facts)]

    def total(self, value: tuple, env: dict):
        if value[0] == "const":
            return value[1]
        total = value[2]
        first = True
        for factor, alias, name in value[1]:
            other = env[alias]["values"].get(name)
            if other is None:
                return None
            if isinstance(other, str):
                return other
            if isinstance(other, datetime.date):
                if len(value[1]) == 1:
                    return datetime.date.fromordinal(other.toordinal() + value[2])
                other = other.toordinal()
            total = total + (int(factor) * other)
            first = False
        assert not first
        return total

    def output(self, give: Give, name: str, value: tuple, env: dict):
        found = self.total(value, env)
        return (
            Decimal(found)
            if self.program.kinds[give.kind].props[name].type == "decimal" and found is not None
            else found
        )

    def derive(self, statement: Statement, give: Give, env: dict, gifts: dict) -> None:
        aggregates = {n: v for n, v in give.values.items() if v[0] in ("min", "max", "count", "exists")}
        counts = any(v[0] in ("count", "exists") for v in aggregates.values())
        support = list(env.values())
        met = None
        if statement.source is not None:
            met = [fact for fact in self.facts if self.meets(statement.source, fact, env)]
            if not met and not counts:
                return
        if statement.pick and met:
            chosen = min(met, key=lambda fact: self.rank(statement, fact))
            env = {**env, statement.source.alias: chosen}
            support.append(chosen)
        elif met and not aggregates:
            support += met
        values = {}
        for name, value in give.values.items():
            if name not in aggregates:
                found = self.output(give, name, value, env)
            elif value[0] == "count":
                found, support = len(met), support + met
            elif value[0] == "exists":
                found, support = ("yes" if met else "no"), support + met
            else:
                stated = [fact["values"][value[1]] for fact in met if value[1] in fact["values"]]
                found = None
                if stated:
                    found = min(stated) if value[0] == "min" else max(stated)
                    support = support + [fact for fact in met if fact["values"].get(value[1]) == found]
                    if self.program.kinds[give.kind].props[name].type == "decimal":
                        found = Decimal(found)
            if found is not None:
                values[name] = found
        unique: list = []
        for fact in support:
            if not any(fact is other for other in unique):
                unique.append(fact)
        self.gift(give.kind, values, None, unique, gifts)

    def rank(self, statement: Statement, fact: dict) -> tuple:
        found: list = []
        for name, order, value in statement.pick:
            own = fact["values"].get(name)
            if order == "is":
                found.append((own != value, 0))
            elif own is None:
                found.append((True, 0))
            else:
                number = own.toordinal() if isinstance(own, datetime.date) else own
                found.append((False, number if order in ("earliest", "smallest") else -number))
        for name in self.program.kinds[fact["kind"]].props:
            own = fact["values"].get(name)
            found.append((own is None, own if own is not None else 0))
        return tuple(found)

    def frozen(self, fact: dict) -> tuple:
        return frozen(fact["kind"], fact["values"])


def frozen(kind: str, values: dict) -> tuple:
    return kind, frozenset(values.items())


def parameters_of(statement: Statement) -> set[str]:
    conds = statement.when + statement.unless + ([statement.source] if statement.source else [])
    conds += [c for case in statement.cases for c in case.when + case.unless]
    return {t.right[5] for c in conds for t in c.tests if t.right and t.right[0] == "ref" and t.right[5]}
