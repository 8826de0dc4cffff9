"""The test tables inside a pack, run through both evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rules.errors import EngineFault, FactError, RulesError
from rules.evaluate import Evaluator
from rules.evaluation import Evaluation
from rules.facts import Fact, Value
from rules.language.lint import missing_name
from rules.language.model import UNKNOWN, Missing, Pack, Statement, TestCase

Given = Sequence[tuple[str, Mapping[str, Value]]]


@dataclass(frozen=True, slots=True)
class TestResult:
    """Is the outcome of one row of a test table; `message` says what was wanted and what came."""

    statement: str
    table: Literal["positive", "negative", "missing"]
    name: str
    passed: bool
    message: str
    file: str
    line: int

    __test__ = False


def run_tests(pack: Pack, statement_id: str | None = None) -> tuple[TestResult, ...]:
    """Returns the results of one statement's tests, or of all; raises RulesError for an unknown statement."""
    if statement_id is not None and statement_id not in pack.statements:
        raise RulesError(f"there is no statement '{statement_id}'")
    chosen = pack.statements.values() if statement_id is None else (pack.statements[statement_id],)
    return tuple(result for statement in chosen for result in _Table(pack, statement).results())


class _Table:
    def __init__(self, pack: Pack, statement: Statement) -> None:
        self.pack = pack
        # A statement that is switched off is tested all the same.
        self.statement = replace(statement, status="active")

    def results(self) -> list[TestResult]:
        """Returns the result of every row."""
        tests = self.statement.tests
        if not (tests.positive or tests.negative or tests.missing):
            return []
        with Evaluator.alone(self.pack, (self.statement,)) as evaluator:
            found = [self.positive(evaluator, row) for row in tests.positive]
            found += [self.negative(evaluator, row) for row in tests.negative]
            found += [self.missing(evaluator, entry) for entry in tests.missing]
        return found

    def positive(self, evaluator: Evaluator, row: TestCase) -> TestResult:
        evaluation, fault = self.evaluate(evaluator, row.given)
        return self.result("positive", row.name, row.line, fault or _positive_fault(evaluation, row))

    def negative(self, evaluator: Evaluator, row: TestCase) -> TestResult:
        evaluation, fault = self.evaluate(evaluator, row.given)
        return self.result(
            "negative", row.name, row.line, fault or _outcome_fault(evaluation, "silent", None)
        )

    def missing(self, evaluator: Evaluator, entry: Missing) -> TestResult:
        positive = self.statement.tests.positive
        given = self.without(positive[0].given, entry) if positive else ()
        evaluation, fault = self.evaluate(evaluator, given)
        fault = fault or _outcome_fault(evaluation, entry.expects, entry.case)
        return self.result("missing", missing_name(entry), entry.line, fault)

    def without(self, given: Given, entry: Missing) -> Given:
        """Returns the facts without a kind, or with a property of its facts unstated."""
        if entry.property is None:
            return [(kind, values) for kind, values in given if kind != entry.kind]
        prop = self.pack.kinds[entry.kind].properties[entry.property]
        changed: list[tuple[str, Mapping[str, Value]]] = []
        for kind, values in given:
            if kind == entry.kind:
                values = {name: value for name, value in values.items() if name != prop.name}
                if prop.required:
                    values = {**values, prop.name: UNKNOWN}
            changed.append((kind, values))
        return changed

    def evaluate(self, evaluator: Evaluator, given: Given) -> tuple[Evaluation | None, str]:
        """Returns the evaluation, or why there is none that both engines stand for.

        The rows of a table stand in where the test gives no fact of its kind.
        """
        stated = {kind for kind, _ in given}
        rows = [
            Fact(kind, row) for kind, table in self.pack.tables.items() if kind not in stated for row in table
        ]
        try:
            evaluation = evaluator.evaluate([*rows, *(Fact(kind, values) for kind, values in given)])
        except (FactError, EngineFault) as error:
            return None, str(error)
        if evaluation.alarms:
            return None, "; ".join(alarm.message for alarm in evaluation.alarms)
        return evaluation, ""

    def result(
        self, table: Literal["positive", "negative", "missing"], name: str, line: int, fault: str
    ) -> TestResult:
        return TestResult(self.statement.id, table, name, not fault, fault, self.statement.file, line)


def _positive_fault(evaluation: Evaluation | None, row: TestCase) -> str:
    fault = _outcome_fault(evaluation, None if row.case else "fires", row.case)
    if fault or evaluation is None:
        return fault
    indicators = {finding.indicator for finding in evaluation.findings}
    if row.indicator and row.indicator not in indicators:
        return f"wanted a finding of '{row.indicator}', came {_listed(indicators)}"
    for kind, values in row.facts:
        given = [dict(derived.fact.values) for derived in evaluation.facts if derived.fact.kind == kind]
        if not any(all(fact.get(name) == value for name, value in values.items()) for fact in given):
            return (
                f"wanted {kind} {_shown(values)}, came {'; '.join(_shown(fact) for fact in given) or 'none'}"
            )
    return ""


def _outcome_fault(evaluation: Evaluation | None, expects: str | None, case: str | None) -> str:
    if evaluation is None:
        return "there is no evaluation"
    cases = {finding.case for finding in evaluation.findings} | {derived.case for derived in evaluation.facts}
    fired = bool(evaluation.findings or evaluation.facts)
    if expects == "silent" and fired:
        return f"wanted silence, came {_concluded(evaluation)}"
    if expects == "fires" and not fired:
        return "wanted a conclusion, came none"
    if case is not None and case not in cases:
        return f"wanted the case '{case}', came {_listed(cases)}"
    return ""


def _concluded(evaluation: Evaluation) -> str:
    found = [f"finding '{finding.conclusion}'" for finding in evaluation.findings]
    found += [f"{derived.fact.kind} {_shown(derived.fact.values)}" for derived in evaluation.facts]
    return "; ".join(found)


def _listed(words: set[str | None] | set[str]) -> str:
    return ", ".join(sorted(f"'{word}'" for word in words if word)) or "none"


def _shown(values: Mapping[str, Value]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in sorted(values.items())) + "}"
