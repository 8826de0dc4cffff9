"""Why a finding was made, down to the sources; why one was not, up to the first condition that failed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.admission import as_fact
from rules.describe import describe_condition, describe_test, shown
from rules.errors import RulesError
from rules.evaluate import Evaluator
from rules.evaluation import Derived, Evaluation
from rules.facts import Fact, Value
from rules.finding import Finding
from rules.language.model import FINDING, OWN, Aggregate, Condition, Linear, Pack, Statement, Test
from rules.whynot import CaseWhyNot, Failed, WhyNot

Bindings = Mapping[str, Fact]

LESION = "lesion"
"""The kind whose `id`, and the property of other kinds, that names what most findings are about."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Is a fact in the chain below a finding: who gave it (None: an input), and what that rests on.

    Where several rules gave the same fact, `rule` names all of them, and it rests on what any of them read.
    """

    fact: Fact
    rule: str | None
    case: str | None
    rests_on: tuple[Reason, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Returns the tokens behind the fact."""
        return self.fact.sources


@dataclass(frozen=True, slots=True)
class Why:
    """Is one finding with the tree of facts it rests on."""

    finding: Finding
    rests_on: tuple[Reason, ...]


def why(evaluation: Evaluation, subject: str | None) -> tuple[Why, ...]:
    """Returns the findings about a subject (None: about the patient), each with the tree below it."""
    givers: dict[Fact, list[Derived]] = {}
    for derived in evaluation.facts:
        givers.setdefault(derived.fact, []).append(derived)
    tree = _Tree(evaluation, givers)
    return tuple(
        Why(finding, tuple(tree.reason(fact) for fact in finding.facts))
        for finding in evaluation.findings
        if finding.subject == subject
    )


class _Tree:
    def __init__(self, evaluation: Evaluation, givers: Mapping[Fact, Sequence[Derived]]) -> None:
        self.evaluation, self.givers = evaluation, givers

    def reason(self, fact: Fact) -> Reason:
        if fact.kind == FINDING:
            return self.of_finding(fact)
        givers = self.givers.get(fact, ())
        if not givers:
            return Reason(fact, None, None, ())
        below = dict.fromkeys(support for derived in givers for support in derived.support)
        rules = tuple(dict.fromkeys(derived.rule for derived in givers))
        cases = {derived.case for derived in givers}
        case = next(iter(cases)) if len(rules) == len(cases) == 1 else None
        return Reason(fact, ", ".join(rules), case, tuple(self.reason(support) for support in below))

    def of_finding(self, fact: Fact) -> Reason:
        rule, case, subject = (fact.values.get(name) for name in ("rule", "case", "subject"))
        below = [
            support
            for finding in self.evaluation.findings
            if (finding.rule, finding.case, finding.subject) == (rule, case, subject)
            for support in finding.facts
        ]
        reasons = tuple(self.reason(support) for support in below)
        return Reason(fact, str(rule), str(case) if case is not None else None, reasons)


def why_not(pack: Pack, facts: Sequence[Fact], statement_id: str, subject: str | None = None) -> WhyNot:
    """Returns the first condition of a statement that failed, and the value it met.

    With a subject, only what concerns it is looked at: the `each` fact or first condition that names it.
    Raises RulesError for an unknown statement.
    """
    statement = pack.statements.get(statement_id)
    if statement is None:
        raise RulesError(f"there is no statement '{statement_id}'")
    return _Explainer(pack, statement, _known(pack, facts, statement), subject).explain()


def _known(pack: Pack, facts: Sequence[Fact], statement: Statement) -> list[Fact]:
    """Returns the facts the statement sees: the inputs, the tables and what lower strata give."""
    with Evaluator(pack, mode="reference") as evaluator:
        admitted = evaluator.admission.admit(facts)
        trace = evaluator.reference.evaluate(admitted)
        strata = {id_: other.stratum for id_, other in pack.statements.items()}
        seen = [
            as_fact(pack.kinds, key, sources)
            for key, sources in zip(admitted.keys, admitted.sources, strict=True)
        ]
        told = evaluator.evaluate(facts)
    seen += {d.fact: None for d in told.facts if strata[d.rule] < statement.stratum}
    for key in trace.derived:
        if key[0] == FINDING and strata[str(key[1][0])] < statement.stratum:
            seen.append(as_fact(pack.kinds, key, ()))
    return seen


