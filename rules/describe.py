"""A statement as a person reads it, with its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from rules.facts import Value
from rules.language.model import (
    OWN,
    Aggregate,
    Case,
    Condition,
    Evidence,
    Expression,
    FindingSpec,
    Give,
    Linear,
    Pack,
    Parameter,
    Statement,
    Test,
)
from rules.language.statements import NONE_FOUND

_WORDS = {
    "=": "is",
    "!=": "is stated and is not",
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
    "in": "is one of",
    "not in": "is stated and is none of",
}
_CODED = {"!=": "is not", "not in": "is none of"}
"""A code that nobody stated is `unknown`, which is not any other code."""
_DAYS = {"<": "is before", "<=": "is not after", ">": "is after", ">=": "is not before"}


def describe(statement: Statement, pack: Pack) -> str:
    """Returns title, conditions, conclusion, parameters and evidence of a statement as lines of plain
    text."""
    return "\n".join(_Description(statement, pack).lines())


def describe_condition(condition: Condition, pack: Pack) -> str:
    """Returns one condition in words."""
    kind = pack.kinds[condition.kind]
    head = f"{condition.kind}{' ' + condition.alias if condition.named else ''} ({kind.title})"
    tests = "; ".join(describe_test(condition, test, pack) for test in condition.tests)
    return f"{head}: {tests}" if tests else head


def describe_test(condition: Condition, test: Test, pack: Pack) -> str:
    """Returns one test in words, with the values of its parameters."""
    prop = pack.kinds[condition.kind].properties[test.property]
    if test.operator == "present":
        return f"{prop.name} is stated"
    if test.operator == "absent":
        return f"{prop.name} is not stated"
    if prop.values and test.operator in _CODED:
        words = _CODED[test.operator]
    else:
        words = (_DAYS if prop.type == "date" else {}).get(test.operator, _WORDS[test.operator])
    listed = ", ".join(shown(value) for value in test.choices)
    right = listed if test.right is None else _linear(test.right)
    unit = f" {prop.unit}" if prop.unit and test.right is not None and not test.right.terms else ""
    return f"{prop.name} {words} {right}{unit}"


def shown(value: Value) -> str:
    """Returns a value as it is written in a rule pack."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class _Description:
    def __init__(self, statement: Statement, pack: Pack) -> None:
        self.statement, self.pack = statement, pack

    def lines(self) -> list[str]:
        statement = self.statement
        status = "" if statement.status == "active" else f", {statement.status}"
        found = [
            f"{statement.id}: {statement.title}",
            f"({statement.form}, stratum {statement.stratum}{status})",
            "",
        ]
        found += self.conditions()
        found += self.conclusions()
        for case in statement.cases:
            if case.id is None:
                found += self.concluded(case.then, case.finding, "")
            else:
                found += self.case(case)
        found += self.parameters()
        found += self.evidence("Evidence for", statement.evidence_for)
        found += self.evidence("Evidence against", statement.evidence_against)
        return found

    def conditions(self) -> list[str]:
        statement = self.statement
        rest = statement.when
        found: list[str] = []
        if statement.form != "rule":
            found.append(f"For each {self.condition(rest[0])}")
            rest = rest[1:]
        found += self.listed("where" if found else "When", rest)
        return found + self.listed("unless there is", statement.unless)

    def conclusions(self) -> list[str]:
        statement = self.statement
        found: list[str] = []
        if statement.source:
            found.append(f"from every {self.condition(statement.source)}")
        if statement.pick:
            order = {"is": "is {}", "ascending": "smallest or earliest", "descending": "largest or latest"}
            words = [f"{p.property} {order[p.order].format(p.value)}" for p in statement.pick]
            found.append(f"choosing by: {', then '.join(words)}")
        return found + [self.given(give, "") for give in statement.give]

    def case(self, case: Case) -> list[str]:
        found = [f"Case {case.id}{': ' + case.title if case.title else ''}"]
        found += self.listed("  when", case.when) + self.listed("  unless there is", case.unless)
        if not case.when and not case.unless:
            found.append("  in every other case")
        if not case.then and not case.finding:
            found.append("  then nothing is said")
        return found + self.concluded(case.then, case.finding, "  ")

    def concluded(self, gives: Sequence[Give], finding: FindingSpec | None, indent: str) -> list[str]:
        found = [self.given(give, indent) for give in gives]
        if finding:
            about = f" about {_linear(finding.subject)}" if finding.subject else " about the patient"
            family = f", family {finding.family}" if finding.family else ""
            how = f"{finding.indicator}, {finding.display}{family}; on {', '.join(finding.hooks)}"
            found.append(f"{indent}then '{finding.conclusion}'{about} ({how})")
            found += [f"{indent}  advice: {finding.advice}"] if finding.advice else []
            found += [f"{indent}  must not: {finding.must_not}"] if finding.must_not else []
        return found

    def given(self, give: Give, indent: str) -> str:
        values = ", ".join(f"{name} = {self.expression(value)}" for name, value in give.values)
        return f"{indent}then {give.kind}: {values}"

    def expression(self, value: Expression) -> str:
        if isinstance(value, Aggregate):
            return f"{value.function} of {value.property}" if value.property else value.function
        return _linear(value)

    def condition(self, condition: Condition) -> str:
        return describe_condition(condition, self.pack)

    def listed(self, head: str, conditions: Sequence[Condition]) -> list[str]:
        indent = " " * (len(head) - len(head.lstrip()) + 2)
        return [f"{head}:", *(f"{indent}- {self.condition(c)}" for c in conditions)] if conditions else []

    def parameters(self) -> list[str]:
        names = self.statement.parameters
        return (
            ["", "Parameters:", *(f"  {n}: {_parameter(self.pack.parameters[n])}" for n in names)]
            if names
            else []
        )

    def evidence(self, head: str, ids: Sequence[str]) -> list[str]:
        if not ids:
            return []
        return ["", f"{head}:", *(f"  {self.entry(id_)}" for id_ in ids)]

    def entry(self, id_: str) -> str:
        return "none found" if id_ == NONE_FOUND else f"{id_}: {cited(self.pack.evidence[id_])}"


def cited(entry: Evidence) -> str:
    """Returns the citation of an entry, with what it found where its source was read."""
    if not entry.read:
        return f"{entry.citation} (not read; named only)"
    result = entry.fields.get("result")
    return f"{entry.citation}: {result}" if result else entry.citation


def _parameter(parameter: Parameter) -> str:
    origin = "read in" if parameter.read else "default;"
    site = ", set by this site" if parameter.site else ""
    return (
        f"{parameter.value} {parameter.unit} ({origin} {parameter.source}; from {parameter.valid_from}{site})"
    )


def _linear(value: Linear) -> str:
    """Returns a sum in words; a property of the same fact has no alias."""
    literal = value.literal
    if literal is not None:
        named = f" ({', '.join('$' + name for name in value.parameters)})" if value.parameters else ""
        return shown(literal) + named
    text = ""
    for factor, ref in value.terms:
        name = ref.property if ref.alias == OWN else f"{ref.alias}.{ref.property}"
        product = name if abs(factor) == 1 else f"{abs(factor)} × {name}"
        sign = "-" if factor < 0 else "+"
        text += f" {sign} {product}" if text else f"{'-' if factor < 0 else ''}{product}"
    if value.constant:
        text += f" {'+' if value.constant > 0 else '-'} {abs(value.constant)}"
    return text + (f" ({', '.join('$' + name for name in value.parameters)})" if value.parameters else "")
