"""The test table of a statement: `positive`, `negative` and `missing`."""

from __future__ import annotations

from collections.abc import Mapping as Table
from typing import Literal

from rules.facts import Value
from rules.language.findings import INDICATORS
from rules.language.model import Kind, Missing, TestCase, Tests
from rules.language.nodes import Mapping, Node, Scalar
from rules.language.registers import read_fact
from rules.language.report import Report
from rules.language.scalars import read_choice, read_text

_GIVES_KEYS = ("case", "facts", "indicator")


def read_tests(report: Report, node: Node, kinds: Table[str, Kind], cases: list[str]) -> Tests:
    """Returns the test table of a statement whose cases have the given ids."""
    mapping = report.mapping(node, "'tests'")
    if mapping is None:
        return Tests()
    parts = report.keys(mapping, "'tests'", ("positive", "negative", "missing"))
    reader = _Reader(report, kinds, cases)
    missing = report.mapping(parts["missing"], "'missing'") if "missing" in parts else None
    if missing is not None and "positive" not in parts:
        report.add(missing, "'missing' starts from the first positive case, and there is none")
    return Tests(
        reader.rows(parts.get("positive"), "positive"),
        reader.rows(parts.get("negative"), "negative"),
        tuple(reader.missing(missing)) if missing else (),
    )


class _Reader:
    def __init__(self, report: Report, kinds: Table[str, Kind], cases: list[str]) -> None:
        self.report, self.kinds, self.cases = report, kinds, cases

    def rows(self, node: Node | None, what: str) -> tuple[TestCase, ...]:
        if node is None:
            return ()
        found = [self.row(item, what) for item in self.report.sequence(node, f"'{what}'")]
        return tuple(row for row in found if row is not None)

    def row(self, node: Node, what: str) -> TestCase | None:
        mapping = self.report.mapping(node, f"a {what} test")
        if mapping is None:
            return None
        known = ("name", "given", "gives") if what == "positive" else ("name", "given")
        parts = self.report.keys(mapping, f"a {what} test", known, ("name", "given"))
        name = read_text(self.report, parts["name"], "'name'") if "name" in parts else None
        given = tuple(self.facts(parts["given"])) if "given" in parts else ()
        gives = self.report.mapping(parts["gives"], "'gives'") if "gives" in parts else None
        if gives is None:
            return TestCase(name or "", given, line=mapping.line)
        wanted = self.report.keys(gives, "'gives'", _GIVES_KEYS)
        return TestCase(
            name or "",
            given,
            self.case(wanted["case"]) if "case" in wanted else None,
            read_choice(self.report, wanted["indicator"], "'indicator'", INDICATORS)
            if "indicator" in wanted
            else None,
            tuple(self.expected(wanted["facts"])) if "facts" in wanted else (),
            mapping.line,
        )

    def facts(self, node: Node) -> list[tuple[str, Table[str, Value]]]:
        found: list[tuple[str, Table[str, Value]]] = []
        for item in self.report.sequence(node, "'given'"):
            entry = self.report.single(item, "a given fact")
            fact = self.fact(*entry, complete=True) if entry else None
            if fact is not None:
                found.append(fact)
        return found

    def fact(self, key: Scalar, body: Node, *, complete: bool) -> tuple[str, Table[str, Value]] | None:
        kind = self.kinds.get(key.text)
        if kind is None:
            self.report.unknown(key, "kind", key.text, self.kinds)
            return None
        if isinstance(body, Scalar) and not body.text and not body.quoted:
            body = Mapping((), body.line)
        return kind.name, read_fact(self.report, body, kind, complete=complete)

    def expected(self, node: Node) -> list[tuple[str, Table[str, Value]]]:
        mapping = self.report.mapping(node, "'facts'")
        found = [self.fact(key, body, complete=False) for key, body in mapping.entries] if mapping else []
        return [fact for fact in found if fact is not None]

    def case(self, node: Node) -> str | None:
        text = read_text(self.report, node, "'case'")
        if text is not None and text not in self.cases:
            self.report.unknown(node, "case", text, self.cases)
        return text

    def missing(self, node: Mapping) -> list[Missing]:
        found: list[Missing] = []
        for key, body in node.entries:
            kind_name, _, prop_name = key.text.partition(".")
            kind = self.kinds.get(kind_name)
            if kind is None:
                self.report.unknown(key, "kind", kind_name, self.kinds)
                continue
            prop = kind.properties.get(prop_name)
            if prop_name and prop is None:
                self.report.unknown(key, f"property of '{kind_name}'", prop_name, kind.properties)
                continue
            if prop is not None and prop.required and not prop.values:
                self.report.add(key, f"'{key.text}' is required, so it is never unstated")
                continue
            expects, case = self.outcome(body)
            found.append(Missing(kind_name, prop_name or None, expects, case, key.line))
        return found

    def outcome(self, node: Node) -> tuple[Literal["silent", "fires"] | None, str | None]:
        if isinstance(node, Mapping):
            parts = self.report.keys(node, "the outcome", ("case",), ("case",))
            return None, self.case(parts["case"]) if "case" in parts else None
        word = read_choice(self.report, node, "the outcome", ("silent", "fires"))
        return ("fires" if word == "fires" else "silent"), None
