"""From traces to findings: comparing two evaluations, withholding what they differ on, tracing what lies
behind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rules.admission import Admitted, as_fact
from rules.evaluation import Alarm, Derived, Evaluation
from rules.facts import Fact
from rules.finding import Finding
from rules.language.model import ALONE, FINDING, Pack, Statement
from rules.trace import Key, Outcome, Said, Trace, Way


def differing(first: Trace, second: Trace) -> tuple[str, ...]:
    """Returns the ids of the statements on which two traces of the same facts differ."""
    outcomes = second.outcomes
    if second.derived != first.derived:
        outcomes = _renumbered(first, second)
    if outcomes == first.outcomes:
        return ()
    return tuple(id_ for id_, outcome in first.outcomes.items() if outcomes.get(id_) != outcome)


def _renumbered(first: Trace, second: Trace) -> dict[str, Outcome]:
    """Returns the second trace's outcomes with the facts numbered as in the first."""
    numbers = {key: first.asserted + i for i, key in enumerate(first.derived)}
    mapped = list(range(second.asserted))
    for key in second.derived:
        # A fact that only the second evaluation gave gets a number that the first has not.
        mapped.append(numbers.setdefault(key, first.asserted + len(numbers)))
    found: dict[str, Outcome] = {}
    for id_, outcome in second.outcomes.items():
        ways = {at: Way(way.says, {mapped[n] for n in way.support}) for at, way in outcome.ways.items()}
        gifts = {at: {mapped[n] for n in support} for at, support in outcome.gifts.items()}
        found[id_] = Outcome(ways, gifts)
    return found


def tell(
    pack: Pack,
    statements: Iterable[Statement],
    admitted: Admitted,
    trace: Trace,
    differs: tuple[str, ...],
    alarms: tuple[Alarm, ...],
    engines: tuple[str, ...],
) -> Evaluation:
    """Returns the evaluation that a trace tells, without what rests on a statement the engines differ on."""
    teller = _Teller(pack, admitted, trace)
    ordered = sorted(statements, key=lambda statement: (statement.stratum, statement.id))
    speaking = [statement for statement in ordered if not trace.outcomes[statement.id].silent()]
    if differs:
        alarms += (Alarm("disagreement", f"the two evaluations differ on {', '.join(sorted(differs))}"),)
    doubled = teller.not_unique(speaking)
    if doubled:
        message = f"more than one fact was given where one is allowed, by {', '.join(doubled)}"
        alarms += (Alarm("not-unique", message),)
    refused = teller.withhold(speaking, {*differs, *doubled})
    findings: list[Finding] = []
    derived: list[Derived] = []
    for statement in speaking:
        if statement.id not in refused:
            findings += teller.findings(statement)
            derived += teller.derived(statement)
    return Evaluation(pack.revision, tuple(findings), tuple(derived), tuple(sorted(refused)), alarms, engines)


