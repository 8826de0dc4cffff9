"""How the checks of trust call: which service, with whose token, and what a refusal is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from cds_hooks.conformance.checks import Problem, Skip
from cds_hooks.conformance.exchange import Answer
from cds_hooks.conformance.items import now
from cds_hooks.conformance.services import Service
from cds_hooks.conformance.subject import Subject
from cds_hooks.conformance.tokens import Signer

REFUSALS = (401, 403)


def first_service(subject: Subject) -> Service:
    """Returns the service that single questions are asked of; raises Skip where none can be called."""
    if not subject.services:
        raise Skip("discovery lists no service that can be called")
    return subject.services[0]


def audience_of(subject: Subject) -> str:
    """Returns the audience of a token for the first service."""
    return subject.audience(first_service(subject).path)


def body_of(subject: Subject) -> dict[str, Any]:
    """Returns the body of an ordinary call of the first service."""
    return subject.body(first_service(subject), subject.options.patients[0])


def called(subject: Subject, token: str, service: Service | None = None) -> Answer:
    """Returns the answer of a service, of the first one if none is named, to a call with a token."""
    chosen = service or first_service(subject)
    return subject.post(chosen, subject.body(chosen, subject.options.patients[0]), token=token)


def outcome_of(subject: Subject, service: Service) -> dict[str, Any]:
    """Returns an item of feedback, on a card that was shown wherever calls can be made."""
    try:
        return subject.feedback(service)
    except Skip:
        return {"card": str(uuid4()), "outcome": "overridden", "outcomeTimestamp": now()}


def authenticated(subject: Subject) -> None:
    """Raises Skip for a service that takes calls from anybody, unless it is said to know a client."""
    first_service(subject)
    if not subject.tokens_wanted and not subject.authenticates:
        raise Skip("the service authenticates nobody (see security.required)")


def signer_of(subject: Subject) -> Signer:
    """Returns the client's signer, or a stranger's where none was given: a refusal is due in both cases."""
    authenticated(subject)
    return subject.options.signer or subject.stranger


def own_signer(subject: Subject) -> Signer:
    """Returns the signer that the service knows; raises Skip where none was given."""
    authenticated(subject)
    if subject.options.signer is None:
        raise Skip("it needs a key that the service knows: give --jwk")
    return subject.options.signer


def refused(subject: Subject, what: str, token: str, service: Service | None = None) -> Iterator[Problem]:
    """Yields a problem unless a call with this token is refused; another error than 401 is a mild one."""
    answer = called(subject, token, service)
    where = "" if service is None else f"{service.id}: "
    if answer.ok or answer.status == 412:
        yield Problem(f"{where}{what}: accepted ({answer.said})", answer)
    elif answer.status not in REFUSALS:
        yield Problem(f"{where}{what}: {answer.said}, not 401", answer, mild=True)
