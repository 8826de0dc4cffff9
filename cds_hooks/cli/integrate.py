"""`vestige integrate`: what an analyst must enter in an EHR."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import typer

from cds_hooks.cli.integrate_page import page
from cds_hooks.cli.terminal import AS_JSON, CONFIG, print_json
from cds_hooks.integration import as_document, integration
from cds_hooks.profiles import PROFILES
from cds_hooks.rulebook import pack_of
from plugin.address import AddressError, is_loopback, service_address
from plugin.advice.text import texts_of
from plugin.errors import InputError
from plugin.settings import Settings, load

CLIENT = typer.Argument(metavar="CLIENT", help=f"One of {', '.join(PROFILES)}.")
BASE = typer.Option(
    None, "--base", metavar="URL", help="The service's address; service.public_url by default."
)


def integrate(
    client: str = CLIENT,
    base: str | None = BASE,
    config: Path | None = CONFIG,
    as_json: bool = AS_JSON,
) -> None:
    """Prints services, prefetch, scopes, links, override reasons and JWT set-up for one kind of EHR."""
    if client not in PROFILES:
        raise InputError(f"no client is called {client!r}; there are {', '.join(PROFILES)}")
    settings = load(config)
    texts = texts_of(pack_of(settings).folder, settings.cards.language)
    made = integration(PROFILES[client], settings, texts, base=address(base, settings))
    if as_json:
        print_json(as_document(made))
    else:
        typer.echo(page(made), nl=False)


def address(base: str | None, settings: Settings) -> str:
    """Returns the service's own address without a trailing slash; InputError where nobody says it."""
    found = settings.service.public_url if base is None else base
    if found is None:
        raise InputError("say where the service is reached: --base, or service.public_url in --config")
    where = "service.public_url" if base is None else "--base"
    try:
        address = service_address(found)
    except AddressError as error:
        raise InputError(f"{where} cannot be used: {error}") from error
    parts = urlsplit(address)
    # What is printed must be settings that the service starts with.
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise InputError(f"{where} cannot be used: clients must reach the service by https")
    return address
