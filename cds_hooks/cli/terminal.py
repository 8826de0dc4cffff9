"""What the commands share: consoles, complaints, and text that is safe on a terminal."""

from __future__ import annotations

import re
import sys
from datetime import date
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from plugin.errors import InputError

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def console() -> Console:
    """Returns a console on standard output without markup: patient text is never read as styling."""
    return Console(markup=False, emoji=False, highlight=False)


def complain(message: str, exit_code: int) -> int:
    """Writes one line to standard error and returns the exit code."""
    print(f"vestige: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return exit_code


def plain(text: str) -> Text:
    """Returns text without control characters, which could steer a terminal."""
    return Text(safe(text))


def safe(text: str) -> str:
    """Returns text without control characters, tabs and line breaks kept."""
    return _CONTROLS.sub("\ufffd", text)


def print_json(document: Any) -> None:
    """Writes a document as indented JSON in UTF-8 and nothing else."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    sys.stdout.buffer.flush()


def day(text: str | None) -> date | None:
    """Returns a day given as YYYY-MM-DD, or None; raises InputError for anything else."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no date; write it as 2026-11-21") from None


TODAY = typer.Option(None, "--today", metavar="DATE", help="The day that counts as today (YYYY-MM-DD).")
CONFIG = typer.Option(None, "--config", metavar="FILE", help="The TOML file with the settings.")
AS_JSON = typer.Option(False, "--json", help="Prints JSON.")
