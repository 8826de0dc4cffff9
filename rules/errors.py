"""The errors of the rules package.

RulesError                     everything below
├── PackError                  the rule pack is wrong, nothing was evaluated; `.problems` lists all that is
├── FactError                  a fact does not fit the pack's declarations; nothing was evaluated
└── EngineFault                one evaluation has no result; the other evaluation may still answer
    ├── EngineTimeout          it took longer than allowed
    ├── LimitExceeded          too many facts or firings, or a number too large or too long to be exact
    ├── EngineStarting         the worker process has not read its rules yet
    └── EngineLost             the worker process died, hung or sent something unreadable
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a rule pack: the file below the pack's folder, the line (from 1) and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class RulesError(Exception):
    """Is the root of every error that `rules` raises on purpose."""


class PackError(RulesError):
    """Says that a rule pack cannot be used, with all its problems."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        head = f"the rule pack has {count} problem{'' if count == 1 else 's'}:"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[type[PackError], tuple[tuple[Problem, ...]]]:
        return (PackError, (self.problems,))


class FactError(RulesError):
    """Says which kind and property of a fact does not fit; never repeats the value, which may be a
    patient's."""


class EngineFault(RulesError):
    """Says that an evaluation ended without a result."""


class EngineTimeout(EngineFault):
    """Says that an evaluation took longer than allowed."""


class LimitExceeded(EngineFault):
    """Says that a named limit was passed."""


class EngineStarting(EngineFault):
    """Says that a worker process is not ready yet; it is left alone."""


class EngineLost(EngineFault):
    """Says that a worker process did not answer."""
