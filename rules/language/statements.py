"""statements/*.yaml: rules, derivations and decision lists."""

from __future__ import annotations

import re
from collections.abc import Mapping as Table
from dataclasses import replace
from typing import Literal

from rules.language.conditions import read_condition, read_conditions
from rules.language.findings import CASE_KEYS, STATEMENT_KEYS, case_finding, check_complete, read_finding
from rules.language.model import (
    Case,
    Condition,
    Evidence,
    FindingSpec,
    Kind,
    Parameter,
    Preference,
    Statement,
    Status,
    Tests,
)
from rules.language.nodes import Mapping, Node, Scalar, Sequence
from rules.language.outputs import read_gives, read_pick
from rules.language.report import Report
from rules.language.scalars import read_choice, read_flag, read_name, read_text
from rules.language.scope import Scope
from rules.language.testtables import read_tests

STATUSES: tuple[Status, ...] = ("active", "shadow", "off")
NONE_FOUND = "none-found"
MAX_STRATUM = 99
_STRATUM = re.compile(r"(0|[1-9][0-9]?)\Z")

_COMMON = ("id", "title", "stratum", "status", "tests", "note", "evidence_for", "evidence_against")
_KEYS: dict[str, tuple[str, ...]] = {
    "rule": (*_COMMON, *STATEMENT_KEYS, "when", "unless", "then"),
    "decision": (*_COMMON, *STATEMENT_KEYS, "each", "when", "unless", "cases"),
    "derivation": (*_COMMON, "each", "where", "unless", "from", "pick", "give"),
}
_CASE_KEYS = ("id", "title", "when", "unless", "then", "silent", *CASE_KEYS)


