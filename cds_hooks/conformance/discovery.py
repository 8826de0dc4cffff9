"""Checks of discovery: its address, its document, and how it is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from cds_hooks.conformance.checks import Problem, Skip, TokenWanted, check
from cds_hooks.conformance.exchange import NotJson
from cds_hooks.conformance.items import filled
from cds_hooks.conformance.library import hooks
from cds_hooks.conformance.shown import value
from cds_hooks.conformance.subject import Subject

_PLAIN_ID = re.compile(r"[A-Za-z0-9._~-]+")
_DOTTED = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_TYPES = ("application/json", "*/*", "application/json+fhir", "application/fhir+json")


@check("discovery.answers", 11, 24, 25)
def answers(subject: Subject) -> Iterator[Problem]:
    """Discovery answers with 200 at the address that the specification names."""
    answer = subject.look(subject.at_published_path)
    if answer.status in (401, 403) and not subject.authenticates:
        raise TokenWanted
    if answer.status != 200:
        yield Problem(f"GET /cds-services: {answer.said}", answer)


@check("discovery.services", 12)
def services(subject: Subject) -> Iterator[Problem]:
    """The discovery document is an object with the list services."""
    answer = subject.discovery
    if not answer.ok:
        raise Skip(f"there is no discovery document to read: {answer.said}")
    try:
        document = answer.document
    except NotJson:
        raise Skip("the discovery document is no JSON") from None
    if not isinstance(document, dict):
        yield Problem(f"the document is {value(document)}, no object", answer)
    elif not isinstance(document.get("services"), list):
        yield Problem("the document has no list services", answer)
    else:
        for at, entry in enumerate(document["services"]):
            if not isinstance(entry, dict):
                yield Problem(f"services[{at}] is {value(entry)}, no object", answer)


@check("discovery.hook", 14)
def hook(subject: Subject) -> Iterator[Problem]:
    """Each service names its hook."""
    yield from _required_text(subject, "hook")


@check("discovery.description", 15)
def description(subject: Subject) -> Iterator[Problem]:
    """Each service has a description."""
    yield from _required_text(subject, "description")


@check("discovery.id", 16)
def own_id(subject: Subject) -> Iterator[Problem]:
    """Each service has an id that can be part of an address as it is."""
    yield from _required_text(subject, "id")
    for where, entry in subject.listed:
        own = entry.get("id")
        if filled(own) and not _PLAIN_ID.fullmatch(own):
            yield Problem(f"{where}.id {value(own)} needs encoding in an address", subject.discovery, True)


@check("discovery.title", 17)
def title(subject: Subject) -> Iterator[Problem]:
    """Each service has a title."""
    yield from _required_text(subject, "title")


@check("discovery.prefetch", 18, 33)
def prefetch(subject: Subject) -> Iterator[Problem]:
    """Prefetch is an object with a template of text under each key."""
    yield from _optional(subject, "prefetch", lambda held: isinstance(held, dict), "no object")
    for where, entry in subject.listed:
        held = entry.get("prefetch")
        for key, template in held.items() if isinstance(held, dict) else ():
            if template is not None and not isinstance(template, str):
                yield Problem(f"{where}.prefetch.{key} is {value(template)}, no text", subject.discovery)


@check("discovery.usage", 19, strength="SHALL")
def usage(subject: Subject) -> Iterator[Problem]:
    """usageRequirements is text."""
    yield from _optional(subject, "usageRequirements", lambda held: isinstance(held, str), "no text")


@check("discovery.extension", 29)
def extension(subject: Subject) -> Iterator[Problem]:
    """An extension of a service is an object."""
    yield from _optional(subject, "extension", lambda held: isinstance(held, dict), "no object")


@check("discovery.pairs", 23)
def pairs(subject: Subject) -> Iterator[Problem]:
    """No pair of id and hook is listed twice."""
    counted = Counter((service.id, service.hook) for service in subject.offered)
    for (own, hook_name), count in counted.items():
        if count > 1:
            yield Problem(f"{value(own)} for {value(hook_name)} is listed {count} times", subject.discovery)


@check("discovery.shared-id", 22, strength="silent")
def shared_id(subject: Subject) -> Iterator[Problem]:
    """No id serves several hooks: some clients keep only the last of them."""
    found: dict[str, set[str]] = {}
    for service in subject.offered:
        found.setdefault(service.id, set()).add(service.hook)
    for own, named in found.items():
        if len(named) > 1:
            yield Problem(f"{value(own)} serves {', '.join(sorted(named))}", subject.discovery)


@check("discovery.hook-name", 32)
def hook_name(subject: Subject) -> Iterator[Problem]:
    """A hook is a published one, or has a reverse-domain name."""
    for service in subject.offered:
        if service.hook not in hooks() and not _DOTTED.fullmatch(service.hook):
            yield Problem(
                f"{value(service.hook)} is no published hook and no reverse-domain name", subject.discovery
            )


@check("discovery.accept", 27)
def accept(subject: Subject) -> Iterator[Problem]:
    """Discovery answers alike whatever JSON type the client accepts."""
    _found(subject)
    for media_type in _TYPES:
        answer = subject.send("GET", subject.options.discovery, headers={"Accept": media_type})
        if answer.status != 200:
            yield Problem(f"Accept: {media_type}: {answer.said}", answer)


@check("discovery.slash", 28)
def slash(subject: Subject) -> Iterator[Problem]:
    """A trailing slash gives the same document, or a redirect to it."""
    _found(subject)
    path = subject.options.discovery
    answer = subject.send("GET", f"{path}/", token=subject.token(path))
    if answer.status not in (200, 301, 307, 308):
        yield Problem(f"with a trailing slash: {answer.said}", answer)
    elif answer.status == 200 and answer.object != subject.discovery.object:
        yield Problem("with a trailing slash the document is another", answer)


@check("discovery.methods", 28)
def methods(subject: Subject) -> Iterator[Problem]:
    """PUT and DELETE on discovery are refused with 405."""
    _found(subject)
    for method in ("PUT", "DELETE"):
        answer = subject.send(method, subject.options.discovery)
        if answer.status != 405:
            yield Problem(f"{method}: {answer.said}", answer)


def _found(subject: Subject) -> None:
    if subject.discovery.status != 200:
        raise Skip(f"there is no discovery document: {subject.discovery.said}")


def _required_text(subject: Subject, name: str) -> Iterator[Problem]:
    for where, entry in subject.listed:
        held = entry.get(name)
        if held is None:
            yield Problem(f"{where} has no {name}", subject.discovery)
        elif not isinstance(held, str):
            yield Problem(f"{where}.{name} is {value(held)}, no text", subject.discovery)


def _optional(subject: Subject, name: str, fits: Callable[[Any], bool], otherwise: str) -> Iterator[Problem]:
    found = [(where, entry[name]) for where, entry in subject.listed if entry.get(name) is not None]
    if not found:
        raise Skip(f"no service has {name}")
    for where, held in found:
        if not fits(held):
            yield Problem(f"{where}.{name} is {value(held)}, {otherwise}", subject.discovery)