class _Explainer:
    """Evaluates one statement plainly, condition by condition."""

    def __init__(self, pack: Pack, statement: Statement, facts: Sequence[Fact], subject: str | None) -> None:
        self.pack, self.statement, self.facts, self.subject = pack, statement, facts, subject

    def explain(self) -> WhyNot:
        statement = self.statement
        base, failed = self.hold(statement.when, statement.unless, {})
        if failed is not None:
            return self.answer(False, failed)
        if statement.form == "decision":
            cases = tuple(case for group in self.groups(base) for case in self.cases(*group))
            return self.answer(any(case.won and not case.silent for case in cases), None, cases)
        if statement.source is not None and not _counts(statement):
            _, failed = self.first(((statement.source,), ()), base)
            return self.answer(failed is None, failed)
        return self.answer(True, None)

    def answer(self, fired: bool, failed: Failed | None, cases: tuple[CaseWhyNot, ...] = ()) -> WhyNot:
        return WhyNot(self.statement.id, self.subject, fired, failed, cases, self.statement.status)

    def groups(self, base: list[Bindings]) -> list[tuple[str | None, list[Bindings]]]:
        """Returns the ways in which the conditions hold, for each fact that the list is gone through for."""
        each = self.statement.when[0]
        found: dict[int, list[Bindings]] = {}
        for binding in base:
            found.setdefault(id(binding[each.alias]), []).append(binding)
        several = len(found) > 1
        return [(self.label(each, ways[0]) if several else None, ways) for ways in found.values()]

    def label(self, each: Condition, bound: Bindings) -> str:
        """Returns what tells one `each` fact from the others."""
        values = bound[each.alias].values
        name = self.named_by(each) or ("id" if "id" in values else next(iter(values), ""))
        return shown(values[name]) if name in values else each.kind

    def cases(self, about: str | None, base: list[Bindings]) -> list[CaseWhyNot]:
        found: list[CaseWhyNot] = []
        for case in self.statement.cases:
            id_, silent = case.id or "", not case.then and case.finding is None
            if any(other.won for other in found):
                found.append(CaseWhyNot(id_, False, False, None, silent, about))
                continue
            held, failed = self.first((case.when, case.unless), base)
            found.append(CaseWhyNot(id_, bool(held), True, failed, silent, about))
        return found

    def first(
        self, conditions: tuple[tuple[Condition, ...], tuple[Condition, ...]], base: list[Bindings]
    ) -> tuple[list[Bindings], Failed | None]:
        """Returns the ways in which conditions hold on top of others, or what failed for the first of
        these."""
        failure: Failed | None = None
        for binding in base:
            held, failed = self.hold(*conditions, binding)
            if held:
                return held, None
            failure = failure or failed
        return [], failure

    def hold(
        self, when: Sequence[Condition], unless: Sequence[Condition], bound: Bindings
    ) -> tuple[list[Bindings], Failed | None]:
        ways: list[Bindings] = [bound]
        for condition in when:
            further = [way for before in ways for way in self.matches(condition, before)]
            if not further:
                return [], self.failure(condition, ways)
            ways = further
        allowed = [way for way in ways if not any(next(self.matches(c, way), None) for c in unless)]
        if allowed:
            return allowed, None
        return [], self.forbidden(unless, ways[0])

    def matches(self, condition: Condition, bound: Bindings) -> Iterator[Bindings]:
        for fact in self.candidates(condition, bound):
            if all(holds(test, fact, bound) for test in condition.tests):
                yield {**bound, condition.alias: fact}

    def candidates(self, condition: Condition, bound: Bindings) -> list[Fact]:
        found = [
            f
            for f in self.facts
            if f.kind == condition.kind and not any(f is other for other in bound.values())
        ]
        named = self.subject is not None and any(condition is one for one in self.statement.when)
        name = self.named_by(condition) if named else None
        if name is None:
            return found
        return [fact for fact in found if fact.values.get(name) == self.subject]

    def named_by(self, condition: Condition) -> str | None:
        """Returns the property of a condition's facts that names the subject, None where none does."""
        for spec in self.statement.finding_specs():
            for _, ref in spec.subject.terms if spec.subject else ():
                if ref.alias == condition.alias:
                    return ref.property
        if condition is not self.statement.when[0]:
            return None
        name = {LESION: "id", FINDING: "subject"}.get(condition.kind, LESION)
        return name if name in self.pack.kinds[condition.kind].properties else None

    def failure(self, condition: Condition, ways: Sequence[Bindings]) -> Failed:
        """Returns what failed: of the fact that met most tests, the first test it did not meet."""
        best: tuple[int, Fact, Test] | None = None
        for bound in ways:
            for fact in self.candidates(condition, bound):
                failed = [test for test in condition.tests if not holds(test, fact, bound)]
                # A fact that fails a join is about something else, and is the less telling one.
                weight = sum(10 if test.other_aliases() else 1 for test in failed)
                if failed and (best is None or weight < best[0]):
                    best = (weight, fact, failed[0])
        text = describe_condition(condition, self.pack)
        if best is None:
            return Failed(text, None, None, None)
        _, fact, test = best
        return Failed(text, describe_test(condition, test, self.pack), fact, fact.values.get(test.property))

    def forbidden(self, unless: Sequence[Condition], bound: Bindings) -> Failed | None:
        for condition in unless:
            met = next(self.matches(condition, bound), None)
            if met is not None:
                return Failed(
                    describe_condition(condition, self.pack), None, None, None, met[condition.alias]
                )
        return None


def _counts(statement: Statement) -> bool:
    """Tells whether a derivation gives a fact although nothing meets `from`: it says how many there are."""
    return any(
        isinstance(value, Aggregate) and value.function in ("count", "exists")
        for give in statement.give
        for _, value in give.values
    )


def holds(test: Test, fact: Fact, bound: Bindings) -> bool:
    """Tells whether a fact meets a test, the other facts being bound."""
    value = fact.values.get(test.property)
    if test.operator == "present":
        return value is not None
    if test.operator == "absent":
        return value is None
    if value is None:
        return False
    if test.operator == "in":
        return value in test.choices
    if test.operator == "not in":
        return value not in test.choices
    right = total(test.right, fact, bound) if test.right else None
    return right is not None and _compared(test.operator, value, right)


def total(linear: Linear, own: Fact, bound: Bindings) -> Value | None:
    """Returns the value of the right side of a test, None where a property it needs is not stated."""
    if not linear.terms:
        return linear.literal
    factor, ref = linear.terms[0]
    value = (own if ref.alias == OWN else bound[ref.alias]).values.get(ref.property)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime.date):
        return value.toordinal() + int(linear.constant)
    return Decimal(factor) * value + linear.constant


def _compared(operator: str, left: Value, right: Value) -> bool:
    if isinstance(left, datetime.date):
        left = left.toordinal()
    if isinstance(right, datetime.date):
        right = right.toordinal()
    if isinstance(left, str) or isinstance(right, str):
        return (left == right) == (operator == "=")
    return {
        "=": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]
