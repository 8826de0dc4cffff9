"""Which database a command is about: the one it names, or that of the settings."""

from __future__ import annotations

from pathlib import Path

import typer

from plugin.errors import InputError
from plugin.settings import load

STORE = typer.Option(None, "--store", metavar="URL", help="The database, instead of the one in the settings.")


def database_url(store: str | None, config: Path | None) -> str:
    """Returns the URL that is named, else that of the settings; raises InputError where both are given."""
    if store is not None and config is not None:
        raise InputError("give --store or --config, not both: the settings name a database of their own")
    return store or load(config).store.url
