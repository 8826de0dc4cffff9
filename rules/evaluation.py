"""The answer of an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

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
        tell: Callable[[str | None], tuple[Derived, ...]],
    ) -> Self:
        """Returns an evaluation whose derived facts are told when they are asked for.

        `tell` gives those of a kind, or all for None.
        """
        evaluation = cls.__new__(cls)
        # A frozen instance is filled through its dictionary; `facts` is left out and found by __getattr__.
        vars(evaluation).update(
            revision=revision, findings=findings, refused=refused, alarms=alarms, engines=engines, _tell=tell
        )
        return evaluation

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            own = vars(self)
            if name != "facts" or "_tell" not in own:
                raise AttributeError(name)
            own["facts"] = told = own["_tell"](None)
            # Only now: another thread may have asked at the same time.
            own.pop("_tell", None)
            return told

    def of(self, kind: str) -> tuple[Fact, ...]:
        """Returns the derived facts of a kind, each once."""
        tell: Callable[[str | None], tuple[Derived, ...]] | None = vars(self).get("_tell")
        told = self.facts if tell is None else tell(kind)
        return tuple({derived.fact: None for derived in told if derived.fact.kind == kind})

    def __getstate__(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
