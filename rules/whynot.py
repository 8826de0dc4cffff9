"""Why a statement did not conclude, in words."""

from __future__ import annotations

from dataclasses import dataclass

from rules.describe import shown
from rules.facts import Fact, Value
from rules.language.model import UNKNOWN


@dataclass(frozen=True, slots=True)
class Failed:
    """Is the condition that failed, and what it met.

    `closest` is the fact that met most of its tests (None: there is no such fact), `test` the first test it
    failed,
    `value` what it has there (None: not stated). For an `unless`, `forbidden` is the fact that met it.
    """

    condition: str
    test: str | None
    closest: Fact | None
    value: Value | None
    forbidden: Fact | None = None


@dataclass(frozen=True, slots=True)
class CaseWhyNot:
    """Is one case of a decision list: `won`, not `reached` after another won, or what failed.

    `silent` says that it concludes nothing where it wins; `about` is what the list was gone through for,
    where there are several.
    """

    id: str
    won: bool
    reached: bool
    failed: Failed | None
    silent: bool = False
    about: str | None = None

    def __str__(self) -> str:
        state = "won" if self.won else "not reached" if not self.reached else "failed"
        if self.won and self.silent:
            state = "won, and says nothing"
        about = f" for {self.about}" if self.about else ""
        return f"case {self.id}{about}: {state}{f' - {_sentence(self.failed)}' if self.failed else ''}"


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Is why a statement did not conclude for a subject; `fired` says that it did.

    A statement whose `status` is not active is evaluated all the same, and reaches nothing.
    """

    statement: str
    subject: str | None
    fired: bool
    failed: Failed | None
    cases: tuple[CaseWhyNot, ...]
    status: str = "active"

    def __str__(self) -> str:
        lines = [f"{self.statement}{f' for {self.subject}' if self.subject else ''}: "]
        lines[0] += "it did conclude" if self.fired else "it did not conclude"
        if self.status != "active":
            lines[0] += f"; it is not in force here ({self.status}), so nothing follows from it"
        if self.failed:
            lines.append(f"  {_sentence(self.failed)}")
        lines += [f"  {case}" for case in self.cases]
        return "\n".join(lines)


def _sentence(failed: Failed) -> str:
    if failed.forbidden is not None:
        return f"forbidden by {failed.condition}"
    if failed.test is None:
        return f"there is no {failed.condition}"
    value = "not stated" if failed.value is None or failed.value == UNKNOWN else shown(failed.value)
    return f"{failed.condition}: wanted {failed.test}, met {value}"
