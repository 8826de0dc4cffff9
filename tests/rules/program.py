"""Random rule packs: plain structures that can be written as YAML and interpreted without the loader."""

from __future__ import annotations

import datetime
import json
import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from rules.facts import Fact, Value
from rules.language import Pack, load_pack

CODES = ("x", "w", "z")
TEXTS = ("a", "b", "é", "a b", "1", "true", "x'y", 'q"', "Obs-162382", "Obs-379599", "")
DAYS = tuple(datetime.date(2024, 1, 1) + datetime.timedelta(days=n) for n in (0, 1, 2, 30, 365))
INTS = (-3, -1, 0, 1, 2, 3, 10, 10**6)
DECIMALS = tuple(
    Decimal(t) for t in ("0", "1", "1.5", "-1.5", "0.3", "0.000001", "2", "999999.999999", "0.1")
)
FACTORS = ("1", "2", "0.5", "0.7", "1.2", "-1")
SUPPORTED = {"int": INTS, "decimal": DECIMALS, "date": DAYS, "id": TEXTS[:-1]}
ORDER = ("<", "<=", ">", ">=")


@dataclass
class Prop:
    type: str
    required: bool = False


@dataclass
class Kind:
    props: dict[str, Prop]
    input: bool
    unique: str | None = None


@dataclass
class Test:
    """right: ("const", value) | ("list", values) | ("ref", alias, property, factor, plus, parameter) | None"""

    prop: str
    op: str
    right: tuple | None = None

    __test__ = False


@dataclass
class Cond:
    kind: str
    alias: str
    tests: list[Test]


@dataclass
class Give:
    """values: property -> ("const", v) | ("sum", [(factor, alias, prop)], plus) | ("min"|"max", prop) | ("count",) | ("exists",)"""

    kind: str
    values: dict[str, tuple]


@dataclass
class Case:
    id: str | None
    when: list[Cond]
    unless: list[Cond]
    then: list[Give]
    finding: dict | None


@dataclass
class Statement:
    id: str
    form: str
    stratum: int
    status: str
    when: list[Cond]
    unless: list[Cond]
    cases: list[Case] = field(default_factory=list)
    source: Cond | None = None
    pick: list[tuple[str, str, str | None]] = field(default_factory=list)
    give: list[Give] = field(default_factory=list)
    subject: tuple[str, str] | None = None


@dataclass
class Program:
    kinds: dict[str, Kind]
    parameters: dict[str, int | Decimal]
    tables: dict[str, list[dict[str, Value]]]
    statements: list[Statement]


