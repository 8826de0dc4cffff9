"""A run over every check: one verdict each, and what it means as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cds_hooks.conformance.checks import CHECKS, Check, Problem, Skip, TokenWanted
from cds_hooks.conformance.exchange import Answer, Client
from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.limits import limits, unread
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.shown import shown
from cds_hooks.conformance.subject import Subject

MAX_PROBLEMS = 12
MAX_SHOWN = 3
RESULTS = ("fail", "warn", "pass", "skip")
TEXT = 400
STOPPED = ("the service stopped answering before this check",)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one check found; `exchanges` are the numbers of the exchanges that it rests on."""

    check: Check
    result: str
    token_wanted: bool = False
    reasons: tuple[str, ...] = ()
    exchanges: tuple[int, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """Returns the verdict for a report."""
        return {
            "check": self.check.name,
            "title": self.check.title,
            "requirements": list(self.check.numbers),
            "strength": self.check.weight,
            "result": self.result,
            "reasons": list(self.reasons),
            "exchanges": list(self.exchanges),
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """All verdicts on one service, with the exchanges that they rest on.

    `limits` says what was left out because there was too much of it, `unfinished` why the run could not look.
    """

    options: Options
    verdicts: tuple[Verdict, ...]
    answers: tuple[Answer, ...]
    secrets: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    unfinished: str | None = None

    @property
    def token_wanted(self) -> bool:
        """True where checks were skipped because the service asks for a token and none was given."""
        return any(verdict.token_wanted for verdict in self.verdicts)

    @property
    def conformant(self) -> bool:
        """True where no SHALL was found broken and the run came to its end."""
        return self.unfinished is None and not self.count("fail")

    def count(self, result: str) -> int:
        """Returns how many verdicts have a result."""
        return sum(verdict.result == result for verdict in self.verdicts)

    def exchange(self, number: int) -> dict[str, Any]:
        """Returns one exchange for a report."""
        return self.answers[number - 1].as_record(self.secrets)

    def as_record(self) -> dict[str, Any]:
        """Returns the whole report as a JSON document."""
        used = sorted({number for verdict in self.verdicts for number in verdict.exchanges})
        return {
            "service": shown(self.options.base, TEXT, self.secrets),
            "client": self.options.profile.name,
            "conformant": self.conformant,
            "tokenWanted": self.token_wanted,
            "counts": {result: self.count(result) for result in RESULTS},
            "unfinished": self.unfinished,
            "limits": list(self.limits),
            "services": list(self.services),
            "exchangesMade": len(self.answers),
            "verdicts": [verdict.as_record() for verdict in self.verdicts],
            "exchanges": [self.exchange(number) for number in used],
        }


def inspect_service(
    options: Options,
    client: Client,
    *,
    groups: Iterable[str] = GROUPS,
    progress: Callable[[Check], None] = lambda _check: None,
) -> Report:
    """Returns the report on a service: one verdict for every check of the groups, in their order."""
    subject = Subject(options, client)
    verdicts = []
    for one in (one for group in groups for one in CHECKS.values() if one.group == group):
        progress(one)
        verdicts.append(_verdict(one, subject))
    client.close()
    return Report(
        options=options,
        verdicts=tuple(verdicts),
        answers=tuple(client.answers),
        secrets=client.secrets,
        services=tuple(_services(subject)),
        limits=tuple(limits(subject)),
        unfinished=_unfinished(subject, sum(one.reasons == STOPPED for one in verdicts)),
    )


def _services(subject: Subject) -> list[str]:
    try:
        return [shown(f"{one.id} ({one.hook})", TEXT, subject.client.secrets) for one in subject.services]
    except Skip:
        return []


def _unfinished(subject: Subject, left: int) -> str | None:
    client = subject.client
    if client.given_up:
        answered = sum(answer.error is None or answer.unread for answer in client.answers)
        return f"it stopped answering after {answered} requests; {left} checks were not made"
    if unread(subject):
        return "its answers are too large to be read: little was looked at"
    return None


def _verdict(one: Check, subject: Subject) -> Verdict:
    """A finding about a request that was never sent is none: the service has stopped answering before."""
    subject.looked.clear()
    if subject.client.given_up:
        return Verdict(check=one, result="skip", reasons=STOPPED)
    try:
        problems = list(islice(one.run(subject), MAX_PROBLEMS))
    except Skip as reason:
        return Verdict(
            check=one,
            result="skip",
            token_wanted=isinstance(reason, TokenWanted),
            reasons=(shown(str(reason), TEXT, subject.client.secrets),),
            exchanges=_numbers(subject.looked),
        )
    seen = [problem.seen for problem in problems if problem.seen is not None]
    return Verdict(
        check=one,
        result=_result(one, problems),
        reasons=tuple(shown(problem.text, TEXT, subject.client.secrets) for problem in problems),
        exchanges=_numbers(seen or subject.looked),
    )


def _result(one: Check, problems: list[Problem]) -> str:
    if not problems:
        return "pass"
    return "fail" if one.binding and not all(_is_mild(problem) for problem in problems) else "warn"


def _is_mild(problem: Problem) -> bool:
    """An answer that was too large to be read says nothing of the service: the limit is the tool's."""
    return problem.mild or (problem.seen is not None and problem.seen.unread)


def _numbers(answers: Iterable[Answer]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(answer.number for answer in answers))[:MAX_SHOWN]
