"""From traces to findings: withholding what two evaluations differ on, tracing what lies behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rules.admission import Admitted, as_fact
from rules.doubt import silencing, withheld
from rules.evaluation import Alarm, Derived, Evaluation
from rules.facts import Fact, Value
from rules.finding import Finding
from rules.language.model import ALONE, FINDING, Pack, Statement
from rules.trace import Key, Trace


def tell(
    pack: Pack,
    statements: Iterable[Statement],
    admitted: Admitted,
    trace: Trace,
    differs: tuple[str, ...],
    alarms: tuple[Alarm, ...],
    engines: tuple[str, ...],
) -> Evaluation:
    """Returns the findings and facts of a trace, without the statements that differ and those that rest on
    their facts."""
    return Teller(pack, statements).tell(admitted, trace, differs, alarms, engines)


class Teller:
    """Tells traces of some statements of a pack."""

    def __init__(self, pack: Pack, statements: Iterable[Statement]) -> None:
        self.pack = pack
        self.ordered = sorted(statements, key=lambda statement: (statement.stratum, statement.id))
        self.parameters = sorted({name for statement in self.ordered for name in statement.parameters})
        self.used = {
            statement.id: sum(1 << self.parameters.index(name) for name in set(statement.parameters))
            for statement in self.ordered
        }
        self.gives = {
            statement.id: frozenset(give.kind for give in statement.given()) for statement in self.ordered
        }
        self.silencing = {statement.id: silencing(statement) for statement in self.ordered}
        self.withheld = {statement.id: withheld(statement) for statement in self.ordered}
        self.unique = {
            name: None if kind.unique == ALONE else kind.position(kind.unique)
            for name, kind in pack.kinds.items()
            if kind.unique is not None
        }

    def tell(
        self,
        admitted: Admitted,
        trace: Trace,
        differs: tuple[str, ...],
        alarms: tuple[Alarm, ...],
        engines: tuple[str, ...],
    ) -> Evaluation:
        """Returns the findings and facts of a trace, without the statements that differ and those that rest
        on their facts."""
        telling = _Telling(self, admitted, trace)
        speaking = [statement for statement in self.ordered if statement.id in trace.outcomes]
        if differs:
            alarms += (Alarm("disagreement", f"the two evaluations differ on {', '.join(sorted(differs))}"),)
        doubled = telling.not_unique(speaking)
        if doubled:
            message = f"more than one fact was given where one is allowed, by {', '.join(doubled)}"
            alarms += (Alarm("not-unique", message),)
        refused = telling.withhold({*differs, *doubled})
        telling.told = [statement for statement in speaking if statement.id not in refused]
        telling.trail()
        findings = tuple([finding for statement in telling.told for finding in telling.findings(statement)])
        named = tuple(sorted(refused))
        return Evaluation.telling(self.pack.revision, findings, named, alarms, engines, telling)


class _Telling:
    """Tells one trace.

    What lies behind a fact is a set of bits in one integer: the pack's parameters, then the facts put in.
    """

    def __init__(self, teller: Teller, admitted: Admitted, trace: Trace) -> None:
        self.teller, self.pack, self.trace, self.admitted = teller, teller.pack, trace, admitted
        self.told: list[Statement] = []
        self.keys: list[Key] = [*admitted.constants, *admitted.facts, *trace.derived]
        self.first = len(admitted.constants)
        width = len(teller.parameters)
        self.behind = [0] * self.first
        self.behind += [1 << place for place in range(width, width + len(admitted.facts))]
        self.behind += [0] * (len(self.keys) - len(self.behind))
        self.facts: dict[int, Fact] = {}
        self.orders: dict[int, tuple[Any, ...]] = {}

    def not_unique(self, statements: list[Statement]) -> list[str]:
        """Returns the statements that gave one of two facts of a kind which allows one."""
        places = self.teller.unique
        seen: dict[tuple[str, Any], Key] = {}
        doubled: set[Key] = set()
        for key, number in self.trace.numbers.items():
            name, values = key
            if name in places and number >= self.trace.asserted:
                place = places[name]
                first = seen.setdefault((name, None if place is None else values[place]), key)
                if first is not key:
                    doubled |= {first, key}
        if not doubled:
            return []
        outcomes = self.trace.outcomes
        return sorted(s.id for s in statements if any(key in doubled for key, _ in outcomes[s.id].gifts))

    def withhold(self, refused: set[str]) -> set[str]:
        """Returns the refused statements, those that rest on their facts, and those these may have silenced.

        What is silent has no support to be seen by: whatever reads a kind of which a fact is withheld, in
        `unless` or in a decision list, may be silent, or say something else, because of that fact.
        """
        if not refused:
            return refused
        given = set(range(self.trace.asserted))
        doubtful: set[str] = set()
        for statement in self.teller.ordered:
            outcome = self.trace.outcomes.get(statement.id)
            supports = (
                []
                if outcome is None
                else [*outcome.gifts.values(), *(w.support for w in outcome.ways.values())]
            )
            silenced = not self.teller.silencing[statement.id].isdisjoint(doubtful)
            if silenced or any(not support <= given for support in supports):
                refused.add(statement.id)
            if statement.id in refused:
                doubtful |= self.teller.withheld[statement.id]
            elif outcome is not None:
                given.update(number for number, _ in self.given(statement))
        return refused

    def given(self, statement: Statement) -> Iterator[tuple[int, set[int]]]:
        """Yields number and support of every fact, findings too, that an active statement gave."""
        if statement.status != "active":
            return
        numbers, outcome = self.trace.numbers, self.trace.outcomes[statement.id]
        for (key, _), support in outcome.gifts.items():
            yield numbers[key], support
        for (case, subject), way in outcome.ways.items():
            yield numbers[finding_key(statement, case, subject)], way.support

    def trail(self) -> None:
        """Notes what lies behind every fact; what it rests on is known, being of lower strata."""
        behind = self.behind
        for statement in self.told:
            own = self.teller.used[statement.id]
            for number, support in self.given(statement):
                found = own
                for other in support:
                    found |= behind[other]
                behind[number] |= found

    def sources(self, bits: int) -> tuple[str, ...]:
        """Returns the tokens of the facts put in that are among the bits."""
        tokens = self.admitted.tokens
        found: set[str] = set()
        for place in _places(bits >> len(self.teller.parameters)):
            found.update(tokens[place])
        return tuple(sorted(found))

    def parameters(self, bits: int) -> tuple[str, ...]:
        """Returns the names of the parameters among the bits."""
        names = self.teller.parameters
        return tuple([names[place] for place in _places(bits & ((1 << len(names)) - 1))])

    def fact(self, number: int) -> Fact:
        """Returns a fact with all its sources."""
        found = self.facts.get(number)
        if found is None:
            sources = self.sources(self.behind[number])
            found = self.facts[number] = as_fact(self.pack.kinds, self.keys[number], sources)
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
        ways = self.trace.outcomes[statement.id].ways
        found: list[Finding] = []
        for case, subject in sorted(ways, key=lambda at: (at[0], at[1] is not None, at[1] or "")):
            way = ways[(case, subject)]
            spec = statement.cases[case].finding
            if spec is None:
                continue
            bits = self.teller.used[statement.id]
            for number in way.support:
                bits |= self.behind[number]
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
                    tuple([dict(said) for said in sorted(way.says)]),
                    self.sorted_facts(way.support),
                    self.sources(bits),
                    self.parameters(bits),
                    self.pack.revision,
                )
            )
        return found

    def derived(self) -> tuple[Derived, ...]:
        """Returns the facts that active statements gave, by statement and values."""
        numbers = self.trace.numbers
        found: list[Derived] = []
        for statement, key, case in self.gifts(None):
            id_ = statement.cases[case].id if statement.cases else None
            support = self.sorted_facts(self.trace.outcomes[statement.id].gifts[(key, case)])
            found.append(Derived(self.fact(numbers[key]), statement.id, id_, support))
        return tuple(found)

    def facts_of(self, kind: str) -> tuple[Fact, ...]:
        """Returns the facts of a kind that active statements gave, each once, in the order of `derived`."""
        numbers = self.trace.numbers
        return tuple([self.fact(numbers[key]) for key in self.keys_of(kind)])

    def values_of(self, kind: str) -> tuple[Mapping[str, Value], ...]:
        """Returns the values of the facts of a kind that active statements gave, in the order of
        `derived`."""
        kinds = self.pack.kinds
        return tuple([as_fact(kinds, key, ()).values for key in self.keys_of(kind)])

    def keys_of(self, kind: str) -> Iterable[Key]:
        return dict.fromkeys(key for _, key, _ in self.gifts(kind))

    def gifts(self, kind: str | None) -> Iterator[tuple[Statement, Key, int]]:
        """Yields statement, fact and case of what active statements gave, of one kind or of all."""
        numbers = self.trace.numbers
        for statement in self.told:
            gifts = self.trace.outcomes[statement.id].gifts
            if statement.status != "active" or not gifts:
                continue
            if kind is not None and kind not in self.teller.gives[statement.id]:
                continue
            wanted = [at for at in gifts if kind is None or at[0][0] == kind]
            if len(wanted) > 1:
                wanted.sort(key=lambda at: (self.order(numbers[at[0]]), at[1]))
            for key, case in wanted:
                yield statement, key, case


def finding_key(statement: Statement, case: int, subject: str | None) -> Key:
    """Returns a finding as a fact."""
    spec = statement.cases[case].finding
    if spec is None:
        raise KeyError(statement.id)
    id_ = statement.cases[case].id
    return FINDING, (statement.id, id_, subject, spec.family, spec.indicator, spec.conclusion)


def key_order(key: Key) -> tuple[Any, ...]:
    """Returns what sorts facts by kind and values, an absent value after every stated one."""
    return key[0], tuple([(value is None, value) if value is not None else (True, 0) for value in key[1]])


def _places(bits: int) -> Iterator[int]:
    """Yields the places of the bits that are set, from the lowest."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
