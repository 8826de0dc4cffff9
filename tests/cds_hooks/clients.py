"""How known CDS clients turn a prefetch template into a request, each written from what is known of it."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote, urlencode

TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
Filled = tuple[str, list[tuple[str, str]]]
USERS = {"Practitioner": "userPractitionerId", "PractitionerRole": "userPractitionerRoleId"}


class Unfilled(Exception):
    """The client cannot fill the template."""


def known(context: Mapping[str, str]) -> dict[str, str]:
    """The tokens of 2.0.1: primitive members of the context, and the id of the user by its type."""
    kind, _, name = context.get("userId", "").partition("/")
    tokens = {f"context.{key}": value for key, value in context.items() if isinstance(value, str)}
    return {**tokens, **({USERS[kind]: name} if kind in USERS else {})}


def parsed(request: str) -> Filled:
    path, _, query = request.partition("?")
    return path, parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))


def specification(template: str, context: Mapping[str, str]) -> Filled:
    """2.0.1 to the letter: every token is filled, or the key is left out."""
    tokens = known(context)

    def fill(found: re.Match[str]) -> str:
        if found[1] not in tokens:
            raise Unfilled(found[1])
        return quote(tokens[found[1]], safe="/")

    return parsed(TOKEN.sub(fill, template))


def sandbox(template: str, context: Mapping[str, str]) -> Filled:
    """The public sandbox: a search becomes a form, in which values of one name are joined with a comma."""
    tokens = known(context)
    filled = TOKEN.sub(lambda found: tokens.get(found[1], found[0]), template)
    path, mark, query = filled.partition("?")
    if not mark:
        if "{{" in path:
            raise Unfilled(path)
        return path, []
    form: dict[str, list[str]] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        form.setdefault(name, []).append(value)
    body = urlencode({name: ",".join(values) for name, values in form.items()})
    return parsed(f"{path}?{body}")


EPIC = {"context.patientId", "context.userId", "context.encounterId", *USERS.values()}


def epic(template: str, context: Mapping[str, str]) -> Filled:
    """Epic: five tokens, typed by hand; a pipe may be written out or encoded."""
    for token in TOKEN.findall(template):
        if token not in EPIC:
            raise Unfilled(token)
    return specification(template.replace("|", "%7C"), context)


def hapi(template: str, context: Mapping[str, str]) -> Filled:
    """A HAPI service as the client's proxy: members of the context only, an absent one is an error."""
    for token in TOKEN.findall(template):
        name = token.removeprefix("context.")
        if name == token or name not in context:
            raise Unfilled(token)
    return specification(template, context)


CLIENTS: dict[str, Callable[[str, Mapping[str, str]], Filled]] = {
    "specification": specification,
    "sandbox": sandbox,
    "epic": epic,
    "hapi": hapi,
}
