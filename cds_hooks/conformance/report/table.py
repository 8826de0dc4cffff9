"""A report on a terminal: a line a check, with reasons and one exchange where something is wrong."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_hooks.cli.terminal import plain, safe
from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.run import RESULTS, Report, Verdict

STYLES = {"fail": "bold white on red", "warn": "bold black on yellow", "pass": "green", "skip": "dim"}
BODY = 240


def print_report(out: Console, report: Report) -> None:
    """Prints every verdict by group, with what was sent and what came back where something is wrong."""
    for name, title in GROUPS.items():
        chosen = [verdict for verdict in report.verdicts if verdict.check.group == name]
        if chosen:
            out.print()
            out.print(Text(title, style="bold"))
        for verdict in chosen:
            _print(out, report, verdict)
    out.print()
    out.print(_counts(report))
    out.print()
    for limit in report.limits:
        out.print(plain(f"Not everything was looked at: {limit}."))
    out.print(conclusion(report))


def conclusion(report: Report) -> Text:
    """Returns the last line: whether a SHALL is broken, and whether the run came to its end."""
    where = safe(report.options.base)
    if report.token_wanted and report.conformant:
        return Text(f"{where}: the service asks for a token: little was looked at", style="bold yellow")
    if report.conformant:
        return Text(f"{where}: no SHALL of CDS Hooks 2.0.1 found broken", style="bold green")
    failed = f"{report.count('fail')} checks found a SHALL broken" if report.count("fail") else None
    return Text(f"{where}: {'; '.join(filter(None, (failed, report.unfinished)))}", style="bold red")


def _print(out: Console, report: Report, verdict: Verdict) -> None:
    numbers = ", ".join(map(str, verdict.check.numbers))
    out.print(
        Text.assemble(
            (f" {verdict.result.upper()} ", STYLES[verdict.result]),
            f" {safe(verdict.check.title)} ",
            (f"[{verdict.check.weight} {numbers}; {verdict.check.name}]", "dim"),
        )
    )
    for reason in verdict.reasons:
        out.print(plain(f"        {reason}"), style="dim" if verdict.result == "skip" else "")
    if verdict.result in ("fail", "warn"):
        for number in verdict.exchanges[:1]:
            _print_exchange(out, report.exchange(number))


def _print_exchange(out: Console, record: dict[str, Any]) -> None:
    request = record["request"]
    out.print(plain(f"        sent  {request['method']} {request['url']}"), style="dim")
    if request["body"]:
        out.print(plain(f"              {_short(request['body'])}"), style="dim")
    if "error" in record:
        out.print(plain(f"        back  {record['error']}"), style="dim")
    else:
        response = record["response"]
        kind = response["headers"].get("content-type", "no content type")
        out.print(plain(f"        back  {response['status']}, {kind}"), style="dim")
        out.print(plain(f"              {_short(response['body'])}"), style="dim")


def _counts(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for result in RESULTS:
        table.add_column(result, justify="right")
    for name, title in GROUPS.items():
        results = [verdict.result for verdict in report.verdicts if verdict.check.group == name]
        if results:
            table.add_row(title, *(str(results.count(result)) for result in RESULTS))
    table.add_row("in all", *(str(report.count(result)) for result in RESULTS), style="bold")
    return table


def _short(body: str) -> str:
    flat = " ".join(body.split())
    return flat if len(flat) <= BODY else f"{flat[:BODY]}…"


def as_json(report: Report) -> bytes:
    """Returns the report as an indented JSON document."""
    return json.dumps(report.as_record(), indent=2, ensure_ascii=False).encode() + b"\n"
