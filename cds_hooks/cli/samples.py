"""`vestige samples`: the synthetic patients."""

from __future__ import annotations

from pathlib import Path

import msgspec
import typer
from rich.table import Table

from cds_hooks.cli.terminal import AS_JSON, TODAY, console, day, print_json
from fhir_profiles import samples
from plugin.errors import InputError

app = typer.Typer(help="The synthetic patients.", no_args_is_help=True)
FOLDER = typer.Argument(metavar="DIR", help="The folder to write to; made where it is missing.")


@app.command("list")
def list_(as_json: bool = AS_JSON) -> None:
    """Prints the name and the story of every synthetic patient."""
    patients = [samples.sample(name) for name in samples.names()]
    if as_json:
        print_json([{"name": one.name, "title": one.title, "hook": one.hook["hook"]} for one in patients])
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "hook", "story"):
        table.add_column(heading, no_wrap=heading != "story")
    for one in patients:
        table.add_row(one.name, one.hook["hook"], one.title)
    console().print(table)


@app.command("export")
def export(
    folder: Path = FOLDER,
    today: str | None = TODAY,
) -> None:
    """Writes NAME.json (a transaction Bundle) and NAME.hook.json (the hook context) for every patient."""
    on = day(today)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in samples.names():
            one = samples.sample(name, on)
            _write(folder / f"{name}.json", one.bundle)
            _write(folder / f"{name}.hook.json", one.hook)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    console().print(f"{len(samples.names())} patients written to {folder}", soft_wrap=True)


def _write(path: Path, document: object) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
