"""The options by which a command gets into a FHIR server; secrets come from files or the environment only."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from plugin.address import AddressError, base_of, check, is_loopback
from plugin.errors import InputError, SettingsError
from plugin.probe.access import WAYS, Access, Secret, Way, secret_of
from plugin.settings import Backend, Fhir, FhirServer, Settings, checked

FHIR_BASE = typer.Argument(metavar="FHIR_BASE", help="The base address of the FHIR server.")
AUTH = typer.Option(
    None, "--auth", metavar="WAY", help=f"How to get in: {', '.join(WAYS)}. Default: none, or the settings'."
)
CLIENT_ID = typer.Option(None, "--client-id", metavar="ID", help="Our id at the authorisation server.")
KEY = typer.Option(None, "--key", metavar="FILE", help="For backend: our private key, PEM or JWK.")
KID = typer.Option(None, "--kid", metavar="KID", help="For backend: the name our public key has there.")
ALGORITHM = typer.Option("ES384", "--algorithm", metavar="ALG", help="For backend: ES384 or RS384.")
TOKEN_ENDPOINT = typer.Option(
    None, "--token-endpoint", metavar="URL", help="Where tokens are given, if the server does not say so."
)
SECRET_FILE = typer.Option(
    None, "--secret-file", metavar="FILE", help="Holds the bearer token, or the client's secret."
)
SECRET_ENV = typer.Option(
    None,
    "--secret-env",
    metavar="NAME",
    help="The variable that holds it instead; VESTIGE_FHIR_TOKEN or VESTIGE_FHIR_SECRET by default.",
)
SCOPES = typer.Option([], "--scope", metavar="SCOPE", help="A scope to ask for; may be repeated.")
CA_BUNDLE = typer.Option(None, "--ca-bundle", metavar="FILE", help="The authority that the server's TLS has.")
ALLOW_HTTP = typer.Option(False, "--allow-http", help="Permits plain http beyond this machine.")
DIALECT = typer.Option(None, "--dialect", metavar="NAME", help="The make of server, such as oracle-health.")
PARALLEL = typer.Option(4, "--parallel", min=1, max=16, help="The most requests at one time.")
TIMEOUT = typer.Option(30.0, "--timeout", min=1.0, max=600.0, help="Seconds to wait for one answer.")


def base_here(text: str, *, allow_http: bool) -> str:
    """Returns the FHIR base in one spelling; raises InputError where it may not be asked."""
    try:
        base = base_of(text)
        check(base, allow_http=allow_http, service_open=False)
    except AddressError as error:
        raise InputError(f"the FHIR base cannot be used: {error}") from error
    return base


def local(base: str) -> bool:
    """Says whether a FHIR base is on this machine."""
    host = base.partition("://")[2].partition("/")[0]
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return is_loopback(name)


def server_of(
    settings: Settings, base: str, *, ca_bundle: Path | None, allow_http: bool, dialect: str | None
) -> FhirServer:
    """Returns the server as the settings know it, or a new one, with the options of the command line."""
    known = next((one for one in settings.fhir.servers if base_of(one.base) == base), FhirServer(base=base))
    given: dict[str, Any] = {"ca_bundle": ca_bundle, "allow_http": allow_http or None, "dialect": dialect}
    chosen = msgspec.structs.replace(
        known, base=base, **{name: value for name, value in given.items() if value is not None}
    )
    fhir = msgspec.structs.replace(settings.fhir, servers=(msgspec.structs.replace(chosen, backend=None),))
    try:
        checked(msgspec.structs.replace(settings, fhir=fhir))
    except SettingsError as error:
        raise InputError(_by_option(str(error), given)) from error
    if chosen.ca_bundle is not None:
        try:
            ssl.create_default_context(cafile=str(chosen.ca_bundle))
        except OSError as error:
            raise InputError(f"--ca-bundle: {chosen.ca_bundle} holds no certificate in PEM") from error
    return chosen


def _by_option(complaint: str, given: Mapping[str, object]) -> str:
    """The complaint under the name of the option, where one gave the value."""
    text = complaint.removeprefix("fhir.servers[0]").lstrip(".: ")
    key, _, rest = text.partition(":")
    return text if given.get(key) is None else f"--{key.replace('_', '-')}:{rest}"


def limits_of(settings: Settings, timeout: float, parallel: int) -> Fhir:
    """Returns the limits of a command: it may wait longer than a hook call may."""
    return msgspec.structs.replace(
        settings.fhir,
        budget=timeout,
        read_timeout=timeout,
        connect_timeout=min(10.0, timeout),
        parallel=parallel,
    )


def access_of(
    server: FhirServer,
    *,
    auth: str | None,
    client_id: str | None,
    key: Path | None,
    kid: str | None,
    algorithm: str,
    token_endpoint: str | None,
    secret_file: Path | None,
    secret_env: str | None,
    scopes: list[str],
) -> Access:
    """Returns the way in that was asked for; raises InputError naming what is missing."""
    way = _way(auth, server)
    if way == "none":
        return Access()
    if way == "bearer":
        variable = secret_env or "VESTIGE_FHIR_TOKEN"
        return Access(way=way, bearer=secret_of(secret_file, variable, os.environ, "bearer token"))
    if way == "client-credentials":
        if client_id is None:
            raise InputError("--auth client-credentials wants --client-id")
        secret = secret_of(secret_file, secret_env or "VESTIGE_FHIR_SECRET", os.environ, "client secret")
        client = Secret(
            client_id=client_id, secret=secret, token_endpoint=token_endpoint, scopes=tuple(scopes)
        )
        return Access(way=way, client=client)
    backend = _backend(server.backend, client_id, key, kid, algorithm, token_endpoint, tuple(scopes))
    return Access(way=way, backend=backend)


def _way(auth: str | None, server: FhirServer) -> Way:
    if auth is None:
        return "backend" if server.backend is not None else "none"
    found = next((one for one in WAYS if one == auth), None)
    if found is None:
        raise InputError(f"--auth {auth!r} is none of {', '.join(WAYS)}")
    return found


def _backend(
    known: Backend | None,
    client_id: str | None,
    key: Path | None,
    kid: str | None,
    algorithm: str,
    token_endpoint: str | None,
    scopes: tuple[str, ...],
) -> Backend:
    from plugin.private_key import KeyFileError, private_key

    if known is not None and client_id is None:
        return msgspec.structs.replace(known, scopes=scopes or known.scopes)
    if client_id is None or key is None or kid is None:
        raise InputError("--auth backend wants --client-id, --key and --kid, or a backend in the settings")
    if algorithm not in ("ES384", "RS384"):
        raise InputError(f"--algorithm {algorithm!r} is neither ES384 nor RS384")
    chosen: Any = algorithm
    try:
        private_key(key, chosen)
    except KeyFileError as error:
        raise InputError(f"--key: {error}") from error
    return Backend(
        client_id=client_id,
        key=key,
        kid=kid,
        algorithm=chosen,
        token_endpoint=token_endpoint,
        scopes=scopes,
    )
