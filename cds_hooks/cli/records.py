"""`vestige records`: the decision records checked, handed out and dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import typer

from cds_hooks.cli.site_database import STORE, database_url
from cds_hooks.cli.terminal import AS_JSON, CONFIG, console, day, print_json
from plugin.audit_event import audit_event
from plugin.errors import InputError
from plugin.links import Checked, Head
from plugin.settings import load
from plugin.store import Store

app = typer.Typer(help="The decision records.", no_args_is_help=True)

AGAINST = typer.Option(
    None,
    metavar="FILE",
    help="What an earlier verify --json printed, kept where the database's owner is not.",
)
BEFORE = typer.Option(None, "--before", metavar="DATE", help="Days before this one go (YYYY-MM-DD, UTC).")
YES = typer.Option(False, "--yes", help="Drops them; without it, only what would go is printed.")
SINCE = typer.Option(None, "--since", metavar="DATE", help="Only records from this day on (YYYY-MM-DD, UTC).")
AUDIT = typer.Option(False, "--audit-event", help="FHIR AuditEvent resources (R4) instead of our own form.")
OUT = typer.Option(None, "--out", metavar="FILE", help="A new file; standard output without it.")


@app.callback()
def _records() -> None:
    """The decision records."""


@app.command("verify")
def verify(
    store: str | None = STORE,
    config: Path | None = CONFIG,
    against: Path | None = AGAINST,
    as_json: bool = AS_JSON,
) -> None:
    """Checks the hash chain of every worker and day; exit code 1 names the first broken link of each.

    A chain tells that something was changed by who did not make it anew. Who can write to the database can;
    so keep what this prints with --json elsewhere, and give it back with --against.
    """
    with _opened(store, config) as kept:
        found, unlinked = list(kept.verify()), kept.unlinked()
        missing = list(_differences(kept, against)) if against is not None else []
    broken = [one for one in found if one.broken is not None]
    if as_json:
        chains = [msgspec.to_builtins(one) for one in found]
        print_json({"chains": chains, "outsideEveryChain": unlinked, "againstEarlier": missing})
    else:
        _print(found, unlinked, missing)
    raise typer.Exit(1 if broken or unlinked or missing else 0)


@app.command("export")
def export(
    store: str | None = STORE,
    config: Path | None = CONFIG,
    since: str | None = SINCE,
    audit: bool = AUDIT,
    out: Path | None = OUT,
) -> None:
    """Prints every decision record, oldest first, one JSON document a line."""
    first = day(since)
    with _opened(store, config) as kept:
        lines = (
            msgspec.json.encode(audit_event(one) if audit else one)
            for one in kept.records()
            if first is None or one.made.astimezone(UTC).date() >= first
        )
        _write(lines, out)


@app.command("prune")
def prune(
    store: str | None = STORE,
    config: Path | None = CONFIG,
    before: str | None = BEFORE,
    yes: bool = YES,
    as_json: bool = AS_JSON,
) -> None:
    """Drops the records of whole days and keeps the heads of their chains, so that the drop can be seen."""
    limit = _limit(day(before), load(config).store.keep_days)
    with _opened(store, config) as kept:
        gone = kept.drop(limit) if yes else kept.droppable(limit)
    if as_json:
        print_json({"before": limit.isoformat(), "dropped": yes, "chains": [_named(one) for one in gone]})
        return
    for one in gone:
        console().print(
            f"{one.segment}: {one.records - one.dropped} records, head {one.head}", soft_wrap=True
        )
    total = sum(one.records - one.dropped for one in gone)
    done = "were dropped" if yes else "would be dropped; say --yes to do it"
    console().print(f"{total} records of {len(gone)} chains before {limit.isoformat()} {done}.")


@contextmanager
def _opened(url: str | None, config: Path | None) -> Iterator[Store]:
    kept = Store(database_url(url, config), create=False)
    try:
        yield kept
    finally:
        kept.close()


def _limit(before: date | None, keep_days: int | None) -> date:
    today = datetime.now(UTC).date()
    if before is None and keep_days is None:
        raise InputError("say which records go: --before DATE, or store.keep_days in the settings")
    limit = before or today - timedelta(days=keep_days or 0)
    if limit > today:
        raise InputError(f"{limit.isoformat()} is not over: the records of today are still being written")
    return limit


def _differences(kept: Store, against: Path) -> Iterator[str]:
    """Yields how the database contradicts an earlier check: chains that went, or that were made anew."""
    now = {one.segment: one for one in kept.heads()}
    for earlier in _earlier(against):
        one = now.get(earlier.segment)
        if one is None:
            yield f"{earlier.segment}: the chain is gone"
        elif one.records < earlier.records:
            yield f"{earlier.segment}: had {earlier.records} records and its head names {one.records}"
        elif _link(kept, one, earlier.records) not in (earlier.head, None):
            yield f"{earlier.segment}: was made anew: place {earlier.records} has another link"


def _link(kept: Store, head: Head, place: int) -> str | None:
    """Returns the link at a place, None where it was dropped and nothing is left to compare."""
    if place == head.records:
        return head.head
    if place == head.dropped:
        return head.dropped_head
    return None if place < head.dropped else kept.link_at(head.segment, place) or "missing"


def _earlier(against: Path) -> list[Checked]:
    try:
        return msgspec.json.decode(against.read_bytes(), type=_Earlier).chains
    except OSError as error:
        raise InputError(f"{against}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise InputError(f"{against}: is not what vestige records verify --json prints") from error


class _Earlier(msgspec.Struct):
    chains: list[Checked]


def _print(found: list[Checked], unlinked: int, missing: list[str]) -> None:
    out = console()
    for one in found:
        if one.broken is not None:
            out.print(f"BROKEN {one.segment}: {one.broken}", soft_wrap=True)
    for text in missing:
        out.print(f"BROKEN {text}", soft_wrap=True)
    if unlinked:
        out.print(f"BROKEN {unlinked} records stand in no chain", soft_wrap=True)
    dropped = sum(one.dropped for one in found)
    total = sum(one.records for one in found)
    holds = sum(one.broken is None for one in found)
    out.print(
        f"{holds} of {len(found)} chains hold; {total} records, {dropped} of them dropped by retention."
    )


def _named(head: Head) -> dict[str, Any]:
    return {"segment": head.segment, "records": head.records - head.dropped, "head": head.head}


def _write(lines: Iterable[bytes], out: Path | None) -> None:
    if out is None:
        stream = typer.get_binary_stream("stdout")
        for line in lines:
            stream.write(line + b"\n")
        stream.flush()
        return
    try:
        with out.open("xb") as file:
            for line in lines:
                file.write(line + b"\n")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from error