class Maker:
    """Makes one random program, of at most so many statements, and sets of at most so many facts."""

    def __init__(self, rng: random.Random, statements: int = 12, facts: int = 12) -> None:
        self.r, self.most_statements, self.most_facts = rng, statements, facts
        self.kinds: dict[str, Kind] = {}
        self.parameters: dict[str, int | Decimal] = {
            "whole": rng.choice([1, 2, 30]),
            "part": rng.choice(DECIMALS[:6]),
        }
        self.given_at: dict[str, int] = {}
        self.speakers: list[tuple[str, int]] = []

    def program(self) -> Program:
        for number in range(self.r.randint(1, 3)):
            self.kinds[f"in{number}"] = self.kind(True)
        if self.r.random() < 0.6:
            names = ("rule", "case", "subject", "family", "indicator", "conclusion")
            required = ("rule", "indicator", "conclusion")
            self.kinds["finding"] = Kind({name: Prop("id", name in required) for name in names}, False)
        tables: dict[str, list[dict[str, Value]]] = {}
        if self.r.random() < 0.2:
            self.kinds["table"] = self.kind(False)
            tables["table"] = [self.values("table") for _ in range(self.r.randint(1, 3))]
        statements: list[Statement] = []
        stratum = 1
        for number in range(self.r.randint(1, self.most_statements)):
            if self.r.random() < 0.35 and stratum < 99:
                stratum += 1
            statements.append(self.statement(f"R{number}", stratum))
        return Program(self.kinds, self.parameters, tables, statements)

    def kind(self, is_input: bool) -> Kind:
        props = {"key": Prop("id", self.r.random() < 0.7)}
        for number in range(self.r.randint(1, 4)):
            type_ = self.r.choice(["int", "decimal", "date", "id", "code", "yesno"])
            props[f"p{number}"] = Prop(type_, self.r.random() < 0.3)
        unique = None
        if is_input and self.r.random() < 0.3:
            unique = "key"
        return Kind(props, is_input, unique)

    def value(self, type_: str) -> Value:
        if type_ == "code":
            return self.r.choice(CODES + ("unknown",))
        if type_ == "yesno":
            return self.r.choice(("yes", "no", "unknown"))
        return self.r.choice(SUPPORTED[type_])

    def values(self, kind: str) -> dict[str, Value]:
        return {
            name: self.value(prop.type)
            for name, prop in self.kinds[kind].props.items()
            if prop.required or self.r.random() < 0.75
        }

    def readable(self, stratum: int) -> list[str]:
        return [name for name in self.kinds if self.given_at.get(name, -1) < stratum]

    def test(self, kind: str, name: str, bound: list[Cond]) -> Test:
        prop = self.kinds[kind].props[name]
        text = prop.type in ("id", "code", "yesno")
        if not prop.required and prop.type not in ("code", "yesno") and self.r.random() < 0.15:
            return Test(name, self.r.choice(["present", "absent"]))
        if self.r.random() < 0.2:
            values = list(dict.fromkeys(self.value(prop.type) for _ in range(self.r.randint(1, 3))))
            if len(values) == {"code": len(CODES) + 1, "yesno": 3}.get(prop.type):
                values.pop()  # a list of every value is refused
            return Test(name, self.r.choice(["in", "not in"]), ("list", values))
        refs = self.refs(prop, [(c.alias, c.kind) for c in bound] + [("own", kind)], name)
        if refs and self.r.random() < 0.5:
            alias, other = self.r.choice(refs)
            if text:
                return Test(name, self.r.choice(["=", "!="]), ("ref", alias, other, "1", 0, None))
            op = self.r.choice(["=", "!=", *ORDER])
            if prop.type == "date":
                plus = self.r.choice([0, 0, 1, -1, 28])
                return Test(name, op, ("ref", alias, other, "1", plus, self.r.choice([None, "whole"])))
            factor = self.r.choice(FACTORS)
            plus = self.r.choice([0, 0, Decimal("0.5"), -1])
            return Test(name, op, ("ref", alias, other, factor, plus, self.r.choice([None, None, "part"])))
        return Test(
            name,
            self.r.choice(["=", "!="] if text else ["=", "!=", *ORDER]),
            ("const", self.value(prop.type)),
        )

    def refs(self, prop: Prop, bound: list[tuple[str, str]], own: str) -> list[tuple[str, str]]:
        family = _family(prop.type)
        return [
            (alias, name)
            for alias, kind in bound
            for name, other in self.kinds[kind].props.items()
            if _family(other.type) == family and not (alias == "own" and name == own)
        ]

    def condition(self, kind: str, alias: str, bound: list[Cond], joined: bool) -> Cond | None:
        if kind == "finding":
            return self.of_findings(alias, bound, joined)
        names = list(self.kinds[kind].props)
        self.r.shuffle(names)
        tests: list[Test] = []
        if joined:
            keys = [
                (name, alias_, other)
                for name in names
                for alias_, other in self.refs(
                    self.kinds[kind].props[name], [(c.alias, c.kind) for c in bound], ""
                )
            ]
            if not keys:
                return None
            name, alias_, other = self.r.choice(keys)
            tests.append(Test(name, "=", ("ref", alias_, other, "1", 0, None)))
            names.remove(name)
        for name in names[: self.r.choice([0, 0, 1, 1, 2])]:
            tests.append(self.test(kind, name, bound))
        return Cond(kind, alias, tests)

    def of_findings(self, alias: str, bound: list[Cond], joined: bool) -> Cond | None:
        tests: list[Test] = []
        below = [id_ for id_, stratum in self.speakers if stratum < self.stratum]
        if below and self.r.random() < 0.6:
            tests.append(Test("rule", "=", ("const", self.r.choice(below))))
        if self.r.random() < 0.3:
            tests.append(Test("indicator", self.r.choice(["in", "not in"]), ("list", ["info", "critical"])))
        if joined and not (tests and tests[0].prop == "rule" and self.r.random() < 0.5):
            keys = self.refs(Prop("id"), [(c.alias, c.kind) for c in bound], "")
            if not keys:
                return None
            tests.append(Test("subject", "=", ("ref", *self.r.choice(keys), "1", 0, None)))
        elif self.r.random() < 0.3:
            tests.append(Test("subject", self.r.choice(["present", "absent"])))
        return Cond("finding", alias, tests)

    def conditions(self, stratum: int, bound: list[Cond], count: int, prefix: str) -> list[Cond]:
        found: list[Cond] = []
        for number in range(count):
            before = bound + found
            cond = self.condition(
                self.r.choice(self.readable(stratum)), f"{prefix}{number}", before, bool(before)
            )
            if cond is not None:
                found.append(cond)
        return found

    def negatives(self, stratum: int, bound: list[Cond], prefix: str) -> list[Cond]:
        found: list[Cond] = []
        for number in range(self.r.choice([0, 0, 1, 1, 2])):
            kind = self.r.choice(self.readable(stratum))
            if self.r.random() < 0.2:
                cond = self.condition(kind, f"{prefix}{number}", [], False)
            else:
                cond = self.condition(kind, f"{prefix}{number}", bound, True)
            if cond is not None:
                found.append(cond)
        return found

    def statement(self, id_: str, stratum: int) -> Statement:
        form = self.r.choice(["rule", "rule", "decision", "derivation", "derivation"])
        status = self.r.choice(["active"] * 6 + ["shadow", "off"])
        self.stratum = stratum
        made = getattr(self, form)(id_, stratum, status)
        if any(case.finding for case in made.cases):
            self.speakers.append((id_, stratum))
        return made

    def rule(self, id_: str, stratum: int, status: str) -> Statement:
        when = self.conditions(stratum, [], self.r.choice([1, 1, 2, 2, 3]), "A")
        unless = self.negatives(stratum, when, "N")
        finding = self.finding(when) if self.r.random() < 0.6 else None
        then = [self.give(id_, stratum, when)] if finding is None or self.r.random() < 0.4 else []
        case = Case(None, [], [], then, finding)
        return Statement(
            id_, "rule", stratum, status, when, unless, [case], subject=self.subject(when, finding)
        )

    def decision(self, id_: str, stratum: int, status: str) -> Statement:
        when = self.conditions(stratum, [], self.r.choice([1, 1, 1, 2]), "A")
        unless = self.negatives(stratum, when, "N")
        cases: list[Case] = []
        speaks = self.r.random() < 0.6
        target: Give | None = None
        for number in range(self.r.randint(1, 4)):
            own = self.conditions(stratum, when, self.r.choice([0, 1, 1, 2]), f"C{number}x")
            negatives = self.negatives(stratum, when + own, f"D{number}x")
            if not own and not negatives and number < 3 and self.r.random() < 0.7:
                own = self.conditions(stratum, when, 1, f"C{number}y")
            finding = self.finding(when + own) if speaks and self.r.random() < 0.8 else None
            then = []
            if finding is None or self.r.random() < 0.5:
                target = self.give(id_, stratum, when[:1], target.kind if target else None)
                then = [target]
            cases.append(Case(f"k{number}", own, negatives, then, finding))
            if not own and not negatives:
                break
        subject = self.subject(
            when[:1], cases[0].finding or (cases and next((c.finding for c in cases if c.finding), None))
        )
        return Statement(id_, "decision", stratum, status, when, unless, cases, subject=subject)

    def derivation(self, id_: str, stratum: int, status: str) -> Statement:
        when = self.conditions(stratum, [], self.r.choice([1, 1, 1, 2]), "A")
        unless = self.negatives(stratum, when, "N")
        kind = self.r.choice(self.readable(stratum))
        source = self.condition(kind, "S", when, self.r.random() < 0.8) if self.r.random() < 0.9 else None
        pick: list[tuple[str, str, str | None]] = []
        if source is not None and self.r.random() < 0.5:
            for name, prop in list(self.kinds[kind].props.items())[: self.r.randint(1, 3)]:
                if prop.type in ("code", "yesno"):
                    pick.append((name, "is", self.value(prop.type)))
                elif prop.type == "date":
                    pick.append((name, self.r.choice(["latest", "earliest"]), None))
                elif prop.type != "id":
                    pick.append((name, self.r.choice(["largest", "smallest"]), None))
        give = self.derived_give(id_, stratum, when[:1], source, pick)
        return Statement(
            id_, "derivation", stratum, status, when, unless, source=source, pick=pick, give=[give]
        )

    def finding(self, bound: list[Cond]) -> dict:
        says = {}
        for number in range(self.r.choice([0, 1, 2])):
            cond = self.r.choice(bound)
            name = self.r.choice(list(self.kinds[cond.kind].props))
            says[f"say{number}"] = ("sum", [("1", cond.alias, name)], 0)
        return {
            "conclusion": f"c{self.r.randint(0, 3)}",
            "indicator": self.r.choice(["info", "warning", "critical"]),
            "say": says,
        }

    def subject(self, bound: list[Cond], finding: dict | None) -> tuple[str, str] | None:
        sure = [
            (c.alias, name)
            for c in bound
            for name, prop in self.kinds[c.kind].props.items()
            if prop.type == "id"
            and (prop.required or any(t.prop == name and t.op != "absent" for t in c.tests))
        ]
        return self.r.choice(sure) if finding and sure and self.r.random() < 0.8 else None

    def new_kind(self, id_: str, stratum: int, wanted: str | None) -> str:
        if wanted:
            return wanted
        same = [name for name, at in self.given_at.items() if at >= stratum and not self.kinds[name].input]
        if same and self.r.random() < 0.2:
            name = self.r.choice(same)
            self.given_at[name] = max(stratum, self.given_at[name])
            return name
        name = f"out{id_}"
        self.given_at[name] = stratum
        self.kinds[name] = self.kind(False)
        for prop in self.kinds[name].props.values():
            prop.required = False
        return name

    def give(self, id_: str, stratum: int, bound: list[Cond], wanted: str | None = None) -> Give:
        kind = self.new_kind(id_, stratum, wanted)
        values = {
            name: value
            for name, prop in self.kinds[kind].props.items()
            if (value := self.output(prop, bound))
        }
        return Give(kind, values)

    def output(self, prop: Prop, bound: list[Cond]) -> tuple | None:
        refs = self.refs(prop, [(c.alias, c.kind) for c in bound], "")
        kinds = {c.alias: c.kind for c in bound}
        if prop.type in ("code", "yesno"):
            refs = [(a, n) for a, n in refs if self.kinds[kinds[a]].props[n].type == prop.type]
        if prop.type == "int":
            refs = [(a, n) for a, n in refs if self.kinds[kinds[a]].props[n].type == "int"]
        roll = self.r.random()
        if roll < 0.15:
            return None
        if not refs or roll < 0.35:
            return ("const", self.value(prop.type))
        alias, name = self.r.choice(refs)
        if prop.type in ("int", "decimal") and roll > 0.8:
            other = self.r.choice(refs)
            return ("sum", [("2", alias, name), (self.r.choice(["1", "-1"]), *other)], self.r.choice([0, 3]))
        if prop.type == "date" and roll > 0.8:
            return ("sum", [("1", alias, name)], self.r.choice([5, -2]))
        if prop.type == "int" and roll > 0.7:
            days = [
                (c.alias, n) for c in bound for n, p in self.kinds[c.kind].props.items() if p.type == "date"
            ]
            if days:
                return ("sum", [("1", *self.r.choice(days)), ("-1", *self.r.choice(days))], 0)
        return ("sum", [("1", alias, name)], 0)

    def derived_give(self, id_: str, stratum: int, each: list[Cond], source: Cond | None, pick: list) -> Give:
        kind = self.new_kind(id_, stratum, None)
        counts = source is not None and self.r.random() < 0.3
        bound = each + ([source] if source is not None and pick and not counts else [])
        values: dict[str, tuple] = {}
        for name, prop in self.kinds[kind].props.items():
            if counts and prop.type == "int":
                values[name] = ("count",)
            elif counts and prop.type == "yesno":
                values[name] = ("exists",)
            elif source is not None and prop.type in ("int", "decimal", "date") and self.r.random() < 0.6:
                types = ("int", "decimal") if prop.type == "decimal" else (prop.type,)
                names = [n for n, p in self.kinds[source.kind].props.items() if p.type in types]
                if names:
                    values[name] = (self.r.choice(["min", "max"]), self.r.choice(names))
            if name not in values and (value := self.output(prop, bound)):
                values[name] = value
        return Give(kind, values)

    def facts(self, program: Program) -> list[Fact]:
        kinds = [name for name, kind in program.kinds.items() if kind.input]
        found: list[Fact] = []
        seen: dict[tuple, dict] = {}
        for number in range(self.r.randint(0, self.most_facts)):
            kind = self.r.choice(kinds)
            values = self.values(kind)
            if program.kinds[kind].unique:
                mark = (kind, values.get("key"))
                if seen.setdefault(mark, values) != values:
                    continue
            found.append(Fact(kind, values, (f"t{number}",)))
        return found


