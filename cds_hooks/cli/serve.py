"""`vestige serve`: the CDS Hooks service."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.console import Console

from cds_hooks.app import create_app
from cds_hooks.cli.terminal import CONFIG, TODAY, day
from cds_hooks.server import Listening, listen, port_of, run
from plugin.address import is_loopback
from plugin.errors import SettingsError
from plugin.settings import Settings, checked, load

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
    """Answers hook calls until Ctrl-C."""
    settings = settings_for(
        load(config), host=host, port=port, open_=open_, fhir_servers=fhir_server, today=today
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    with listen(settings.service.host, settings.service.port) as bound:
        settings = changed(settings, port=port_of(bound))
        app = create_app(settings)
        run([Listening(app, bound)], started=lambda: _announce(settings))


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
    elif not settings.trust.behind_tls_proxy:
        raise SettingsError(
            "the service speaks plain HTTP: put a TLS proxy before it and say so with "
            "trust.behind_tls_proxy = true, or use --open on a loopback address"
        )
    return checked(settings.with_fhir_servers(tuple(fhir_servers)))


def changed(settings: Settings, **service: Any) -> Settings:
    """Returns the settings with other values in their `service` section."""
    return msgspec.structs.replace(settings, service=msgspec.structs.replace(settings.service, **service))


def _announce(settings: Settings) -> None:
    service = settings.service
    out = Console(stderr=True, highlight=False)
    host = f"[{service.host}]" if ":" in service.host else service.host
    out.print(f"vestige: http://{host}:{service.port}/cds-services", markup=False)
    if service.open:
        out.print("WITHOUT AUTHENTICATION (--open): anybody on this machine may call.", style="bold red")
    if service.today is not None:
        out.print(f"THE CLOCK IS FIXED at {service.today.isoformat()}.", style="bold red")
