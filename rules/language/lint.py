"""What makes a pack poor without making it unusable; `vestige rules check` prints it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rules.errors import Problem
from rules.language.model import ALONE, FINDING, Condition, Linear, Missing, Pack, Statement, Test
from rules.language.reach import forestalled, never_given
from rules.language.report import suggestion


def lint_pack(pack: Pack) -> tuple[Problem, ...]:
    """Returns what is missing or unused in a usable pack, in the order of files and lines."""
    found = [*_unused(pack)]
    for statement in pack.statements.values():
        found += _statement(pack, statement)
    return tuple(sorted(set(found)))


def lint_hooks(pack: Pack, known: Collection[str]) -> tuple[Problem, ...]:
    """Returns the hooks that statements name and no service has: there the statement is never heard."""
    found = {
        Problem(
            statement.file, statement.line, f"'{statement.id}' speaks on the unknown hook '{hook}'{meant}"
        )
        for statement in pack.statements.values()
        for spec in statement.finding_specs()
        for hook in spec.hooks
        if hook not in known and hook != "all"
        for meant in (suggestion(hook, known),)
    }
    return tuple(sorted(found))


def _unused(pack: Pack) -> Iterator[Problem]:
    used = {name for statement in pack.statements.values() for name in statement.parameters}
    for name, parameter in pack.parameters.items():
        if name not in used and not parameter.shown:
            message = f"no statement uses the parameter '{name}'; mark it 'shown: true' if facts do"
            yield Problem("parameters.yaml", parameter.line, message)
    read = {condition.kind for statement in pack.statements.values() for condition in statement.conditions()}
    for name, kind in pack.kinds.items():
        if name not in read and name != FINDING and not kind.shown:
            message = f"no statement reads the kind '{name}'; mark it 'shown: true' if something else does"
            yield Problem("facts.yaml", kind.line, message)
    cited = {id_ for statement in pack.statements.values() for id_ in _evidence(statement)}
    for id_, entry in pack.evidence.items():
        if id_ not in cited:
            yield Problem("evidence.yaml", entry.line, f"no statement cites '{id_}'")


def _evidence(statement: Statement) -> tuple[str, ...]:
    return statement.evidence_for + statement.evidence_against


def _statement(pack: Pack, statement: Statement) -> Iterator[Problem]:
    def problem(message: str, line: int = 0) -> Problem:
        return Problem(statement.file, line or statement.line, f"'{statement.id}' {message}")

    if statement.finding_specs():
        if not statement.evidence_for:
            yield problem("has a conclusion and no 'evidence_for' (or 'none-found')")
        if not statement.evidence_against:
            yield problem("has a conclusion and no 'evidence_against' (or 'none-found')")
    tests = statement.tests
    if not tests.positive:
        yield problem("has no positive test")
    if not tests.negative and not always_speaks(statement):
        yield problem("has no negative test")
    for row in tests.negative:
        if not row.given:
            yield problem(f"is silent in the negative test '{row.name}' for want of any fact", row.line)
    for name in sorted(wanted_missing(pack, statement) - {missing_name(entry) for entry in tests.missing}):
        yield problem(f"has no 'missing' test for '{name}'")
    tested = {row.case for row in tests.positive}
    for case in statement.cases:
        if case.id and case.id not in tested and (case.then or case.finding):
            yield problem(f"has no positive test that gives the case '{case.id}'", case.line)
    yield from _unprovable(pack, statement)
    yield from never_given(pack, statement)
    yield from forestalled(statement)


def always_speaks(statement: Statement) -> bool:
    """Tells whether the statement concludes for every `each` fact, so that nothing can make it silent."""
    if len(statement.when) > 1 or statement.unless or statement.when[0].tests:
        return False
    if statement.form == "derivation":
        return statement.source is None or any(
            getattr(value, "function", None) in ("count", "exists")
            for give in statement.give
            for _, value in give.values
        )
    last = statement.cases[-1]
    return (
        statement.form == "decision" and not last.when and not last.unless and bool(last.then or last.finding)
    )


def missing_name(entry: Missing) -> str:
    """Returns `kind.property` or `kind` of a missing entry."""
    return f"{entry.kind}.{entry.property}" if entry.property else entry.kind


def wanted_missing(pack: Pack, statement: Statement) -> set[str]:
    """Returns `kind.property` of all that `when` compares with a constant or a parameter and may be
    unstated."""
    conditions = statement.when + tuple(c for case in statement.cases for c in case.when)
    if statement.source:
        conditions += (statement.source,)
    found: set[str] = set()
    for condition in conditions:
        for test in condition.tests:
            if condition.kind != FINDING and _constant(test) and _may_be_unstated(pack, condition, test):
                found.add(f"{condition.kind}.{test.property}")
    return found


def _constant(test: Test) -> bool:
    return test.operator not in ("present", "absent") and not test.refs


def _may_be_unstated(pack: Pack, condition: Condition, test: Test) -> bool:
    return not pack.kinds[condition.kind].properties[test.property].required


def _unprovable(pack: Pack, statement: Statement) -> Iterator[Problem]:
    """Yields facts of a unique kind whose uniqueness does not follow from the statement's form."""
    for give in statement.given():
        unique = pack.kinds[give.kind].unique
        if unique is None or not statement.when:
            continue
        each = statement.when[0]
        each_unique = pack.kinds[each.kind].unique
        key = dict(give.values).get(unique) if unique != ALONE else None
        proven = each_unique == ALONE or (
            isinstance(key, Linear)
            and len(key.terms) == 1
            and key.terms[0][1].alias == each.alias
            and key.terms[0][1].property == each_unique
        )
        if statement.form == "rule" or not proven:
            what = f"may give two '{give.kind}' for one '{unique}'"
            message = f"'{statement.id}' {what}; no such fact is used when it does"
            yield Problem(statement.file, give.line, message)