def _family(type_: str) -> str:
    return {"int": "number", "decimal": "number", "date": "date"}.get(type_, "text")


# ---------------------------------------------------------------- as YAML


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def plain(value: Value) -> str:
    if isinstance(value, str):
        return quoted(value)
    return (
        value.isoformat()
        if isinstance(value, datetime.date)
        else f"{value:f}"
        if isinstance(value, Decimal)
        else str(value)
    )


def inside(value: Value) -> str:
    return value if isinstance(value, str) else plain(value)


def _sum(factor: str, alias: str, prop: str, plus: int | Decimal, parameter: str | None = None) -> str:
    text = f"{alias}.{prop}" if factor == "1" else f"{factor} * {alias}.{prop}"
    if plus:
        text += f" {'+' if plus > 0 else '-'} {abs(plus)}"
    return text + (f" + ${parameter}" if parameter else "")


def test_text(test: Test) -> str:
    if test.right is None:
        return test.op
    if test.right[0] == "list":
        if test.op == "in":
            return "[" + ", ".join(plain(v) for v in test.right[1]) + "]"
        return quoted(f"not in [{', '.join(inside(v) for v in test.right[1])}]")
    if test.right[0] == "ref":
        _, alias, prop, factor, plus, parameter = test.right
        return quoted(f"{test.op} {_sum(factor, alias, prop, plus, parameter)}")
    if test.op == "=":
        return plain(test.right[1])
    return quoted(f"{test.op} {inside(test.right[1])}")


