"""Checks of prefetch templates: what the specification allows, and what known clients can fill."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.library import hooks, resource_types, user_tokens
from cds_hooks.conformance.patients import TOKEN
from cds_hooks.conformance.services import Service
from cds_hooks.conformance.shown import value
from cds_hooks.conformance.subject import Subject

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_CONTEXT = re.compile(r"context\.[A-Za-z_]\w*")
_DAY = re.compile(r"(eq|lt|gt|ge|le)?(0|\d{4}.*)")
_DATES = ("date", "_lastUpdated", "authoredon", "authored", "effective", "onset-date", "recorded-date")
_RESULT = ("_count", "_sort")
Template = tuple[Service, str, str]


@check("templates.key", 50)
def key(subject: Subject) -> Iterator[Problem]:
    """Keys are letters, digits, hyphens and underscores."""
    for template in _templates(subject):
        if not _KEY.fullmatch(template[1]):
            yield _problem(subject, template, "its key is not plain")


@check("templates.braces", 34)
def braces(subject: Subject) -> Iterator[Problem]:
    """Tokens stand between double braces, which are balanced and not nested."""
    for template in _templates(subject):
        rest = TOKEN.sub("", template[2])
        if "{" in rest or "}" in rest:
            yield _problem(subject, template, "it has braces that are no token")


@check("templates.token", 35, 37)
def token(subject: Subject) -> Iterator[Problem]:
    """A token is a field of the hook's context or one of the four user ids."""
    for template, named in _tokens(subject):
        if named in user_tokens():
            continue
        if not named.startswith("context."):
            text = f"its token {value(named)} is neither context nor user id"
            yield _problem(subject, template, text, mild=_of_3(template[0]))
            continue
        known = hooks().get(template[0].hook)
        own = named.removeprefix("context.")
        if known and _CONTEXT.fullmatch(named) and own not in known.fields:
            yield _problem(subject, template, f"{known.name} has no {named}")


@check("templates.root", 36)
def root(subject: Subject) -> Iterator[Problem]:
    """A context token names a field at the root of the context."""
    for template, named in _tokens(subject):
        if named.startswith("context.") and not _CONTEXT.fullmatch(named):
            text = f"its token {value(named)} reaches below the root"
            yield _problem(subject, template, text, mild=_of_3(template[0]))


@check("templates.field", 38)
def field(subject: Subject) -> Iterator[Problem]:
    """No token stands for a field that its hook keeps from prefetch."""
    for template, named in _tokens(subject):
        hook = hooks().get(template[0].hook)
        held = hook.fields.get(named.removeprefix("context.").partition(".")[0]) if hook else None
        if held is not None and not held.prefetch:
            yield _problem(subject, template, f"{named} may not be used in prefetch")


@check("templates.query", 39)
def query(subject: Subject) -> Iterator[Problem]:
    """A template reads one resource or searches one type."""
    for template in _templates(subject):
        path, mark, _ = _split(template[2])
        read = re.fullmatch(r"[A-Z][A-Za-z]+/[^/$]+|0", path)
        if not (re.fullmatch(r"[A-Z][A-Za-z]+", path) if mark else read):
            yield _problem(subject, template, "it is neither the read of one resource nor a search of a type")


@check("templates.modifier", 40)
def modifier(subject: Subject) -> Iterator[Problem]:
    """The only modifier of a search parameter is :in."""
    for template, name, _ in _parameters(subject):
        _, colon, used = name.partition(":")
        if colon and used != "in":
            yield _problem(subject, template, f"it uses the modifier :{used}")


@check("templates.dates", 41)
def dates(subject: Subject) -> Iterator[Problem]:
    """Dates use no prefix but eq, lt, gt, ge and le."""
    for template, name, held in _parameters(subject):
        if name in _DATES and not all(_DAY.fullmatch(one) for one in held.split(",")):
            yield _problem(subject, template, f"its {name} {value(held)} has another prefix")


@check("templates.results", 42)
def results(subject: Subject) -> Iterator[Problem]:
    """No result parameter but _count and _sort, no include, no reverse search, no chain."""
    for template, name, _ in _parameters(subject):
        plain = name.partition(":")[0]
        special = plain.startswith("_") and plain not in (*_RESULT, "_id", "_lastUpdated")
        if special or "." in plain:
            yield _problem(subject, template, f"it uses {plain}")


@check("templates.repeated", 43)
def repeated(subject: Subject) -> Iterator[Problem]:
    """No search parameter occurs twice: some clients join the values, which turns AND into OR."""
    for template in _templates(subject):
        names = [name for name, _ in _pairs(template[2])]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield _problem(subject, template, f"it has {name} twice")


@check("templates.optional-field", 46)
def optional_field(subject: Subject) -> Iterator[Problem]:
    """No template depends on a context field that the client may leave out."""
    for template, named in _tokens(subject):
        hook = hooks().get(template[0].hook)
        held = hook.fields.get(named.removeprefix("context.")) if hook else None
        if held is not None and held.prefetch and not held.required:
            yield _problem(subject, template, f"{named} is optional: without it the key cannot be filled")


@check("templates.type", 47)
def resource_type(subject: Subject) -> Iterator[Problem]:
    """A template names a resource type of FHIR R4."""
    for template in _templates(subject):
        kind = re.match(r"[A-Za-z]+", _split(template[2])[0])
        if kind and kind[0] not in resource_types():
            yield _problem(subject, template, f"{kind[0]} is no resource type of FHIR R4")


@check("templates.client", 205, 206, 207)
def client(subject: Subject) -> Iterator[Problem]:
    """The chosen client fires a hook of the services and fills their tokens."""
    profile = subject.options.profile
    if not profile.hooks and not profile.tokens:
        raise Skip(f"nothing is known to be missing in the client {profile.name}")
    named = sorted({service.hook for service in subject.offered})
    if profile.hooks and not set(named) & set(profile.hooks):
        yield Problem(f"{profile.name} fires none of {', '.join(named)}", subject.discovery)
    for service in subject.offered:
        for name, template in service.templates.items():
            for used in TOKEN.findall(template) if profile.tokens else ():
                if used not in profile.tokens:
                    yield _problem(subject, (service, name, template), f"{profile.name} does not fill {used}")


def _templates(subject: Subject) -> list[Template]:
    found = [
        (service, name, template)
        for service in subject.offered
        for name, template in service.templates.items()
    ]
    if not found:
        raise Skip("no service publishes a template")
    subject.look(subject.discovery)
    return found


def _tokens(subject: Subject) -> Iterator[tuple[Template, str]]:
    for template in _templates(subject):
        for found in TOKEN.findall(template[2]):
            if not found.startswith("%"):
                yield template, found


def _split(template: str) -> tuple[str, str, str]:
    return TOKEN.sub("0", template).partition("?")


def _pairs(template: str) -> list[tuple[str, str]]:
    parts = _split(template)[2].split("&")
    return [(name, held) for name, _, held in (part.partition("=") for part in parts) if name]


def _parameters(subject: Subject) -> Iterator[tuple[Template, str, str]]:
    for template in _templates(subject):
        for name, held in _pairs(template[2]):
            yield template, name, held


def _problem(subject: Subject, template: Template, text: str, *, mild: bool = False) -> Problem:
    service, name, held = template
    where = f"{service.id}: prefetch {value(name)} {value(held)}"
    return Problem(f"{where}: {text}", subject.discovery, mild=mild)


def _of_3(service: Service) -> bool:
    """The service says that it follows 3.0, where a token may be a path and today() with days."""
    stated = str(service.entry.get("version", ""))
    return re.match(r"[3-9]|\d\d", stated) is not None
