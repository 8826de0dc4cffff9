"""What an analyst must enter, as a page of Markdown: tables to read, blocks to paste."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

import msgspec

from cds_hooks.integration import Integration, Jwt, Lacking, Registration
from plugin.settings import Algorithm, FhirServer, Issuer, Profile

_ISSUER = "https://ehr.hospital.example"
_KEYS = "https://ehr.hospital.example/jwks.json"
_FHIR = "https://fhir.hospital.example/r4"

_PREFETCH = """\
The same for every service, one key a line. A key that is left out is read from the FHIR server, where the
client names one and sends a token; what nobody reads is named on the cards. At least one of {decisive} must
be readable; else the answer is 412."""
_ORDERS = """\
Cards suggest these orders, as drafts that a clinician must accept; nothing is changed or deleted. The site's
own codes go into the settings and then stand first in the draft{systems}."""
_JWT = """\
- Algorithm: {algorithms}; header with `kid` and `typ` JWT.
- Claims: {claims}.
- `aud` is the address that is called, to the letter: the table above for calls, the same with `/feedback`
  for feedback, `{discovery}` for discovery.{audiences}
- `exp` is at most {seconds:g} seconds after `iat`; clocks may differ by {leeway:g} seconds."""
_ALSO = "\n  Accepted in its place, as our settings have it: {audiences}."
_ONCE = "\n- Every call has a `jti` of its own: a token is accepted once."


def page(made: Integration) -> str:
    """Returns the page; its code blocks hold the prefetch, the scopes and the settings of our side."""
    systems = ", ".join(f"`{one}`" for one in made.order_systems)
    blocks = [
        f"# Vestige at {made.title}",
        f"Source on the client: {made.source}. CDS Hooks {made.specification}, FHIR R4.",
        "## Services",
        _discovery(made),
        _table(
            ("service", "hook", "address"),
            ((o.id, f"{o.hook} {o.hook_version}", o.url) for o in made.services),
        ),
        "Feedback on a card goes to the same address with `/feedback` behind it.",
        *_lacking("Services that this client does not use:", made.not_fired),
        "## Prefetch",
        _PREFETCH.format(decisive=", ".join(one.key for one in made.prefetch if one.decisive)),
        _block("\n".join(f"{one.key} = {one.query}" for one in made.prefetch)),
        *_lacking("Not served there; the cards say what follows from it:", made.not_served),
        "## Access to the FHIR server",
        "Read only, for the one patient of the call. SMART App Launch 2:",
        _block(" ".join(made.scopes.v2)),
        "SMART App Launch 1:",
        _block(" ".join(made.scopes.v1)),
        "## Links",
        "Nothing else is ever linked to; allow these addresses:",
        "\n".join(f"- `{link}`" for link in made.links),
        *_apps(made.apps),
        "## Override reasons",
        _table(
            ("code", "display", "system"),
            ((o["code"], o["display"], o["system"]) for o in made.override_reasons),
        ),
        "## Orders",
        _ORDERS.format(systems=f" (systems {systems})" if systems else ""),
        _table(
            ("order", "setting", "codes"), ((o.order, f"`{o.setting}`", str(o.codes)) for o in made.orders)
        ),
        "## Signed calls (JWT)",
        _jwt(made.jwt),
        "On our side:",
        _block(settings(made), "toml"),
    ]
    if made.limits:
        blocks += ["## What does not work there", "\n".join(f"- {limit}" for limit in made.limits)]
    return "\n\n".join(blocks) + "\n"


def _apps(apps: Iterable[Registration]) -> list[str]:
    """The timeline page's registration with each server; nothing where the page is off."""
    blocks = [block for one in apps for block in _app(one)]
    return ["## The timeline page, a SMART app", *blocks] if blocks else []


