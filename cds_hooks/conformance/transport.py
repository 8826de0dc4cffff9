"""Checks of the transport: TLS, JSON, and nothing null or empty in any ordinary answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer, NotJson, is_loopback, walk
from cds_hooks.conformance.subject import Subject

_MAY_BE_EMPTY = ("cards", "services")


@check("transport.tls", 2)
def tls(subject: Subject) -> Iterator[Problem]:
    """The service is reached over TLS, unless it runs on this machine."""
    base = subject.options.base
    if not base.startswith("https://") and not is_loopback(base):
        yield Problem("plain http to another machine: patient data would travel in the open")


@check("transport.json", 1)
def json_only(subject: Subject) -> Iterator[Problem]:
    """Every ordinary answer is JSON of RFC 8259."""
    for answer in _successes(subject):
        try:
            _ = answer.document
        except NotJson as error:
            yield Problem(f"the body is no JSON: {error}", answer)


@check("transport.content-type", 1)
def content_type(subject: Subject) -> Iterator[Problem]:
    """Every ordinary answer has the content type application/json."""
    for answer in _successes(subject):
        if answer.media_type != "application/json":
            said = answer.media_type or "none"
            yield Problem(f"the content type is {said}", answer, mild=answer.media_type.endswith("+json"))


@check("transport.null", 3, 26)
def null(subject: Subject) -> Iterator[Problem]:
    """No member of an ordinary answer is null."""
    for answer in _successes(subject):
        for path, held, _ in walk(answer.object):
            if held is None:
                yield Problem(f"{path} is null", answer)


@check("transport.empty", 4, 5, 26)
def empty(subject: Subject) -> Iterator[Problem]:
    """No member of an ordinary answer is an empty text, list or object, cards and services excepted."""
    for answer in _successes(subject):
        for path, held, _ in walk(answer.object):
            if _is_empty(held) and path not in _MAY_BE_EMPTY:
                yield Problem(f"{path} is empty", answer)


def _is_empty(held: Any) -> bool:
    return isinstance(held, str | list | dict) and not held


def _successes(subject: Subject) -> list[Answer]:
    """Discovery and the ordinary calls, as far as they were answered with 200."""
    found = [subject.discovery]
    try:
        found += [call.answer for call in subject.answered]
    except Skip:
        pass
    found = [answer for answer in found if answer.status == 200]
    if not found:
        raise Skip(f"nothing was answered with 200 (discovery: {subject.discovery.said})")
    return found
