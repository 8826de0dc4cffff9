"""`vestige rules`: the rule author's tools."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import typer
from rich.table import Table

from cds_hooks.cli.comparison import facts_for, synthetic, timelines_of
from cds_hooks.cli.terminal import AS_JSON, CONFIG, TODAY, console, day, plain, print_json
from cds_hooks.packcheck import problems_of
from cds_hooks.rulebook import pack_of
from plugin.errors import InputError
from plugin.settings import Settings, load
from plugin.settings import today as today_of
from rules import compare
from rules.catalogue import catalogue_of
from rules.compare import PackDiff
from rules.describe import describe
from rules.language import Pack, Statement, load_pack
from rules.tables import TestResult, run_tests

app = typer.Typer(help="The rule author's tools.", no_args_is_help=True)
PACK = typer.Option(
    None, "--pack", metavar="DIR", help="The folder of the rule pack; the packaged one by default."
)
RULE = typer.Argument(metavar="ID", help="The id of the rule.")
BEFORE = typer.Argument(metavar="A", help="The folder of the earlier pack.")
AFTER = typer.Argument(metavar="B", help="The folder of the later pack.")
PATIENTS = typer.Argument(
    None, metavar="[FILE]...", help="Bundles or NDJSON, one patient each; the synthetic patients by default."
)
SOME_RULE = typer.Argument(None, metavar="[ID]", help="The id of one rule; all where it is left out.")


@app.command("check")
def check(pack: Path | None = PACK, as_json: bool = AS_JSON) -> None:
    """Reads the pack and says everything that is wrong or missing; exit code 1 where something is."""
    revision, problems = problems_of(pack)
    if as_json:
        rows = [{"file": one.file, "line": one.line, "message": one.message} for one in problems]
        print_json({"revision": revision, "problems": rows})
    else:
        for problem in problems:
            console().print(plain(str(problem)), soft_wrap=True)
        count = "no problem" if not problems else f"{len(problems)} problems"
        console().print(plain(f"{count}, revision {revision or 'none: the pack cannot be used'}"))
    raise typer.Exit(1 if problems else 0)


@app.command("list")
def list_(pack: Path | None = PACK, config: Path | None = CONFIG, as_json: bool = AS_JSON) -> None:
    """Prints every rule that makes findings: id, indicator, family, state and title.

    With the settings of a site the states are those in force there.
    """
    rules_pack = load_pack(pack) if config is None else pack_of(load(config))
    rules = [one for one in rules_pack.statements.values() if one.finding_specs()]
    if as_json:
        print_json([_row(rule) for rule in rules])
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("rule", "indicator", "family", "state", "title"):
        table.add_column(heading, no_wrap=heading != "title")
    for rule in sorted(rules, key=lambda one: one.id):
        row = _row(rule)
        table.add_row(
            *(plain(str(row[name])) for name in ("id", "indicators", "families", "status", "title"))
        )
    console().print(table)
    checked = [one for one in catalogue_of(rules_pack) if not one.rules]
    if checked:
        console().print("\nKept by checks when the pack is built, not by a rule:")
        for one in checked:
            console().print(plain(f"{one.id}  {one.title} ({', '.join(one.checks)})"))


def _row(rule: Statement) -> dict[str, str]:
    specs = rule.finding_specs()
    return {
        "id": rule.id,
        "title": rule.title,
        "indicators": "/".join(dict.fromkeys(spec.indicator for spec in specs)),
        "families": "/".join(dict.fromkeys(spec.family or "row" for spec in specs)),
        "status": rule.status,
        "file": f"{rule.file}:{rule.line}",
    }


def statement_of(pack: Pack, rule: str) -> Statement:
    """Returns a statement by its id; InputError names the nearest where there is none."""
    if rule not in pack.statements:
        lowered = {one.lower(): one for one in pack.statements}
        near = get_close_matches(rule.lower(), lowered, n=1)
        hint = f"; did you mean {lowered[near[0]]}?" if near else "; `vestige rules list` names them"
        raise InputError(f"no rule has the id {rule!r}{hint}")
    return pack.statements[rule]


@app.command("show")
def show(rule: str = RULE, pack: Path | None = PACK, as_json: bool = AS_JSON) -> None:
    """Prints one rule in words: conditions, conclusion, parameters and evidence."""
    loaded = load_pack(pack)
    statement = statement_of(loaded, rule)
    text = describe(statement, loaded)
    if as_json:
        print_json({**_row(statement), "text": text})
        return
    out = console()
    out.print(plain(text), soft_wrap=True)
    out.print(plain(f"\nWritten in {statement.file}, line {statement.line}."))


@app.command("test")
def run_tables(rule: str | None = SOME_RULE, pack: Path | None = PACK, as_json: bool = AS_JSON) -> None:
    """Runs the test tables of one rule or of all by both evaluations; exit code 1 where a row fails."""
    loaded = load_pack(pack)
    results = run_tests(loaded, statement_of(loaded, rule).id if rule else None)
    failed = [one for one in results if not one.passed]
    if as_json:
        print_json([{**_result(one), "passed": one.passed} for one in results])
    else:
        for one in failed:
            text = f"{one.file}:{one.line}: {one.statement}, {one.table} '{one.name}': {one.message}"
            console().print(plain(text), soft_wrap=True)
        console().print(f"{len(results) - len(failed)} of {len(results)} rows as expected")
    raise typer.Exit(1 if failed else 0)


def _result(result: TestResult) -> dict[str, str | int]:
    named = ("statement", "table", "name", "message", "file", "line")
    return {name: getattr(result, name) for name in named}


@app.command("diff")
def diff(
    before: Path = BEFORE,
    after: Path = AFTER,
    files: list[Path] | None = PATIENTS,
    today: str | None = TODAY,
    as_json: bool = AS_JSON,
) -> None:
    """Prints what differs between two packs, also for patients; exit code 1 where anything does."""
    one, other, settings = load_pack(before), load_pack(after), Settings()
    seen = timelines_of(files, day(today) or today_of(settings), settings) if files else synthetic(settings)
    found = compare.diff(one, other, facts_for(one, seen, settings), facts_for(other, seen, settings))
    lines = list(differences(found))
    if not lines and one.revision != other.revision:
        lines = [
            "the files differ: in comments, tests or the order of things, and in nothing that was compared"
        ]
    if as_json:
        print_json({"before": one.revision, "after": other.revision, "differences": lines})
    else:
        for line in lines:
            console().print(plain(line), soft_wrap=True)
        console().print(plain(f"{one.revision} -> {other.revision}: {len(lines)} differences"))
    raise typer.Exit(1 if lines else 0)


def differences(found: PackDiff) -> Iterator[str]:
    """Yields one line for every difference."""
    for word in ("added", "removed", "changed"):
        yield from (f"rule {name}: {word}" for name in getattr(found, word))
    yield from (f"parameter {name}: changed" for name in found.parameters)
    yield from (f"{name}: changed" for name in found.registers)
    yield from (f"{patient}: facts of '{kind}': changed" for patient, kind in found.facts)
    for change in found.findings:
        finding = change.after or change.before
        if finding is not None:
            about = f" about {finding.subject}" if finding.subject else ""
            yield f"{change.patient}: finding {finding.rule}{about}: {change.what}"