def cond_text(cond: Cond) -> str:
    body = ", ".join(f"{test.prop}: {test_text(test)}" for test in cond.tests)
    return f"{{{cond.kind} {cond.alias}: {{{body}}}}}"


def value_text(value: tuple, source: str) -> str:
    if value[0] == "const":
        return plain(value[1])
    if value[0] == "sum":
        text = " + ".join(_sum(factor, alias, prop, 0) for factor, alias, prop in value[1]).replace(
            "+ -1 * ", "- "
        )
        return quoted(
            f"= {text}" + (f" + {value[2]}" if value[2] > 0 else f" - {-value[2]}" if value[2] else "")
        )
    return f"{value[0]} {source}.{value[1]}" if len(value) > 1 else value[0]


def give_text(gives: list[Give], source: str = "S") -> str:
    facts = [
        f"{give.kind}: {{{', '.join(f'{n}: {value_text(v, source)}' for n, v in give.values.items())}}}"
        for give in gives
    ]
    return "{" + ", ".join(facts) + "}"


def finding_text(finding: dict) -> list[str]:
    say = ", ".join(f"{name}: {value_text(value, 'S')}" for name, value in finding["say"].items())
    lines = [f"conclusion: {finding['conclusion']}", f"indicator: {finding['indicator']}"]
    return [*lines, f"say: {{{say}}}"] if say else lines


