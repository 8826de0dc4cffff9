"""What can only be checked of the whole pack: strata, origins, names of findings, uniqueness, reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from rules.errors import Problem
from rules.language.findings import FAMILIES, INDICATORS
from rules.language.model import (
    ALONE,
    FINDING,
    Condition,
    Give,
    Kind,
    Linear,
    Statement,
    Test,
)
from rules.language.report import suggestion


def check_whole(
    kinds: Mapping[str, Kind], tables: Mapping[str, object], statements: list[Statement], *, thorough: bool
) -> Iterator[Problem]:
    """Yields the problems between statements.

    `thorough` also follows what conditions imply, which misleads where some of them could not be read.
    """
    yield from _Whole(kinds, tables, statements).check(thorough)


class _Whole:
    def __init__(
        self, kinds: Mapping[str, Kind], tables: Mapping[str, object], statements: list[Statement]
    ) -> None:
        self.kinds, self.tables, self.statements = kinds, tables, statements
        self.by_id = {statement.id: statement for statement in statements}
        self.givers: dict[str, list[Statement]] = defaultdict(list)
        for statement in statements:
            for kind in {give.kind for give in statement.given()}:
                self.givers[kind].append(statement)

    def check(self, thorough: bool) -> Iterator[Problem]:
        seen: dict[str, Statement] = {}
        for statement in self.statements:
            first = seen.setdefault(statement.id, statement)
            if first is not statement:
                where = f"{first.file}:{first.line}"
                yield Problem(
                    statement.file,
                    statement.line,
                    f"two statements have the id '{statement.id}' (also {where})",
                )
        folded: dict[str, str] = {}
        for statement in self.statements:
            other = folded.setdefault(statement.id.lower(), statement.id)
            if other != statement.id:
                message = f"the ids '{statement.id}' and '{other}' differ only in capital letters"
                yield Problem(statement.file, statement.line, message)
        for kind, statements in self.givers.items():
            if kind in self.tables:
                for statement in statements:
                    message = f"'{statement.id}' gives '{kind}', which has a table"
                    yield Problem(statement.file, statement.line, message)
        for statement in self.statements:
            for condition in statement.conditions():
                yield from self.origin(statement, condition)
            if thorough:
                yield from self.unreachable(statement)
                yield from self.not_unique(statement)

    def origin(self, statement: Statement, condition: Condition) -> Iterator[Problem]:
        if condition.kind == FINDING:
            yield from self.finding_origin(statement, condition)
            return
        givers = self.givers.get(condition.kind, [])
        if not self.kinds[condition.kind].input and not givers and condition.kind not in self.tables:
            message = f"no statement gives '{condition.kind}', and it is not an input"
            yield Problem(statement.file, condition.line, message)
        for giver in givers:
            if giver.stratum >= statement.stratum:
                yield self.too_high(statement, condition.line, f"'{condition.kind}'", giver)

    def too_high(self, statement: Statement, line: int, what: str, giver: Statement) -> Problem:
        own = f"'{statement.id}' (stratum {statement.stratum})"
        message = (
            f"{own} reads {what}, which '{giver.id}' gives in stratum {giver.stratum}; read lower strata only"
        )
        return Problem(statement.file, line, message)

    def finding_origin(self, statement: Statement, condition: Condition) -> Iterator[Problem]:
        for test in condition.tests:
            words = [word for word in _constants(test) if isinstance(word, str)]
            if test.property == "rule":
                for word in words:
                    yield from self.finding_of(statement, test, word)
            elif test.property in ("case", "conclusion", "family", "indicator"):
                known = self.known(condition, test.property)
                for word in words:
                    if word not in known:
                        message = f"no finding has the {test.property} '{word}'{suggestion(word, known)}"
                        yield Problem(statement.file, test.line, message)

    def finding_of(self, statement: Statement, test: Test, word: str) -> Iterator[Problem]:
        giver = self.by_id.get(word)
        if giver is None:
            known = [one.id for one in self.statements if one.finding_specs()]
            yield Problem(statement.file, test.line, f"unknown rule '{word}'{suggestion(word, known)}")
        elif not giver.finding_specs():
            yield Problem(statement.file, test.line, f"'{word}' makes no findings (it has no 'conclusion')")
        elif giver.stratum >= statement.stratum and test.operator in ("=", "in"):
            yield self.too_high(statement, test.line, "its findings", giver)

    def known(self, condition: Condition, name: str) -> set[str]:
        if name == "indicator":
            return set(INDICATORS)
        if name == "family":
            return set(FAMILIES)
        rules = {word for test in condition.tests if test.property == "rule" for word in _positive(test)}
        found: set[str] = set()
        for statement in self.statements:
            for case in statement.cases:
                if case.finding is None or (rules and statement.id not in rules):
                    continue
                word = case.id if name == "case" else case.finding.conclusion
                found |= {word} if word else set()
        return found

    def unreachable(self, statement: Statement) -> Iterator[Problem]:
        if statement.form != "decision":
            return
        for number, case in enumerate(statement.cases[:-1]):
            if not case.when and not case.unless:
                later = statement.cases[number + 1]
                message = f"case '{later.id}' is never reached: '{case.id}' before it has no conditions"
                yield Problem(statement.file, later.line, message)
                return

    def not_unique(self, statement: Statement) -> Iterator[Problem]:
        """Yields the values that may differ although one fact an `each` is to be given."""
        if statement.form == "rule":
            return
        shared = self.single(statement.when, set())
        if statement.form == "derivation":
            if statement.pick and statement.source:
                shared = shared | {statement.source.alias}
            yield from self.ambiguous(statement, statement.give, shared)
        for case in statement.cases:
            yield from self.ambiguous(statement, case.then, self.single(case.when, shared))

    def ambiguous(self, statement: Statement, gives: tuple[Give, ...], single: set[str]) -> Iterator[Problem]:
        for give in gives:
            for name, expression in give.values:
                aliases = (
                    {ref.alias for _, ref in expression.terms} if isinstance(expression, Linear) else set()
                )
                for alias in sorted(aliases - single):
                    source = statement.source is not None and alias == statement.source.alias
                    hint = "choose one with 'pick'" if source else "it may hold in several ways"
                    message = f"'{give.kind}.{name}' uses '{alias}', of which there may be several; {hint}"
                    yield Problem(statement.file, give.line, message)

    def single(self, conditions: tuple[Condition, ...], known: set[str]) -> set[str]:
        """Returns the known aliases and those of the conditions that at most one fact can fill."""
        found = set(known)
        for condition in conditions:
            if (not found and condition is conditions[0]) or self.determined(condition, found):
                found.add(condition.alias)
        return found

    def determined(self, condition: Condition, single: set[str]) -> bool:
        fixed = {test.property for test in condition.tests if _fixes(test, single)}
        kind = self.kinds[condition.kind]
        if condition.kind != FINDING:
            return kind.unique == ALONE or kind.unique in fixed
        rules = [word for test in condition.tests if test.property == "rule" for word in _positive(test)]
        giver = self.by_id.get(rules[0]) if len(rules) == 1 and "rule" in fixed else None
        if giver is None:
            return False
        no_subject = all(spec.subject is None for spec in giver.finding_specs())
        return (no_subject or "subject" in fixed) and (giver.form == "rule" or "case" in fixed)


def _fixes(test: Test, single: set[str]) -> bool:
    if test.operator != "=" or test.right is None:
        return False
    return all(alias in single for alias in test.other_aliases()) and len(test.refs) == len(
        [ref for ref in test.refs if ref.alias in single]
    )


def _constants(test: Test) -> tuple[object, ...]:
    if test.right is not None:
        return () if test.right.terms else (test.right.literal,)
    return test.choices


def _positive(test: Test) -> list[str]:
    return (
        [word for word in _constants(test) if isinstance(word, str)] if test.operator in ("=", "in") else []
    )
