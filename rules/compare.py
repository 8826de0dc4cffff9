"""What changes from one rule pack to another, in the statements and for given patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rules.evaluate import Evaluator
from rules.evaluation import Evaluation
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
    """Is the difference of two packs: ids of statements, names of parameters, findings, and all the rest.

    `registers` are the kinds, tables, sources and files that differ, as they are named in the pack; `facts`
    the patients with the kinds of facts that something outside the rules reads and that are given otherwise.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    parameters: tuple[str, ...]
    findings: tuple[FindingChange, ...]
    registers: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


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
        *_told(first, second, patients, patients if later is None else later),
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
    return None if parameter is None else replace(parameter, line=0, site=False)


def _registers(first: Pack, second: Pack) -> tuple[str, ...]:
    """Returns the kinds, tables, sources and other files that differ."""
    found = [f"kind {name}" for name in _differing(_kinds(first), _kinds(second))]
    found += [f"table {name}" for name in _differing(_tables(first), _tables(second))]
    found += [f"evidence {name}" for name in _differing(_sources(first), _sources(second))]
    found += [f"file {name}" for name in _differing(_files(first), _files(second))]
    return tuple(found)


def _differing(first: Mapping[str, object], second: Mapping[str, object]) -> list[str]:
    return sorted(name for name in {*first, *second} if first.get(name) != second.get(name))


def _kinds(pack: Pack) -> dict[str, object]:
    return {name: (replace(kind, line=0), tuple(kind.properties)) for name, kind in pack.kinds.items()}


def _tables(pack: Pack) -> dict[str, object]:
    return {name: sorted(repr(sorted(row.items())) for row in rows) for name, rows in pack.tables.items()}


def _sources(pack: Pack) -> dict[str, object]:
    return {id_: replace(entry, line=0) for id_, entry in pack.evidence.items()}


def _files(pack: Pack) -> dict[str, object]:
    """Returns the files that the rules are not made of: what cards say, and what the pack promises."""
    named = [pack.folder / name for name in ("pack.yaml", "catalogue.yaml")]
    paths = [*named, *(pack.folder / "text").rglob("*.yaml")]
    return {path.relative_to(pack.folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def _told(
    first: Pack, second: Pack, patients: Patients, later: Patients
) -> tuple[tuple[FindingChange, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Returns the findings, the registers and the facts that differ."""
    found: list[FindingChange] = []
    facts: list[tuple[str, str]] = []
    kinds = sorted({kind.name for pack in (first, second) for kind in pack.kinds.values() if kind.shown})
    with Evaluator(first, mode="reference") as old, Evaluator(second, mode="reference") as new:
        for patient, given in sorted(patients.items()):
            one, other = old.evaluate(given), new.evaluate(later[patient])
            before, after = _by_subject(one), _by_subject(other)
            for at in sorted({*before, *after}, key=_order):
                pair = before.get(at), after.get(at)
                if _content(pair[0]) != _content(pair[1]):
                    found.append(FindingChange(patient, *pair))
            facts += [(patient, kind) for kind in kinds if _values(one, kind) != _values(other, kind)]
    return tuple(found), _registers(first, second), tuple(facts)


def _order(at: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((part is not None, part or "") for part in at)


def _values(evaluation: Evaluation, kind: str) -> list[str]:
    """Returns the facts of a kind, in an order that does not depend on the statements."""
    return sorted(repr(sorted(values.items())) for values in evaluation.values(kind))


def _by_subject(evaluation: Evaluation) -> dict[tuple[str, str | None, str | None], Finding]:
    return {(finding.rule, finding.case, finding.subject): finding for finding in evaluation.findings}


def _content(finding: Finding | None) -> Finding | None:
    """Returns the finding without the pack's revision, which always differs."""
    return replace(finding, revision="") if finding is not None else None
