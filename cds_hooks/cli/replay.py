"""`vestige replay`: decides a capture again and expects the same, byte for byte."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import typer

from cds_hooks.cli.terminal import AS_JSON, console, plain, print_json
from cds_hooks.rulebook import evaluator_here
from plugin.capture.document import Capture, canonical, read_capture, settings_from
from plugin.capture.take import replayed

CAPTURE = typer.Argument(metavar="CAPTURE", help="The file that vestige capture wrote.")
MOST_LINES = 200
PATIENT_SECONDS = 120.0


def replay(file: Path = CAPTURE, as_json: bool = AS_JSON) -> None:
    """Decides a capture with the rules that are here; exit code 1, and a diff, where it is not the same."""
    found = read_capture(file)
    with evaluator_here(settings_from(found.settings), timeout=PATIENT_SECONDS) as evaluator:
        here = evaluator.pack.revision
        decision = replayed(found, evaluator)
    same = canonical(decision) == canonical(found.decision)
    lines = [] if same else list(differences(found.decision, decision))
    if as_json:
        print_json(
            {
                "same": same,
                "rulePack": {"captured": found.pack.revision, "here": here},
                "differences": lines,
                "decision": decision,
            }
        )
    else:
        _print(found, here, same, lines)
    raise typer.Exit(0 if same else 1)


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Yields the lines that differ between two decisions, as a unified diff."""
    old, new = (msgspec.json.format(canonical(one), indent=1).decode() for one in (before, after))
    yield from difflib.unified_diff(old.splitlines(), new.splitlines(), "captured", "here", lineterm="", n=2)


def _print(found: Capture, here: str, same: bool, lines: list[str]) -> None:
    out = console()
    if found.pack.revision != here:
        out.print(
            plain(f"The rules differ: captured with {found.pack.revision}, here are {here}."), style="yellow"
        )
    if same:
        out.print(plain("The same decision, byte for byte."), style="green")
        return
    out.print(plain("Another decision:"), style="bold red")
    for line in lines[:MOST_LINES]:
        out.print(plain(line), soft_wrap=True)
    if len(lines) > MOST_LINES:
        out.print(plain(f"... and {len(lines) - MOST_LINES} more lines; --json has all of them"))
