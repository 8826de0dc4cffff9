"""Checks of the transport: TLS, JSON, and nothing null or empty in any ordinary answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer, NotJson, is_loopback, walk
from cds_hooks.conformance.subject import Subject

# FHIR pairs a primitive list with its extensions place by place, and marks an empty place with null.
_PLACEHOLDER = re.compile(
    r"(cards\[\d+\]\.suggestions\[\d+\]\.actions|systemActions)\[\d+\]\.resource\..*\[\d+\]"
)
_MAY_BE_EMPTY = ("cards", "services")


@check("transport.tls", 2)
def tls(subject: Subject) -> Iterator[Problem]:
    """The service is reached over TLS, unless it runs on this machine."""
    base = subject.options.base
    if not base.startswith("https://") and not is_loopback(base):
        text = "plain http to another machine: patient data would travel in the open"
        private = _is_private(urlsplit(base).hostname or "")
        if private and not subject.options.production:
            text += " (a private address: a warning unless --production is given)"
        yield Problem(text, mild=private and not subject.options.production)


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
    """No member of an ordinary answer is null, but the empty places of a primitive list in FHIR."""
    for answer in _successes(subject):
        for path, held, _ in walk(answer.object):
            if held is None and not _PLACEHOLDER.fullmatch(path):
                yield Problem(f"{path} is null", answer)


@check("transport.empty", 4, 5, 26)
def empty(subject: Subject) -> Iterator[Problem]:
    """No member of an ordinary answer is an empty text, list or object, cards and services excepted."""
    for answer in _successes(subject):
        for path, held, _ in walk(answer.object):
            if _is_empty(held) and path not in _MAY_BE_EMPTY:
                yield Problem(f"{path} is empty", answer)


def _is_private(host: str) -> bool:
    """A name without a dot is one of a container or of the same network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


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