class StatementReader:
    """Reads the statements of one file."""

    def __init__(
        self,
        report: Report,
        kinds: Table[str, Kind],
        parameters: Table[str, Parameter],
        evidence: Table[str, Evidence],
        states: Table[str, str],
    ) -> None:
        self.report, self.kinds, self.parameters = report, kinds, parameters
        self.evidence, self.states = evidence, states

    def read(self, root: Node | None) -> list[Statement]:
        """Returns the statements of a file that could be read; notes what is wrong with the others."""
        top = self.report.mapping(root, self.report.file)
        if top is None:
            return []
        body = self.report.keys(top, self.report.file, ("rules",), ("rules",)).get("rules")
        found = [self._statement(item) for item in self.report.sequence(body, "'rules'")] if body else []
        return [statement for statement in found if statement is not None]

    def _statement(self, item: Node) -> Statement | None:
        node = self.report.mapping(item, "a statement")
        if node is None:
            return None
        names = {key.text for key, _ in node.entries}
        form: Literal["rule", "decision", "derivation"] = "rule"
        if "cases" in names:
            form = "decision"
        elif names & {"give", "from"}:
            form = "derivation"
        parts = self.report.keys(node, f"a {form}", _KEYS[form], ("id", "title", "stratum"))
        id_ = read_name(self.report, parts["id"], "'id'") if "id" in parts else None
        title = read_text(self.report, parts["title"], "'title'") if "title" in parts else None
        scope = Scope(self.report, self.kinds, self.parameters)
        statement = Statement(
            id_ or "?",
            title or "",
            self._stratum(parts.get("stratum")),
            self._status(parts.get("status"), id_),
            form,
            (),
            (),
            file=self.report.file,
            line=node.line,
        )
        statement = getattr(self, f"_{form}")(statement, parts, scope, node)
        statement = replace(
            statement,
            evidence_for=self._evidence(parts.get("evidence_for")),
            evidence_against=self._evidence(parts.get("evidence_against")),
            parameters=tuple(sorted(scope.used)),
        )
        if "tests" in parts:
            cases = [case.id for case in statement.cases if case.id]
            tests: Tests = read_tests(self.report, parts["tests"], self.kinds, cases)
            statement = replace(statement, tests=tests)
        return statement if id_ else None

    def _stratum(self, node: Node | None) -> int:
        if node is None:
            return 0
        text = node.text if isinstance(node, Scalar) else "a collection"
        if not _STRATUM.match(text):
            self.report.add(node, f"'stratum' must be a whole number from 0 to {MAX_STRATUM}, not '{text}'")
            return 0
        return int(text)

    def _status(self, node: Node | None, id_: str | None) -> Status:
        word: str | None = self.states.get(id_ or "")
        if node is not None:
            scalar = (
                Scalar(node.text, True, node.line)
                if isinstance(node, Scalar) and node.text == "off"
                else node
            )
            word = word or read_choice(self.report, scalar, "'status'", STATUSES)
        match word:
            case "shadow" | "off":
                return word
        return "active"

    def _evidence(self, node: Node | None) -> tuple[str, ...]:
        items = () if node is None else node.items if isinstance(node, Sequence) else (node,)
        found: list[str] = []
        for item in items:
            id_ = read_text(self.report, item, "an evidence id")
            if id_ is None:
                continue
            if id_ != NONE_FOUND and id_ not in self.evidence:
                self.report.unknown(item, "evidence id", id_, (*self.evidence, NONE_FOUND))
            elif id_ in found:
                self.report.add(item, f"the evidence '{id_}' is named twice")
            found.append(id_)
        if NONE_FOUND in found and len(found) > 1:
            self.report.add(node or 1, f"'{NONE_FOUND}' stands beside other evidence")
        return tuple(found)

    def _each(self, scope: Scope, parts: dict[str, Node], at: Node) -> Condition | None:
        node = parts.get("each")
        if node is None:
            self.report.add(at, "'each' is missing: the kind of fact it is about, such as 'each: lesion L'")
            return None
        entry = (node, None) if isinstance(node, Scalar) else self.report.single(node, "'each'")
        condition = read_condition(scope, entry[0], entry[1]) if entry else None
        if condition is not None:
            scope.bound[condition.alias] = condition
        return condition

    def _rule(self, statement: Statement, parts: dict[str, Node], scope: Scope, node: Mapping) -> Statement:
        if "when" not in parts:
            self.report.add(node, "a rule needs 'when' (or 'each' with 'cases', or 'each' with 'give')")
        when = read_conditions(scope, parts.get("when"), "'when'", bind=True)
        unless = read_conditions(scope, parts.get("unless"), "'unless'", bind=False)
        then = read_gives(scope, parts["then"], "then") if "then" in parts else ()
        finding = read_finding(scope, parts, statement.title)
        if finding is not None:
            finding = check_complete(scope, finding, f"rule '{statement.id}'", node)
        elif not then and "then" not in parts:
            self.report.add(node, f"rule '{statement.id}' has neither 'then' nor 'conclusion'")
        case = Case(None, None, (), (), then, finding, node.line)
        return replace(statement, when=when, unless=unless, cases=(case,))

    def _derivation(
        self, statement: Statement, parts: dict[str, Node], scope: Scope, node: Mapping
    ) -> Statement:
        each = self._each(scope, parts, node)
        where = read_conditions(scope, parts.get("where"), "'where'", bind=True)
        unless = read_conditions(scope, parts.get("unless"), "'unless'", bind=False)
        source = self._source(scope, parts["from"]) if "from" in parts else None
        inner = scope.inner()
        pick: tuple[Preference, ...] = ()
        if source is not None:
            inner.bound[source.alias] = source
            pick = read_pick(inner, parts["pick"], source) if "pick" in parts else ()
        elif "pick" in parts:
            self.report.add(parts["pick"], "'pick' needs 'from'")
        if "give" not in parts:
            self.report.add(node, f"derivation '{statement.id}' has no 'give'")
        give = read_gives(inner, parts["give"], "give", source) if "give" in parts else ()
        when = ((each,) if each else ()) + where
        return replace(statement, when=when, unless=unless, source=source, pick=pick, give=give)

    def _source(self, scope: Scope, node: Node) -> Condition | None:
        if isinstance(node, Sequence) and len(node.items) == 1:
            node = node.items[0]
        if isinstance(node, Scalar):
            return read_condition(scope, node, None)
        entry = self.report.single(node, "'from'")
        return read_condition(scope, *entry) if entry else None

    def _decision(
        self, statement: Statement, parts: dict[str, Node], scope: Scope, node: Mapping
    ) -> Statement:
        each = self._each(scope, parts, node)
        when = read_conditions(scope, parts.get("when"), "'when'", bind=True)
        unless = read_conditions(scope, parts.get("unless"), "'unless'", bind=False)
        shared = read_finding(scope, parts, statement.title)
        cases: list[Case] = []
        items = self.report.sequence(parts["cases"], "'cases'") if "cases" in parts else ()
        for item in items:
            mapping = self.report.mapping(item, "a case")
            case = self._case(scope.inner(), mapping, shared, statement) if mapping else None
            if case is not None and any(case.id == other.id for other in cases):
                self.report.add(item, f"the case '{case.id}' occurs twice")
            elif case is not None:
                cases.append(case)
        if not items:
            self.report.add(node, f"decision list '{statement.id}' has no cases")
        return replace(statement, when=((each,) if each else ()) + when, unless=unless, cases=tuple(cases))

    def _case(
        self, scope: Scope, node: Mapping, shared: FindingSpec | None, statement: Statement
    ) -> Case | None:
        parts = self.report.keys(node, "a case", _CASE_KEYS, ("id",))
        id_ = read_name(self.report, parts["id"], "the case's 'id'") if "id" in parts else None
        title = read_text(self.report, parts["title"], "the case's 'title'") if "title" in parts else None
        what = f"case '{id_}' of '{statement.id}'"
        when = read_conditions(scope, parts.get("when"), f"'when' of {what}", bind=True)
        unless = read_conditions(scope, parts.get("unless"), f"'unless' of {what}", bind=False)
        then = read_gives(scope, parts["then"], "then") if "then" in parts else ()
        silent = "silent" in parts and read_flag(self.report, parts["silent"], f"'silent' of {what}")
        finding = None if silent else case_finding(scope, shared, parts, title or statement.title)
        if finding is not None:
            finding = check_complete(scope, finding, what, node)
        elif not silent and "then" not in parts:
            self.report.add(node, f"{what} has neither 'then' nor 'conclusion' nor 'silent: true'")
        return Case(id_, title, when, unless, then, finding, node.line) if id_ else None
