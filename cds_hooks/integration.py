"""What an analyst must enter in an EHR to connect it, from the registries that the service itself runs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cds_hooks.discovery import SPECIFICATION
from cds_hooks.profiles import Profile
from cds_hooks.services import Service, services_of
from cds_hooks.timeline_page.scopes import read_scopes, write_scopes
from plugin.address import base_of
from plugin.advice.suggest import override_reasons
from plugin.advice.text import Texts
from plugin.dialects import dialects
from plugin.pull import QUERIES
from plugin.pull.capability import configured, plan
from plugin.settings import FhirServer, Issuer, Settings, Trust
from plugin.settings_page import PageClient

# What the pull reads by reference beside the searches of the registry.
REFERENCED = ("Medication",)
# The settings of the section `codes` with the word under which the card offers the order.
ORDERS = {
    "liver_mri": "mri",
    "liver_mri_plain": "mri_plain",
    "ious": "ious",
    "ceious": "ceious",
    "mdt_review": "mdt",
}


class Offered(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One service to register; the audience of its calls is `url`, that of its feedback `feedback`."""

    id: str
    hook: str
    hook_version: str
    title: str
    purpose: str
    url: str
    feedback: str


class Key(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One row of the prefetch table."""

    key: str
    query: str
    resource: str
    decisive: bool


class Lacking(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What cannot be set up at this client, and why."""

    name: str
    why: str


class Scopes(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The least that is read, as scopes of SMART App Launch 2 and 1."""

    v2: tuple[str, ...]
    v1: tuple[str, ...]


class Order(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One order that cards suggest: where the site's own codes for it go, and how many are there."""

    setting: str
    order: str
    codes: int


class Jwt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How the client must sign its calls; the audience of each call is the address that it goes to.

    `audiences` are accepted beside it. `issuer` and `jku` are the first that is trusted, or what is known of
    every such client.
    """

    algorithms: tuple[str, ...]
    claims: tuple[str, ...]
    discovery_audience: str
    audiences: tuple[str, ...]
    issuer: str | None
    jku: str | None
    max_seconds: float
    leeway_seconds: float
    once: bool


class Registration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The timeline page as a SMART app, one for each FHIR server; `scopes` are for a launch from the EHR."""

    server: str
    client_id: str
    confidential: str
    launch: str
    redirect: str
    scopes: Scopes
    write_scopes: Scopes | None
    frame_ancestors: tuple[str, ...]


class Integration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything to enter at one client.

    `issuers` and `servers` are what our settings hold of this client already, under the settings' own names:
    nothing of another client is among them.
    """

    client: str
    title: str
    source: str
    specification: str
    reads_discovery: bool
    discovery: str
    services: tuple[Offered, ...]
    not_fired: tuple[Lacking, ...]
    prefetch: tuple[Key, ...]
    not_served: tuple[Lacking, ...]
    scopes: Scopes
    links: tuple[str, ...]
    apps: tuple[Registration, ...]
    override_reasons: tuple[Mapping[str, str], ...]
    orders: tuple[Order, ...]
    order_systems: tuple[str, ...]
    jwt: Jwt
    fhir_servers: tuple[str, ...]
    issuers: tuple[Issuer, ...]
    servers: tuple[FhirServer, ...]
    limits: tuple[str, ...]


def integration(profile: Profile, settings: Settings, texts: Texts, *, base: str) -> Integration:
    """Returns what to enter at this client for the service at `base`, an address without a trailing slash."""
    offered = services_of(settings).values()
    root = f"{base}/cds-services"
    keys, lacking = _prefetch(profile)
    issuers = tuple(one for one in settings.trust.issuers if one.profile == profile.name)
    names = {None, *((one.issuer for one in issuers) if issuers else (profile.trust.issuer,))}
    # A server without an issuer may be named by every client; one with another's must never be bound to this.
    servers = tuple(server for server in settings.fhir.servers if server.issuer in names)
    return Integration(
        client=profile.name,
        title=profile.title,
        source=profile.source,
        specification=SPECIFICATION,
        reads_discovery=profile.reads_discovery,
        discovery=root,
        services=tuple(_offered(one, root) for one in offered if _fires(profile, one)),
        not_fired=tuple(
            Lacking(name=one.id, why=f"{one.hook.name} is not fired")
            for one in offered
            if not _fires(profile, one)
        ),
        prefetch=keys,
        not_served=lacking,
        scopes=_scopes({one.resource for one in keys}),
        links=(base, *(link.url for link in settings.cards.links if link.type in profile.cards.link_types)),
        apps=_apps(settings, base),
        override_reasons=tuple(
            {"system": one.system, "code": one.code, "display": one.display}
            for one in override_reasons(texts)
        ),
        orders=tuple(
            Order(
                setting=f"codes.{name}",
                order=texts.word("suggestions", word),
                codes=len(getattr(settings.codes, name)),
            )
            for name, word in ORDERS.items()
        ),
        order_systems=profile.orders.systems,
        jwt=_jwt(profile, issuers, settings.trust, root),
        fhir_servers=tuple(server.base for server in servers),
        issuers=issuers,
        servers=servers,
        limits=profile.limits,
    )


def _fires(profile: Profile, service: Service) -> bool:
    """A site's own hook is for the site to fire; every other is as the client's documentation says."""
    return service.hook.name in profile.fires or bool(service.hook.shown_as)


def _offered(service: Service, root: str) -> Offered:
    return Offered(
        id=service.id,
        hook=service.hook.name,
        hook_version=service.hook.version,
        title=service.title,
        purpose=service.description,
        url=f"{root}/{service.id}",
        feedback=f"{root}/{service.id}/feedback",
    )


def _prefetch(profile: Profile) -> tuple[tuple[Key, ...], tuple[Lacking, ...]]:
    """Each query in the way that the client's FHIR server is known to answer."""
    known = configured(dialects()[profile.fhir_dialect] if profile.fhir_dialect else None)
    keys: list[Key] = []
    lacking: list[Lacking] = []
    for query in QUERIES:
        ways = plan(query, known)
        if ways.ways:
            keys.append(
                Key(key=query.key, query=ways.ways[0], resource=query.resource, decisive=query.decisive)
            )
        else:
            lacking.append(Lacking(name=query.key, why=ways.refusal))
    return tuple(keys), tuple(lacking)


def _scopes(resources: Iterable[str]) -> Scopes:
    names = sorted({*resources, *REFERENCED})
    return Scopes(
        v2=tuple(f"patient/{name}.{'r' if name in (*REFERENCED, 'Patient') else 'rs'}" for name in names),
        v1=tuple(f"patient/{name}.read" for name in names),
    )


def _apps(settings: Settings, base: str) -> tuple[Registration, ...]:
    """What to register for the timeline page; nothing while the settings leave it off."""
    if not settings.page.enabled:
        return ()
    return tuple(
        Registration(
            server=base_of(client.server),
            client_id=client.client_id,
            confidential=_confidential(client),
            launch=f"{base}/timeline/launch",
            redirect=f"{base}/timeline/callback",
            scopes=_read_on_the_page(client),
            write_scopes=_written_on_the_page() if client.write else None,
            frame_ancestors=settings.page.frame_ancestors,
        )
        for client in settings.page.clients
    )


def _read_on_the_page(client: PageClient) -> Scopes:
    v2, v1 = (read_scopes(v1=one, launched=True) for one in (False, True))
    return Scopes(v2=client.scopes or v2, v1=client.scopes or v1)


def _written_on_the_page() -> Scopes:
    return Scopes(v2=write_scopes(v1=False), v1=write_scopes(v1=True))


def _confidential(client: PageClient) -> str:
    if client.key is not None:
        return f"private_key_jwt, {client.algorithm}, kid {client.kid}"
    return "client secret" if client.client_secret is not None else "no, public with PKCE (S256)"


def _jwt(profile: Profile, issuers: Sequence[Issuer], trust: Trust, root: str) -> Jwt:
    fixed, first = profile.trust, next(iter(issuers), None)
    return Jwt(
        algorithms=_each(one.algorithms for one in issuers) if issuers else fixed.algorithms,
        claims=("iss", "aud", "exp", "iat", "jti"),
        discovery_audience=root,
        audiences=_each(one.audiences for one in issuers),
        issuer=fixed.issuer if first is None else first.issuer,
        jku=fixed.jku if first is None else next(iter(first.jku), None),
        max_seconds=trust.max_lifetime,
        leeway_seconds=trust.leeway,
        once=trust.replay_protection,
    )


def _each(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Everything in the lists, once, in order."""
    return tuple(dict.fromkeys(one for held in lists for one in held))


def as_document(made: Integration) -> dict[str, Any]:
    """Returns the same as plain JSON values."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made, enc_hook=str))
    return document
