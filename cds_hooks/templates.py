"""Prefetch templates: what every known client can fill (CDS Hooks 2.0.1, "Prefetch")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_hooks.hooks import Hook

KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
USER_TOKENS = frozenset(
    {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
)
RESULT_PARAMETERS = frozenset({"_count", "_sort"})
_DATE = re.compile(r"(eq|lt|gt|ge|le)?\d{4}(-\d\d(-\d\d)?)?")


def problems(hook: Hook, key: str, template: str) -> tuple[str, ...]:
    """Returns why a template should not be published for a hook; empty where it may be.

    The subset is the one of 2.0.1's "Prefetch query restrictions", narrowed to what is served alike by the
    public clients: required context fields only, each search parameter once, one way to write a token.
    """
    return tuple(_problems(hook, key, template))


def _problems(hook: Hook, key: str, template: str) -> Iterator[str]:
    if not KEY.fullmatch(key):
        yield f"key {key!r} is not letters, digits, '-' and '_'"
    yield from _token_problems(hook, template)
    path, mark, query = TOKEN.sub("0", template).partition("?")
    if not re.fullmatch(r"[A-Z][A-Za-z]+" if mark else r"[A-Z][A-Za-z]+/0", path):
        yield "neither the read of one resource nor a search on one type"
    if mark:
        yield from _search_problems(query)


def _token_problems(hook: Hook, template: str) -> Iterator[str]:
    rest = TOKEN.sub("", template)
    if "{" in rest or "}" in rest:
        yield "braces that are no token"
    allowed = {f"context.{name}" for name in hook.tokens} | USER_TOKENS
    for token in TOKEN.findall(template):
        if token not in allowed:
            yield f"token {token!r} is no required primitive context field of {hook.name}"


def _search_problems(query: str) -> Iterator[str]:
    names = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        names.append(name)
        if not equals or not value:
            yield f"parameter {name!r} has no value"
        plain, _, modifier = name.partition(":")
        if modifier not in ("", "in"):
            yield f"modifier :{modifier}"
        if plain.startswith("_") and plain not in RESULT_PARAMETERS:
            yield f"parameter {plain}"
        if "." in plain:
            yield f"chained parameter {plain}"
        if plain in ("date", "_lastUpdated") and not _DATE.fullmatch(value):
            yield f"date {value!r} is not a day with eq, lt, gt, ge or le"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"parameter {name} twice: some clients join the values, which turns AND into OR"
