"""`vestige validate`: synthetic cohorts with the marginals of published ones, our table beside theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid

from cds_hooks.cli.terminal import AS_JSON, CONFIG, console, plain, print_json
from cds_hooks.rulebook import evaluator_here
from plugin import validation
from plugin.errors import InputError
from plugin.settings import Settings, load
from plugin.validation import RESECTED, TRIPLE_MODALITY, Case, Outcome, Table
from rules.evaluate import Evaluator

LABEL = (
    "A check of the software on matching marginals, not clinical evidence: the patients are invented, "
    "and nothing here says how any patient will do."
)
STUDIES = ("triple-modality", "resected")
SEED = typer.Option(2026, "--seed", metavar="N", help="The same seed gives the same patients.")
STUDY = typer.Option(None, "--study", metavar="NAME", help=f"One study only: {' or '.join(STUDIES)}.")


def validate(
    seed: int = SEED, study: str | None = STUDY, config: Path | None = CONFIG, as_json: bool = AS_JSON
) -> None:
    """Runs the cohorts through the real path and prints the published table beside ours.

    Exit code 1 where a check fails.
    """
    if study is not None and study not in STUDIES:
        raise InputError(f"no study has the name {study!r}; there are {', '.join(STUDIES)}")
    settings = load(config)
    with evaluator_here(settings) as evaluator, _progress() as progress:
        tables = [
            _MADE[name](seed, evaluator, settings, progress) for name in STUDIES if study in (None, name)
        ]
        revision = evaluator.pack.revision
    if as_json:
        print_json(
            {
                "label": LABEL,
                "seed": seed,
                "rulePack": revision,
                "studies": [_document(one) for one in tables],
            }
        )
    else:
        print_tables(console(), tables, seed, revision)
    raise typer.Exit(0 if all(one.passed for one in tables) else 1)


def _progress() -> Progress:
    """A progress bar on standard error, and only for a person."""
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _run(
    name: str, cases: Iterable[Case], evaluator: Evaluator, settings: Settings, progress: Progress
) -> list[Outcome]:
    listed = list(cases)
    outcomes = validation.run(listed, evaluator, settings)
    return list(progress.track(outcomes, total=len(listed), description=name))


def _triple_modality(seed: int, evaluator: Evaluator, settings: Settings, progress: Progress) -> Table:
    study = TRIPLE_MODALITY
    marginals = validation.recount(
        case.bundle for case in validation.triple_modality_cases(study, seed, "complete")
    )
    complete = _run(
        "complete records", validation.triple_modality_cases(study, seed), evaluator, settings, progress
    )
    gaps = _run(
        "records with gaps",
        validation.triple_modality_cases(study, seed, "gaps"),
        evaluator,
        settings,
        progress,
    )
    later = _run(
        "follow-up", validation.triple_modality_cases(study, seed, "follow-up"), evaluator, settings, progress
    )
    return validation.triple_modality_table(study, marginals, complete, gaps, later)


def _resected(seed: int, evaluator: Evaluator, settings: Settings, progress: Progress) -> Table:
    outcomes = _run(
        "resected patients", validation.resected_cases(RESECTED, seed), evaluator, settings, progress
    )
    return validation.resected_table(RESECTED, outcomes)


_MADE = {"triple-modality": _triple_modality, "resected": _resected}


def _document(table: Table) -> dict[str, Any]:
    return {
        "study": table.name,
        "title": table.title,
        "passed": table.passed,
        "numbers": dict(zip(table.columns, map(asdict, table.counts), strict=True)),
        "rows": [
            {
                "what": row.what.strip(),
                "published": row.published or None,
                "ours": dict(zip(table.columns, row.ours, strict=True)),
            }
            for row in table.rows
        ],
        "checks": [asdict(check) for check in table.checks],
        "assumptions": list(table.assumptions),
    }


def print_tables(out: Console, tables: Sequence[Table], seed: int, revision: str) -> None:
    """Prints every table, its checks and what was assumed."""
    out.print(plain(LABEL), style="bold")
    out.print(plain(f"Seed {seed}, rules {revision}."))
    for table in tables:
        out.print()
        out.print(plain(table.title), style="bold")
        out.print(_grid(table))
        for check in table.checks:
            detail = f" ({check.detail})" if check.detail and not check.passed else ""
            word, style = ("holds", "green") if check.passed else ("FAILS", "bold red")
            out.print(plain(f"{word}: {check.what}{detail}"), style=style)
        out.print(plain("Assumed:"))
        for line in table.assumptions:
            out.print(plain(f"- {line}"))


def _grid(table: Table) -> Grid:
    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("", overflow="fold", ratio=4)
    for heading in ("published", *table.columns):
        grid.add_column(heading, overflow="fold", ratio=2)
    for row in table.rows:
        grid.add_row(*(plain(text) for text in (row.what, row.published, *row.ours)))
    return grid
