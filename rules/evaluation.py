"""The answer of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.facts import Fact
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


@dataclass(frozen=True, slots=True)
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

    def of(self, kind: str) -> tuple[Fact, ...]:
        """Returns the derived facts of a kind, each once."""
        return tuple({derived.fact: None for derived in self.facts if derived.fact.kind == kind})
