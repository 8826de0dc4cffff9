"""`vestige serve`: the CDS Hooks service."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import typer
from rich.console import Console

from cds_hooks.cli.terminal import CONFIG, TODAY, day
from cds_hooks.log import to_standard_error
from cds_hooks.process import collect_seldom, few_heaps, give_back, uncollected
from cds_hooks.reload import Reloading
from cds_hooks.server import Listening, Tls, grace_of, listen, port_of, run
from cds_hooks.traces import tracing
from plugin.address import is_loopback
from plugin.errors import SettingsError
from plugin.settings import Service, Settings, checked, load, named
from plugin.settings_clients import check_issuers

FHIR_SERVER = typer.Option(
    [], metavar="BASE", help="Adds a FHIR base to the allow list; with --open, on loopback only."
)


def serve(
    host: str | None = typer.Option(None, help="The address to listen on."),
    port: int | None = typer.Option(None, min=0, max=65535, help="The port to listen on."),
    config: Path | None = CONFIG,
    open_: bool = typer.Option(False, "--open", help="No authentication; loopback only."),
    fhir_server: list[str] = FHIR_SERVER,
    today: str | None = TODAY,
) -> None:
    """Answers hook calls until Ctrl-C; reads settings and rules anew at SIGHUP."""
    if hasattr(signal, "SIGHUP"):
        # Until the service can take it: without this, a reload asked for too early would end the start.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def read() -> Settings:
        with named(config):
            return settings_for(
                load(config), host=host, port=port, open_=open_, fhir_servers=fhir_server, today=today
            )

    settings = read()
    to_standard_error(settings.service.log)
    with listen(settings.service.host, settings.service.port) as bound:
        # A port that the system chose stays the one that it is.
        given = {} if settings.service.port else {"port": port_of(bound)}
        few_heaps()
        with uncollected():
            app = Reloading(lambda: changed(read(), **given), on_hangup=hasattr(signal, "SIGHUP"))
        give_back()
        collect_seldom()
        with tracing(app.settings.traces) as wrap:
            run(
                [Listening(wrap(app), bound, tls_of(app.settings.service))],
                started=lambda: _announce(app.settings),
                grace=grace_of(app.settings.service),
            )


def settings_for(
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    open_: bool,
    fhir_servers: Sequence[str],
    today: str | None,
) -> Settings:
    """Returns the settings with the options of the command line, or raises SettingsError where they clash."""
    options = {"host": host, "port": port, "open": open_ or None, "today": day(today)}
    settings = changed(settings, **{name: value for name, value in options.items() if value is not None})
    if today is not None and not settings.service.open:
        raise SettingsError("--today fixes the clock and is accepted with --open only")
    if settings.service.open:
        if not is_loopback(settings.service.host):
            raise SettingsError(
                f"--open means no authentication: it listens on loopback only, not on {settings.service.host}"
            )
    else:
        _check_production(settings)
    return checked(settings.with_fhir_servers(tuple(fhir_servers)))


def _check_production(settings: Settings) -> None:
    """Refuses to put patient data on the wire in the clear (CDS Hooks 2.0.1, "Security and Safety")."""
    service = settings.service
    if not settings.trust.behind_tls_proxy and service.tls_cert is None:
        raise SettingsError(
            "the service speaks plain HTTP: give it service.tls_cert and service.tls_key, or put a TLS proxy "
            "before it and say so with trust.behind_tls_proxy = true, or use --open on a loopback address"
        )
    public = urlsplit(service.public_url or "https://")
    if public.scheme == "http" and not is_loopback(public.hostname or ""):
        raise SettingsError("service.public_url: clients must reach the service by https")
    issuers = [one.issuer for one in settings.trust.issuers]
    check_issuers(issuers, [server.issuer for server in settings.fhir.servers])


def tls_of(service: Service) -> Tls | None:
    """Returns the certificate that the settings name, None where a proxy ends TLS or nothing is signed."""
    if service.tls_cert is None or service.tls_key is None:
        return None
    return Tls(service.tls_cert, service.tls_key, service.tls_client_ca)


def changed(settings: Settings, **service: Any) -> Settings:
    """Returns the settings with other values in their `service` section."""
    return msgspec.structs.replace(settings, service=msgspec.structs.replace(settings.service, **service))


def _announce(settings: Settings) -> None:
    service = settings.service
    out = Console(stderr=True, highlight=False)
    host = f"[{service.host}]" if ":" in service.host else service.host
    scheme = "http" if service.tls_cert is None else "https"
    out.print(f"vestige: {scheme}://{host}:{service.port}/cds-services", markup=False)
    if service.open:
        out.print("WITHOUT AUTHENTICATION (--open): anybody on this machine may call.", style="bold red")
    if service.today is not None:
        out.print(f"THE CLOCK IS FIXED at {service.today.isoformat()}.", style="bold red")
