"""`vestige features`: the reading-room table of imaging features."""

from __future__ import annotations

from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cds_hooks.cli.terminal import AS_JSON, console, plain, print_json
from plugin.features import Feature, FeatureTable, features_of
from rules.language import load_pack

PACK = typer.Option(
    None, "--pack", metavar="DIR", help="The folder of the rule pack; the packaged one by default."
)


def features(pack: Path | None = PACK, as_json: bool = AS_JSON) -> None:
    """Prints what each imaging feature may mean, how it is read, where it misleads, and what the rules do."""
    loaded = load_pack(pack)
    table = features_of(loaded.folder)
    if as_json:
        print_json({"rulePack": loaded.revision, **msgspec.to_builtins(table)})
    else:
        print_features(console(), table)


def print_features(out: Console, table: FeatureTable) -> None:
    """Prints the table, one block a feature, so that it can be read at 80 columns."""
    out.print(plain(table.title), style="bold")
    out.print(plain(f"Source: {table.source}."))
    for feature in table.features:
        out.print()
        out.print(plain(f"{feature.feature} ({feature.statement})"), style="bold")
        out.print(block(feature))
    out.print()
    for scale in table.scales:
        out.print(plain(scale.text))


def block(feature: Feature) -> Table:
    """Returns one feature as lines of a name and a text."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=12, no_wrap=True)
    grid.add_column(overflow="fold")
    acting = ", ".join(feature.rules) or "none"
    for name, text in (
        ("may mean", feature.histology),
        ("read as", feature.response),
        ("pitfall", feature.pitfall),
        ("cannot", feature.cannot),
        ("Vestige", feature.software),
        ("rules", acting),
    ):
        grid.add_row(f"  {name}", plain(text))
    return grid
