"""`vestige config`: the settings."""

from __future__ import annotations

from pathlib import Path

import typer

from cds_hooks.cli.terminal import CONFIG, console
from cds_hooks.desk import public_base
from cds_hooks.rulebook import pack_of
from cds_hooks.trust import Gate
from plugin.settings import load

app = typer.Typer(help="The settings.", no_args_is_help=True)


@app.command("check")
def check(config: Path | None = CONFIG) -> None:
    """Reads the settings as `serve` would and says whether they can be used."""
    settings = load(config)
    Gate(settings)
    base = public_base(settings)
    pack = pack_of(settings)
    revision = pack.revision
    for rule in pack.statements.values():
        if rule.status != "active":
            console().print(f"{rule.id} is {rule.status}: {rule.title}", soft_wrap=True)
    for name, parameter in pack.parameters.items():
        if parameter.site:
            console().print(f"{name} is {parameter.value} {parameter.unit} at this site", soft_wrap=True)
    console().print(
        f"The settings can be used: {base}, {len(settings.trust.issuers)} clients, "
        f"{len(settings.fhir.servers)} FHIR servers, time zone {settings.site.timezone}, rules {revision}.",
        soft_wrap=True,
    )
