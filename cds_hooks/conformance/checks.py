"""The registry of checks: small functions, each with the numbers of the requirements that it looks at."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cds_hooks.conformance.exchange import Answer
from cds_hooks.conformance.register import strongest

if TYPE_CHECKING:
    from cds_hooks.conformance.subject import Subject

Function = Callable[["Subject"], Iterator["Problem"]]


@dataclass(frozen=True)
class Problem:
    """What is wrong, where it was seen; `mild` never makes the service fail."""

    text: str
    seen: Answer | None = None
    mild: bool = False


class Skip(Exception):
    """Raised by a check that cannot look; the text says why."""


class TokenWanted(Skip):
    """Raised where the service asks for a token and none was given."""

    def __init__(self) -> None:
        super().__init__("the service asks for a token: give --jwk or --bearer-env")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: its name, its requirements, what it finds, and whether a finding breaks a SHALL."""

    name: str
    numbers: tuple[int, ...]
    strength: str
    binding: bool
    title: str
    run: Function

    @property
    def weight(self) -> str:
        """The strength in words: what a finding weighs, and why it may weigh less than it reads."""
        if self.binding or not self.strength.startswith("SHALL"):
            return "practice" if self.strength == "silent" else self.strength
        rule = strongest(self.numbers)
        return f"{self.strength} (3.0)" if rule.version != "2.0.1" else f"{self.strength} (client)"

    @property
    def group(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


CHECKS: dict[str, Check] = {}


def check(name: str, *numbers: int, strength: str | None = None) -> Callable[[Function], Function]:
    """Registers a check; its strength is that of the strongest requirement unless another is given.

    Another is given where the check looks at less than the requirement says, and where a member that may be
    left out has to be of its type once it is there.

    The function yields a Problem for each finding, nothing where all is well, or raises Skip.
    """

    def register(function: Function) -> Function:
        if name in CHECKS:
            raise ValueError(f"two checks are called {name}")
        rule = strongest(numbers)
        CHECKS[name] = Check(
            name=name,
            numbers=numbers,
            strength=strength or rule.strength,
            binding=rule.binding if strength is None else strength.startswith("SHALL"),
            title=(inspect.getdoc(function) or "").partition("\n")[0],
            run=function,
        )
        return function

    return register
