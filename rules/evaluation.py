"""The answer of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from rules.facts import Fact, Value
from rules.finding import Finding

AlarmKind = Literal["disagreement", "engine-unavailable", "worker-restarted", "not-unique"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Is something an operator must know; the message names statements, never values of facts."""

    kind: AlarmKind
    message: str


@dataclass(frozen=True, slots=True)
class Derived:
    """Is a fact that a statement gave, and the facts it rests on."""

    fact: Fact
    rule: str
    case: str | None
    support: tuple[Fact, ...]


class Given(Protocol):
    """Knows the facts that statements gave, and tells them when they are asked for."""

    def derived(self) -> tuple[Derived, ...]:
        """Returns all, by statement and values."""

    def facts_of(self, kind: str) -> tuple[Fact, ...]:
        """Returns those of a kind, each once."""

    def values_of(self, kind: str) -> tuple[Mapping[str, Value], ...]:
        """Returns the values of those of a kind, each once."""


@dataclass(frozen=True)
class Evaluation:
    """Is what the rules say of a set of facts.

    `refused` are the statements whose findings and facts are withheld, because the two evaluations differ
    on them or on what they rest on. `engines` are the evaluations that answered.
    """

    revision: str
    findings: tuple[Finding, ...]
    facts: tuple[Derived, ...]
    refused: tuple[str, ...]
    alarms: tuple[Alarm, ...]
    engines: tuple[str, ...]

    @classmethod
    def telling(
        cls,
        revision: str,
        findings: tuple[Finding, ...],
        refused: tuple[str, ...],
        alarms: tuple[Alarm, ...],
        engines: tuple[str, ...],
        given: Given,
    ) -> Self:
        """Returns an evaluation whose derived facts are told when they are asked for."""
        evaluation = cls.__new__(cls)
        # A frozen instance is filled through its dictionary; `facts` is left out and found by __getattr__.
        vars(evaluation).update(
            revision=revision,
            findings=findings,
            refused=refused,
            alarms=alarms,
            engines=engines,
            _given=given,
        )
        return evaluation

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            own = vars(self)
            if name != "facts" or "_given" not in own:
                raise AttributeError(name)
            own["facts"] = told = own["_given"].derived()
            return told

    def of(self, kind: str) -> tuple[Fact, ...]:
        """Returns the derived facts of a kind, each once."""
        given: Given | None = vars(self).get("_given")
        if given is not None:
            return given.facts_of(kind)
        return tuple({derived.fact: None for derived in self.facts if derived.fact.kind == kind})

    def values(self, kind: str) -> tuple[Mapping[str, Value], ...]:
        """Returns the values of the derived facts of a kind, in the order of `of`: the quickest way to
        look at them."""
        given: Given | None = vars(self).get("_given")
        if given is not None:
            return given.values_of(kind)
        return tuple(fact.values for fact in self.of(kind))

    def __getstate__(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