def statement_text(statement: Statement) -> str:
    lines = [
        f"id: {statement.id}",
        "title: Made up",
        f"stratum: {statement.stratum}",
    ]
    listed = lambda conds: "[" + ", ".join(cond_text(c) for c in conds) + "]"  # noqa: E731
    if statement.form == "rule":
        lines.append(f"when: {listed(statement.when)}")
    else:
        lines.append(f"each: {cond_text(statement.when[0])}")
        if statement.when[1:]:
            lines.append(
                f"{'when' if statement.form == 'decision' else 'where'}: {listed(statement.when[1:])}"
            )
    if statement.unless:
        lines.append(f"unless: {listed(statement.unless)}")
    speaks = any(case.finding for case in statement.cases)
    if statement.subject:
        lines.append(f"subject: {quoted('= ' + '.'.join(statement.subject))}")
    if speaks:
        lines.append("hooks: [all]")
    if statement.form == "rule":
        case = statement.cases[0]
        lines += [f"then: {give_text(case.then)}"] if case.then else []
        lines += finding_text(case.finding) if case.finding else []
    elif statement.form == "decision":
        lines.append("cases:")
        for case in statement.cases:
            own = [f"id: {case.id}"]
            own += [f"when: {listed(case.when)}"] if case.when else []
            own += [f"unless: {listed(case.unless)}"] if case.unless else []
            own += [f"then: {give_text(case.then)}"] if case.then else []
            own += finding_text(case.finding) if case.finding else ["silent: true"]
            lines.append("  - " + "\n    ".join(own))
    else:
        if statement.source:
            lines.append(f"from: {cond_text(statement.source)}")
        if statement.pick:
            words = [
                f"S.{name} {order}{' ' + value if value else ''}" for name, order, value in statement.pick
            ]
            lines.append(f"pick: [{', '.join(quoted(w) for w in words)}]")
        lines.append(f"give: {give_text(statement.give)}")
    return "  - " + "\n".join(lines).replace("\n", "\n    ")


