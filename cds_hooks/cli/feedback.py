"""`vestige feedback`: what clinicians did with the cards."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cds_hooks.cli.site_database import STORE, database_url
from cds_hooks.cli.terminal import AS_JSON, CONFIG, console, day, plain, print_json
from plugin.settings import load
from plugin.store import Store
from plugin.uptake import Rate, Report, Uptake, report

app = typer.Typer(help="What clinicians did with the cards.", no_args_is_help=True)

CAVEATS = (
    "Rates are of answered cards. A card that was ignored sends nothing back and says nothing.",
    "A card with several rules counts for each of them.",
    "Cards on one patient are not independent of each other: the true intervals are wider than those shown.",
    "This is uptake, not correctness: what was overridden may have been right, what was accepted wrong.",
)
SINCE = typer.Option(None, "--since", metavar="DATE", help="Only cards sent from this day on (YYYY-MM-DD).")


@app.callback()
def _feedback() -> None:
    """What clinicians did with the cards."""


@app.command("report")
def report_(
    store: str | None = STORE,
    config: Path | None = CONFIG,
    since: str | None = SINCE,
    as_json: bool = AS_JSON,
) -> None:
    """Prints how often cards were accepted and overridden, for each rule and reason, with 95 % intervals.

    Exit code 1 where there is neither a card nor feedback to report on.
    """
    url, first = database_url(store, config), day(since)
    made = read(url, first, load(config).site.zone)
    if as_json:
        print_json(document(made, first))
    else:
        print_report(console(), made, first)
    raise typer.Exit(0 if made.cards.shown or made.unmatched else 1)


def read(url: str, first: date | None, zone: tzinfo) -> Report:
    """Returns the uptake of the cards sent from a day on; raises StoreError where they cannot be read."""
    since = None if first is None else datetime.combine(first, time(), zone).astimezone(UTC)
    store = Store(url, create=False)
    try:
        return report(store.sent(since), store.unmatched(since))
    finally:
        store.close()


def document(made: Report, first: date | None) -> dict[str, Any]:
    """Returns the report as JSON values."""
    return {
        "since": first.isoformat() if first else None,
        "cards": msgspec.to_builtins(made.cards),
        "rules": [msgspec.to_builtins(one) for one in made.rules],
        "unmatchedFeedback": made.unmatched,
        "acceptedWithoutOurSuggestion": made.foreign,
        "packRevisions": list(made.revisions),
        "caveats": list(CAVEATS),
    }


def print_report(out: Console, made: Report, first: date | None) -> None:
    """Prints the report as tables and what must be kept in mind."""
    total = made.cards
    start = f" from {first.isoformat()} on" if first else ""
    out.print(
        plain(
            f"{total.shown} cards sent{start} to {total.patients} patients: {total.answered} answered, "
            f"{total.silent} without feedback."
        ),
        style="bold",
    )
    if made.unmatched:
        out.print(plain(f"{made.unmatched} pieces of feedback name no card that was sent to their client."))
    if made.foreign:
        out.print(plain(f"{made.foreign} acceptances name no suggestion of their card."))
    if total.shown:
        out.print(_rules(made))
    if total.reasons:
        out.print(_reasons(total))
    for caveat in CAVEATS:
        out.print(plain(f"- {caveat}"), soft_wrap=True)


def _rules(made: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("rule", "cards", "patients", "no feedback", "answered", "accepted", "overridden"):
        table.add_column(heading, no_wrap=True, justify="left" if heading == "rule" else "right")
    for one in (*made.rules, made.cards):
        counts = (one.shown, one.patients, one.silent, one.answered)
        row = (one.name, *map(str, counts), percent(one.accepted), percent(one.overridden))
        table.add_row(*map(plain, row))
    return table


def _reasons(total: Uptake) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("reason of override")
    table.add_column("cards", justify="right")
    table.add_column("of overridden", justify="right")
    for text, rate in total.reasons.items():
        table.add_row(*map(plain, (text, str(rate.count), percent(rate))))
    return table


def percent(rate: Rate) -> str:
    """Returns a rate as `60 % (23-88, n=5)`, or a dash where there is nothing to count."""
    if rate.share is None or rate.low is None or rate.high is None:
        return "-"
    return f"{rate.share:.0%} ({rate.low * 100:.0f}-{rate.high * 100:.0f}, n={rate.of})".replace("%", " %")
