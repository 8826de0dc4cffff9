"""What changes from one rule pack to another, in the statements and for given patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rules.evaluate import Evaluator
from rules.facts import Fact
from rules.finding import Finding
from rules.language.model import Condition, Pack, Statement, Tests


@dataclass(frozen=True, slots=True)
class FindingChange:
    """Is a finding that one of two packs makes of a patient, or both make differently (None: not made)."""

    patient: str
    before: Finding | None
    after: Finding | None

    @property
    def what(self) -> str:
        """Returns `added`, `removed` or `changed`."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class PackDiff:
    """Is the difference of two packs: ids of statements, names of parameters, and findings."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    parameters: tuple[str, ...]
    findings: tuple[FindingChange, ...]


Patients = Mapping[str, Sequence[Fact]]


def diff(first: Pack, second: Pack, patients: Patients, later: Patients | None = None) -> PackDiff:
    """Returns what the second pack adds, removes and changes; raises FactError for facts that either
    refuses.

    `later` are the facts of the same patients for the second pack, where its parameters have made them
    other than they are for the first.
    """
    before, after = first.statements, second.statements
    both = [id_ for id_ in before if id_ in after]
    changed = [id_ for id_ in both if _meaning(before[id_], first) != _meaning(after[id_], second)]
    names = sorted({*first.parameters, *second.parameters})
    parameters = [n for n in names if _value(first, n) != _value(second, n)]
    return PackDiff(
        tuple(sorted(set(after) - set(before))),
        tuple(sorted(set(before) - set(after))),
        tuple(sorted(changed)),
        tuple(parameters),
        _findings(first, second, patients, patients if later is None else later),
    )


def _meaning(statement: Statement, pack: Pack) -> tuple[object, ...]:
    """Returns what a statement means, without where it is written and how it is tested."""
    kinds = [pack.kinds[condition.kind] for condition in statement.conditions()]
    shapes = [(kind.name, kind.unique, tuple(kind.properties.items())) for kind in kinds]
    return (_unplaced(statement), shapes)


def _unplaced(statement: Statement) -> Statement:
    cases = tuple(
        replace(
            case,
            line=0,
            when=_conditions(case.when),
            unless=_conditions(case.unless),
            then=tuple(replace(give, line=0) for give in case.then),
        )
        for case in statement.cases
    )
    return replace(
        statement,
        file="",
        line=0,
        tests=Tests(),
        when=_conditions(statement.when),
        unless=_conditions(statement.unless),
        source=_conditions((statement.source,))[0] if statement.source else None,
        give=tuple(replace(give, line=0) for give in statement.give),
        cases=cases,
    )


def _conditions(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(
        replace(condition, line=0, tests=tuple(replace(test, line=0, written="") for test in condition.tests))
        for condition in conditions
    )


def _value(pack: Pack, name: str) -> object:
    parameter = pack.parameters.get(name)
    return None if parameter is None else (parameter.value, parameter.unit, parameter.source, parameter.read)


def _findings(first: Pack, second: Pack, patients: Patients, later: Patients) -> tuple[FindingChange, ...]:
    found: list[FindingChange] = []
    with Evaluator(first, mode="reference") as old, Evaluator(second, mode="reference") as new:
        for patient, facts in sorted(patients.items()):
            before, after = _by_subject(old, facts), _by_subject(new, later[patient])
            for at in sorted(
                {*before, *after}, key=lambda at: tuple((part is not None, part or "") for part in at)
            ):
                pair = before.get(at), after.get(at)
                if _content(pair[0]) != _content(pair[1]):
                    found.append(FindingChange(patient, *pair))
    return tuple(found)


def _by_subject(
    evaluator: Evaluator, facts: Sequence[Fact]
) -> dict[tuple[str, str | None, str | None], Finding]:
    findings = evaluator.evaluate(facts).findings
    return {(finding.rule, finding.case, finding.subject): finding for finding in findings}


def _content(finding: Finding | None) -> Finding | None:
    """Returns the finding without the pack's revision, which always differs."""
    return replace(finding, revision="") if finding is not None else None
