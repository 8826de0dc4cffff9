"""Checks of CORS: what a browser client needs, and what no other origin may get."""

from __future__ import annotations

from collections.abc import Iterator

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer
from cds_hooks.conformance.subject import Subject

ELSEWHERE = "https://not-allowed.conformance.example"
_ALLOWED = "access-control-allow-origin"


@check("cors.preflight", 197)
def preflight(subject: Subject) -> Iterator[Problem]:
    """A preflight of the origin is answered without authentication, for discovery, calls and feedback.

    GET and POST need not be named in Access-Control-Allow-Methods (Fetch standard).
    """
    origin = _origin(subject)
    for path, method in _paths(subject):
        answer = _ask(subject, path, method, origin)
        allowed = _words(answer, "access-control-allow-headers")
        if not answer.ok:
            yield Problem(f"OPTIONS {path}: {answer.said}", answer)
        elif answer.headers.get(_ALLOWED) not in (origin, "*"):
            yield Problem(f"OPTIONS {path}: the origin is not allowed", answer)
        elif not {"authorization", "content-type"} <= allowed:
            # A star does not stand for authorization (Fetch standard).
            yield Problem(f"OPTIONS {path}: authorization and content-type are not both allowed", answer)


@check("cors.answers", 197, 198)
def answers(subject: Subject) -> Iterator[Problem]:
    """Answers to the origin can be read by its page."""
    origin = _origin(subject)
    for answer in _answers(subject, origin, error=False):
        if answer.headers.get(_ALLOWED) not in (origin, "*"):
            yield Problem(f"{answer.method}: {answer.said} without Access-Control-Allow-Origin", answer)


@check("cors.errors", 198)
def errors(subject: Subject) -> Iterator[Problem]:
    """Errors can be read by the page too, else it cannot say what was wrong."""
    origin = _origin(subject)
    for answer in _answers(subject, origin, error=True):
        if answer.headers.get(_ALLOWED) not in (origin, "*"):
            yield Problem(f"{answer.method}: {answer.said} without Access-Control-Allow-Origin", answer)


@check("cors.vary", 199)
def vary(subject: Subject) -> Iterator[Problem]:
    """An answer that names the origin says that it varies with it."""
    origin = _origin(subject)
    for answer in _answers(subject, origin, error=False):
        if answer.headers.get(_ALLOWED) == origin and "origin" not in _words(answer, "vary"):
            yield Problem("Vary does not name Origin: a cache may hand the answer to another origin", answer)


@check("cors.elsewhere", 199)
def elsewhere(subject: Subject) -> Iterator[Problem]:
    """An origin that nobody allowed gets no permission."""
    for path, method in _paths(subject):
        answer = _ask(subject, path, method, ELSEWHERE)
        if answer.headers.get(_ALLOWED) in (ELSEWHERE, "*", "null"):
            yield Problem(f"{path}: {_ALLOWED} is {answer.headers[_ALLOWED]} for any origin", answer)


@check("cors.credentials", 199)
def credentials(subject: Subject) -> Iterator[Problem]:
    """No answer allows every origin with its cookies."""
    for path, method in _paths(subject):
        answer = _ask(subject, path, method, subject.options.origin or ELSEWHERE)
        if answer.headers.get("access-control-allow-credentials") == "true":
            yield Problem(f"{path}: cookies are allowed, which a service with tokens needs nowhere", answer)


def _origin(subject: Subject) -> str:
    if subject.options.origin is None:
        raise Skip("no browser client is expected: give --origin to look at CORS")
    return subject.options.origin


def _paths(subject: Subject) -> list[tuple[str, str]]:
    path = subject.services[0].path if subject.services else "/cds-services/any"
    return [(subject.options.discovery, "GET"), (path, "POST"), (f"{path}/feedback", "POST")]


def _ask(subject: Subject, path: str, method: str, origin: str) -> Answer:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return subject.send("OPTIONS", path, headers=headers, token=None)


def _answers(subject: Subject, origin: str, *, error: bool) -> list[Answer]:
    headers = {"Origin": origin}
    if error:
        path = subject.services[0].path if subject.services else "/cds-services/any"
        return [subject.send("POST", path, body=b"{", headers=headers)]
    return [subject.send("GET", subject.options.discovery, headers=headers)]


def _words(answer: Answer, name: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers.get(name, "").split(",")}
