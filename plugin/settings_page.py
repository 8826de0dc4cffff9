"""The settings of the timeline page: who may frame it, and as which SMART app it is known to which server."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from plugin.address import AddressError, base_of, check
from plugin.errors import SettingsError

_ORIGIN = re.compile(r"https://(\*\.)?[A-Za-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class PageClient(Struct, frozen=True, kw_only=True):
    """Our registration as a SMART app with one FHIR server, an entry of `fhir.servers`.

    Without `client_secret` or `key` (files) we are a public client; `key` and `kid` sign as private_key_jwt.
    The endpoints are asked of the server, which must name some at its own address; those at another one are
    named here. `scopes` replaces what the searches need; `write` lets the reading form ask for more.
    """

    server: str
    client_id: Annotated[str, Meta(min_length=1)]
    client_secret: Path | None = None
    key: Path | None = None
    kid: str | None = None
    algorithm: Literal["ES384", "RS384"] = "ES384"
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    jwks_uri: str | None = None
    scopes: tuple[str, ...] = ()
    write: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """The timeline page; off unless enabled. `frame_ancestors` are the origins of an EHR that embeds it."""

    enabled: bool = False
    frame_ancestors: tuple[str, ...] = ()
    session_minutes: Annotated[float, Meta(gt=0, le=720)] = 60.0
    max_sessions: Annotated[int, Meta(ge=1, le=10_000)] = 100
    clients: tuple[PageClient, ...] = ()


class Server(Protocol):
    """What is asked of an entry of `fhir.servers`."""

    @property
    def base(self) -> str: ...

    @property
    def allow_http(self) -> bool: ...


def check_page(page: Page, servers: Iterable[Server], *, service_open: bool) -> None:
    """Passes settings of a page that can work; raises SettingsError where one of them cannot."""
    known = {base_of(server.base): server for server in servers}
    for origin in page.frame_ancestors:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(f"page.frame_ancestors: {origin!r} must be an https origin without a path")
    bases = []
    for number, client in enumerate(page.clients):
        where = f"page.clients[{number}]"
        try:
            base = base_of(client.server)
        except AddressError as error:
            raise SettingsError(f"{where}.server: {error}") from error
        if base not in known:
            raise SettingsError(f"{where}.server: must be the base of an entry of fhir.servers")
        bases.append(base)
        _check_client(client, where, allow_http=known[base].allow_http, service_open=service_open)
    if len(set(bases)) < len(bases):
        raise SettingsError("page.clients: one server is named twice")
    if page.enabled and not page.clients:
        raise SettingsError("page.enabled: add [[page.clients]], the page's registration with a FHIR server")


def _check_client(client: PageClient, where: str, *, allow_http: bool, service_open: bool) -> None:
    if client.client_secret is not None and client.key is not None:
        raise SettingsError(f"{where}: client_secret and key are two ways to say who we are; keep one")
    if client.client_secret is not None:
        secret_of(client.client_secret, where)
    if client.key is not None:
        _check_key(client, where)
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        address = getattr(client, name)
        if address is not None:
            try:
                check(address.split("?", 1)[0], allow_http=allow_http, service_open=service_open)
            except AddressError as error:
                raise SettingsError(f"{where}.{name}: {error}") from error


def _check_key(client: PageClient, where: str) -> None:
    # Only here: the key needs cryptography that most sites never load.
    from plugin.private_key import KeyFileError, private_key

    if client.kid is None:
        raise SettingsError(f"{where}.key needs kid beside it, the name under which its public half is known")
    try:
        assert client.key is not None
        private_key(client.key, client.algorithm)
    except KeyFileError as error:
        raise SettingsError(f"{where}.key: {error}") from error


def secret_of(file: Path, where: str = "page.clients") -> str:
    """Returns the secret of a file, without blanks around it; raises SettingsError where there is none."""
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where}.client_secret: {file} cannot be read") from error
    if not secret:
        raise SettingsError(f"{where}.client_secret: {file} is empty")
    return secret
