"""`vestige config`: the settings."""

from __future__ import annotations

from pathlib import Path

import typer

from cds_hooks.cli.serve import settings_for, tls_of
from cds_hooks.cli.terminal import CONFIG, console
from cds_hooks.desk import public_base
from cds_hooks.rulebook import check_tables, check_texts, pack_of
from cds_hooks.traces import tracing
from cds_hooks.trust import Gate
from plugin.database import engine_of
from plugin.settings import Settings, load, named
from rules.language import Pack

app = typer.Typer(help="The settings.", no_args_is_help=True)


@app.callback()
def _config() -> None:
    """The settings."""


@app.command("check")
def check(config: Path | None = CONFIG) -> None:
    """Reads settings and rules as `serve` and a reload would, and says whether they can be used."""
    with named(config):
        settings = settings_for(load(config), host=None, port=None, open_=False, fhir_servers=(), today=None)
        base, pack = _checked(settings)
    for rule in pack.statements.values():
        if rule.status != "active":
            console().print(f"{rule.id} is {rule.status}: {rule.title}", soft_wrap=True)
    for name, parameter in pack.parameters.items():
        if parameter.site:
            console().print(f"{name} is {parameter.value} {parameter.unit} at this site", soft_wrap=True)
    console().print(
        f"The settings can be used: {base}, {len(settings.trust.issuers)} clients, "
        f"{len(settings.fhir.servers)} FHIR servers, time zone {settings.site.timezone}, "
        f"rules {pack.revision}.",
        soft_wrap=True,
    )


def _checked(settings: Settings) -> tuple[str, Pack]:
    """Returns the public base and the rules; no database and no server is asked."""
    Gate(settings).close()
    base, pack = public_base(settings), pack_of(settings)
    check_texts(pack, settings)
    check_tables(settings)
    engine_of(settings.store.url).dispose()
    if (tls := tls_of(settings.service)) is not None:
        tls.context()
    with tracing(settings.traces):
        pass
    return base, pack