def loaded(program: Program, folder: Path) -> Pack:
    """Writes the program and returns it loaded.

    The states are put in afterwards: a pack may not take a statement out of force that others rest on, and
    the evaluations must be right there too.
    """
    write(program, folder)
    return in_state(load_pack(folder), {one.id: one.status for one in program.statements})


def in_state(pack: Pack, states: dict[str, str]) -> Pack:
    """Returns the pack with statements in other states, whoever rests on them."""
    statements = {
        id_: replace(one, status=states.get(id_, one.status))  # type: ignore[arg-type]
        for id_, one in pack.statements.items()
    }
    return replace(pack, statements=statements)


def write(program: Program, folder: Path) -> None:
    """Writes the program as a rule pack."""
    (folder / "statements").mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text('id: random\ntitle: A random pack\nversion: "0"\n')
    kinds = ["kinds:"]
    for name, kind in program.kinds.items():
        if name == "finding":
            continue
        kinds.append(f"  {name}:\n    title: Made up\n    input: {'true' if kind.input else 'false'}")
        kinds += [f"    unique: {kind.unique}"] if kind.unique else []
        kinds.append("    properties:")
        for prop_name, prop in kind.props.items():
            values = f", values: [{', '.join(CODES)}]" if prop.type == "code" else ""
            kinds.append(
                f"      {prop_name}: {{type: {prop.type}, required: {'true' if prop.required else 'false'}{values}}}"
            )
    (folder / "facts.yaml").write_text("\n".join(kinds) + "\n")
    parameters = ["parameters:"]
    for name, number in program.parameters.items():
        parameters.append(
            f'  {name}: {{value: {plain(number)}, unit: "1", valid-from: 2026-01-01, source: none, default: true}}'
        )
    (folder / "parameters.yaml").write_text("\n".join(parameters) + "\n")
    if program.tables:
        rows = ["tables:"]
        for name, table in program.tables.items():
            rows.append(f"  {name}:")
            rows += ["    - {" + ", ".join(f"{k}: {plain(v)}" for k, v in row.items()) + "}" for row in table]
        (folder / "tables.yaml").write_text("\n".join(rows) + "\n")
    text = "rules:\n" + "\n".join(statement_text(statement) for statement in program.statements) + "\n"
    (folder / "statements" / "all.yaml").write_text(text)