def _app(one: Registration) -> list[str]:
    rows = [
        ("FHIR server", f"`{one.server}`"),
        ("client id", f"`{one.client_id}`"),
        ("confidential", one.confidential),
        ("launch address", f"`{one.launch}`"),
        ("redirect address", f"`{one.redirect}`"),
    ]
    if one.frame_ancestors:
        rows.append(("shown in a frame of", ", ".join(f"`{origin}`" for origin in one.frame_ancestors)))
    blocks = [
        _table(("to register", "value"), rows),
        "Scopes of a launch from the EHR, SMART App Launch 2 and 1:",
    ]
    blocks += [_block(" ".join(one.scopes.v2)), _block(" ".join(one.scopes.v1))]
    if one.write_scopes is not None:
        blocks.append("Asked for beyond these by whoever records a reading on the page:")
        blocks += [_block(" ".join(one.write_scopes.v2)), _block(" ".join(one.write_scopes.v1))]
    return blocks


def settings(made: Integration) -> str:
    """Returns the part of our settings file that is this client's: what is set, or marked placeholders."""
    base = made.discovery.removesuffix("/cds-services")
    lines = ["[service]", f"public_url = {_toml(base)}"]
    for issuer in made.issuers or (_unnamed(made),):
        lines += ["", "[[trust.issuers]]", *_issuer(issuer, made)]
    for server in made.servers:
        lines += ["", "[[fhir.servers]]", *_set(server, ("base",))]
        if server.issuer is None:
            lines.append("# Every client that is trusted may name this server; an issuer here narrows that.")
        if server.backend is not None:
            lines += ["[fhir.servers.backend]", *_set(server.backend, ("client_id", "key", "kid"))]
    if not made.servers:
        server = FhirServer(base=_FHIR, issuer=(made.issuers or (_unnamed(made),))[0].issuer)
        lines += ["", "[[fhir.servers]]", *_set(server, ("base",), placeholders=("base",))]
    return "\n".join(lines)


def _unnamed(made: Integration) -> Issuer:
    """An issuer that is not trusted yet: what is the same at every such client, and no more."""
    return Issuer(
        issuer=made.jwt.issuer or _ISSUER,
        jku=() if made.jwt.jku is None else (made.jwt.jku,),
        algorithms=cast("tuple[Algorithm, ...]", made.jwt.algorithms),
        profile=cast("Profile", made.client),
    )


def _issuer(issuer: Issuer, made: Integration) -> list[str]:
    placeholders = ["issuer"] if not made.issuers and made.jwt.issuer is None else []
    if not issuer.jku and issuer.jwks_file is None:
        issuer = msgspec.structs.replace(issuer, jku=(_KEYS,))
        placeholders.append("jku")
    return _set(issuer, ("issuer", "algorithms", "profile"), placeholders=placeholders)


def _set(one: msgspec.Struct, always: Iterable[str], placeholders: Iterable[str] = ()) -> list[str]:
    """The keys of one section that are not at their default, and those that are always written."""
    lines = []
    for field in msgspec.structs.fields(one):
        value = getattr(one, field.name)
        if isinstance(value, msgspec.Struct) or (value == field.default and field.name not in always):
            continue
        mark = "  # PLACEHOLDER: not in the settings yet" if field.name in placeholders else ""
        lines.append(f"{field.name} = {_toml(value)}{mark}")
    return lines


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    # A text of JSON is one of TOML, but for the one control character that JSON leaves as it is.
    text = json.dumps(value if isinstance(value, bool) else str(value), ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in texts)


def _discovery(made: Integration) -> str:
    if made.reads_discovery:
        return f"The client reads `{made.discovery}`; the tables below are what it finds there."
    return f"The client does not read `{made.discovery}`: enter each service and its prefetch by hand."


def _jwt(made: Jwt) -> str:
    text = _JWT.format(
        algorithms=" or ".join(made.algorithms),
        claims=", ".join(f"`{claim}`" for claim in made.claims),
        discovery=made.discovery_audience,
        audiences=_ALSO.format(audiences=_quoted(made.audiences)) if made.audiences else "",
        seconds=made.max_seconds,
        leeway=made.leeway_seconds,
    )
    return text + (_ONCE if made.once else "")


def _lacking(title: str, what: Iterable[Lacking]) -> list[str]:
    lines = [f"- {one.name}: {one.why}" for one in what]
    return [title, "\n".join(lines)] if lines else []


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def _block(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```"
