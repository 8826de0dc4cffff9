"""Checks of feedback: that it is taken, in every form, and that what is no feedback is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer
from cds_hooks.conformance.items import now
from cds_hooks.conformance.services import Service
from cds_hooks.conformance.subject import Subject

REASON = {
    "reason": {
        "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
        "code": "need-more-info",
        "display": "Need more information",
    },
    "userComment": "conformance check",
}


@check("feedback.offered", 162)
def offered(subject: Subject) -> Iterator[Problem]:
    """Feedback is taken at the address of the service with /feedback."""
    answer = subject.look(subject.plain_feedback)
    if answer.status in (404, 405, 501):
        yield _problem(subject, subject.told, f"no feedback is taken: {answer.said}", answer)
    elif not answer.ok:
        yield _problem(subject, subject.told, f"plain feedback is refused: {answer.said}", answer)


@check("feedback.every-service", 162)
def every_service(subject: Subject) -> Iterator[Problem]:
    """Feedback is taken for each of the services."""
    _offered(subject)
    for service in subject.services:
        if service.path == subject.told.path:
            continue
        item = subject.feedback(service)
        answer = subject.send("POST", f"{service.path}/feedback", {"feedback": [item]})
        if not answer.ok:
            yield _problem(subject, service, f"{service.id}: {answer.said}", answer)


@check("feedback.accepted", 166)
def accepted(subject: Subject) -> Iterator[Problem]:
    """An accepted suggestion of a card that was shown is taken."""
    _offered(subject)
    for problem in _taken(subject, "accepted", subject.acceptance(subject.told)):
        yield problem if subject.suggested(subject.told) else replace(problem, mild=True)


@check("feedback.overridden", 167)
def overridden(subject: Subject) -> Iterator[Problem]:
    """An overridden card is taken with a reason and a comment."""
    yield from _taken(subject, "overridden with a reason", _item(subject, overrideReason=REASON))


@check("feedback.unknown-card", 164)
def unknown_card(subject: Subject) -> Iterator[Problem]:
    """A card that the service does not know is no fault of the service."""
    answer = _sent(subject, {"feedback": [_item(subject, card="conformance-no-such-card")]})
    if answer.status == 0 or answer.status >= 500:
        yield Problem(f"an unknown card: {answer.said}", answer)


@check("feedback.times", 168)
def times(subject: Subject) -> Iterator[Problem]:
    """The time of an outcome is read in every form of RFC 3339."""
    east = datetime.now(timezone(timedelta(hours=2)))
    for text in (now(), now().replace("Z", ".123Z"), east.isoformat(timespec="seconds")):
        yield from _taken(subject, f"outcomeTimestamp {text}", _item(subject, outcomeTimestamp=text))


@check("feedback.twice", 169)
def twice(subject: Subject) -> Iterator[Problem]:
    """The same feedback sent twice is taken twice."""
    item = _item(subject)
    yield from _taken(subject, "the first time", item)
    yield from _taken(subject, "the second time", item)


@check("feedback.several", 170)
def several(subject: Subject) -> Iterator[Problem]:
    """One body may hold several items."""
    answer = _sent(subject, {"feedback": [_item(subject), _item(subject)]})
    if not answer.ok:
        yield Problem(f"two items: {answer.said}", answer)


@check("feedback.no-list", 163, strength="silent")
def no_list(subject: Subject) -> Iterator[Problem]:
    """A body without the list feedback is refused."""
    for name, body in {"no member feedback": {"items": []}, "feedback as text": {"feedback": "x"}}.items():
        yield from _refused(subject, name, body)


@check("feedback.card-needed", 164, strength="silent")
def card_needed(subject: Subject) -> Iterator[Problem]:
    """An item without card is refused."""
    yield from _refused(subject, "no card", {"feedback": [_item(subject, card=None)]})


@check("feedback.outcome", 165, strength="silent")
def outcome(subject: Subject) -> Iterator[Problem]:
    """An outcome other than accepted and overridden is refused."""
    yield from _refused(subject, "outcome ignored", {"feedback": [_item(subject, outcome="ignored")]})


@check("feedback.suggestions-needed", 166, strength="silent")
def suggestions_needed(subject: Subject) -> Iterator[Problem]:
    """accepted without acceptedSuggestions is refused."""
    yield from _refused(subject, "no acceptedSuggestions", {"feedback": [_item(subject, outcome="accepted")]})


@check("feedback.time-needed", 168, strength="silent")
def time_needed(subject: Subject) -> Iterator[Problem]:
    """An item without outcomeTimestamp is refused."""
    yield from _refused(subject, "no outcomeTimestamp", {"feedback": [_item(subject, outcomeTimestamp=None)]})


@check("feedback.client", 172)
def client(subject: Subject) -> Iterator[Problem]:
    """Feedback in the dialect of the chosen client is taken."""
    if subject.options.profile.name != "epic":
        raise Skip(f"no dialect of its own is known of the client {subject.options.profile.name}")
    epic = {
        "com.epic.cdshooks.feedback.overrideReason.reasonCategory": "1",
        "com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "Not applicable",
    }
    item = _item(subject, overrideReasons=REASON, extension=epic)
    yield from _taken(subject, "overrideReasons as Epic's sample spells it", item)


def _item(subject: Subject, **changes: Any) -> dict[str, Any]:
    _offered(subject)
    return subject.feedback(subject.told, **changes)


def _offered(subject: Subject) -> None:
    """Raises Skip where plain feedback is refused; a service that crashes on it is asked on."""
    answer = subject.look(subject.plain_feedback)
    if answer.refused or answer.status == 501:
        raise Skip(f"feedback is not taken: {answer.said}")


def _sent(subject: Subject, document: Any) -> Answer:
    _offered(subject)
    return subject.send("POST", f"{subject.told.path}/feedback", document)


def _taken(subject: Subject, how: str, item: dict[str, Any]) -> Iterator[Problem]:
    answer = _sent(subject, {"feedback": [item]})
    if not answer.ok:
        yield _problem(subject, subject.told, f"{how}: {answer.said}", answer)


def _problem(subject: Subject, service: Service, text: str, answer: Answer) -> Problem:
    """Whoever showed no card may refuse feedback on one that was invented."""
    if answer.refused and not subject.showed(service):
        return Problem(f"{text} (no card was shown: this one was invented)", answer, mild=True)
    return Problem(text, answer)


def _refused(subject: Subject, how: str, document: Any) -> Iterator[Problem]:
    answer = _sent(subject, document)
    if not answer.refused:
        yield Problem(f"{how}: {answer.said}, not refused", answer)