class _Teller:
    def __init__(self, pack: Pack, admitted: Admitted, trace: Trace) -> None:
        self.pack, self.trace = pack, trace
        self.keys: list[Key] = [*admitted.keys, *trace.derived]
        self.numbers = {key: number for number, key in enumerate(self.keys)}
        self.sources: list[set[str]] = [set(tokens) for tokens in admitted.sources]
        self.sources += [set() for _ in trace.derived]
        self.parameters: list[set[str]] = [set() for _ in self.keys]
        self.facts: dict[int, Fact] = {}
        self.orders: dict[int, tuple[Any, ...]] = {}

    def gifts(self, statement: Statement) -> list[tuple[int, int, set[int]]]:
        """Returns number of the fact, number of the case and support, of all that an active statement
        gave."""
        if statement.status != "active":
            return []
        outcome = self.trace.outcomes[statement.id]
        found = [(self.numbers[key], case, support) for (key, case), support in outcome.gifts.items()]
        for (case, subject), way in outcome.ways.items():
            found.append((self.numbers[finding_key(statement, case, subject)], case, way.support))
        return found

    def not_unique(self, statements: list[Statement]) -> list[str]:
        """Returns the statements that gave one of two facts of a kind which allows one."""
        places = {
            name: None if kind.unique == ALONE else kind.position(kind.unique)
            for name, kind in self.pack.kinds.items()
            if kind.unique is not None
        }
        seen: dict[tuple[str, Any], int] = {}
        doubled: set[Key] = set()
        for number, (name, values) in enumerate(self.trace.derived, self.trace.asserted):
            if name in places:
                place = places[name]
                mark = (name, None if place is None else values[place])
                first = seen.setdefault(mark, number)
                if first != number:
                    doubled |= {self.keys[first], self.keys[number]}
        if not doubled:
            return []
        outcomes = self.trace.outcomes
        return sorted(s.id for s in statements if any(key in doubled for key, _ in outcomes[s.id].gifts))

    def withhold(self, statements: list[Statement], refused: set[str]) -> set[str]:
        """Returns the refused statements and those that rest on their facts; notes what lies behind every
        fact."""
        given = set(range(self.trace.asserted))
        for statement in statements:
            outcome = self.trace.outcomes[statement.id]
            supports = [*outcome.gifts.values(), *(way.support for way in outcome.ways.values())]
            if refused and any(not support <= given for support in supports):
                refused.add(statement.id)
            if statement.id in refused:
                continue
            for number, _, support in self.gifts(statement):
                given.add(number)
                self.trail(number, statement, support)
        return refused

    def trail(self, number: int, statement: Statement, support: set[int]) -> None:
        """Notes the sources and parameters behind a fact; those of its support are known, being of lower
        strata."""
        self.sources[number].update(*(self.sources[n] for n in support))
        self.parameters[number].update(statement.parameters, *(self.parameters[n] for n in support))

    def fact(self, number: int) -> Fact:
        """Returns a fact with all its sources."""
        found = self.facts.get(number)
        if found is None:
            found = as_fact(self.pack.kinds, self.keys[number], tuple(sorted(self.sources[number])))
            self.facts[number] = found
        return found

    def sorted_facts(self, numbers: set[int]) -> tuple[Fact, ...]:
        """Returns facts in the order of their kinds and values."""
        if len(numbers) < 2:
            return tuple([self.fact(number) for number in numbers])
        return tuple([self.fact(number) for number in sorted(numbers, key=self.order)])

    def order(self, number: int) -> tuple[Any, ...]:
        """Returns what sorts a fact."""
        found = self.orders.get(number)
        if found is None:
            found = self.orders[number] = key_order(self.keys[number])
        return found

    def findings(self, statement: Statement) -> list[Finding]:
        """Returns the findings of one statement, in the order of its cases and of the subjects."""
        outcome = self.trace.outcomes[statement.id]
        found: list[Finding] = []
        for case, subject in sorted(outcome.ways, key=lambda at: (at[0], at[1] is not None, at[1] or "")):
            way = outcome.ways[(case, subject)]
            spec = statement.cases[case].finding
            if spec is None:
                continue
            sources = set().union(*(self.sources[n] for n in way.support))
            parameters = set(statement.parameters).union(*(self.parameters[n] for n in way.support))
            found.append(
                Finding(
                    statement.id,
                    statement.cases[case].id,
                    spec.title,
                    subject,
                    spec.conclusion,
                    spec.indicator,
                    spec.display,
                    spec.family,
                    spec.hooks,
                    statement.status,
                    tuple([dict(said) for said in sorted(way.says, key=_said_order)]),
                    self.sorted_facts(way.support),
                    tuple(sorted(sources)),
                    tuple(sorted(parameters)),
                    self.pack.revision,
                )
            )
        return found

    def derived(self, statement: Statement) -> list[Derived]:
        """Returns the facts an active statement gave, in the order of their kinds and values."""
        if statement.status != "active":
            return []
        gifts = self.trace.outcomes[statement.id].gifts
        found: list[Derived] = []
        for key, case in sorted(gifts, key=lambda at: (self.order(self.numbers[at[0]]), at[1])):
            id_ = statement.cases[case].id if statement.cases else None
            support = self.sorted_facts(gifts[(key, case)])
            found.append(Derived(self.fact(self.numbers[key]), statement.id, id_, support))
        return found


def finding_key(statement: Statement, case: int, subject: str | None) -> Key:
    """Returns a finding as a fact."""
    spec = statement.cases[case].finding
    if spec is None:
        raise KeyError(statement.id)
    return FINDING, (
        statement.id,
        statement.cases[case].id,
        subject,
        spec.family,
        spec.indicator,
        spec.conclusion,
    )


def key_order(key: Key) -> tuple[Any, ...]:
    """Returns what sorts facts by kind and values, an absent value after every stated one."""
    return key[0], tuple([(value is None, value) if value is not None else (True, 0) for value in key[1]])


def _said_order(said: Said) -> tuple[Any, ...]:
    return tuple(said)
