"""`vestige assess`: one patient from files, no server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from cds_hooks.cards import CANONICAL, response
from cds_hooks.cli import report
from cds_hooks.cli.terminal import AS_JSON, CONFIG, TODAY, console, day, print_json
from cds_hooks.hooks import HOOKS
from cds_hooks.rulebook import evaluator_here
from cds_hooks.wire import pruned
from plugin.advice import advise, shown
from plugin.decide import decide
from plugin.decision import Decision
from plugin.errors import InputError
from plugin.pull.files import chart_from_files
from plugin.result import as_json
from plugin.settings import Settings, load
from plugin.settings import today as today_of

FILES = typer.Argument(metavar="FILE...", help="Bundles, single resources or NDJSON of one patient.")
HOOK = typer.Option(None, "--hook", metavar="NAME", help="The hook for which cards are shown.")
CONTEXT = typer.Option(
    None, "--context", metavar="FILE", help="The hook context, with its draft orders (JSON)."
)


def assess(
    files: list[Path] = FILES,
    hook: str | None = HOOK,
    context: Path | None = CONTEXT,
    today: str | None = TODAY,
    config: Path | None = CONFIG,
    as_json_: bool = AS_JSON,
) -> None:
    """Decides on one patient; exit code 1 where there are lesions and nothing could be decided of any."""
    settings = load(config)
    hooked = read_context(context)
    name = hook_name(hook, hooked)
    decision = decided(files, hooked, settings, today)
    advices = advise(decision, name, settings=settings, language=settings.cards.language)
    if as_json_:
        document = as_json(decision, advices, shown(decision, name))
        made = response(
            advices, source_url=settings.service.public_url or CANONICAL, links=settings.cards.links
        )
        print_json({**document, "cards": pruned(made["cards"])})
    else:
        report.print_report(console(), decision, advices)
    raise typer.Exit(1 if undecided(decision) else 0)


def decided(
    files: list[Path], context: Mapping[str, Any] | None, settings: Settings, today: str | None
) -> Decision:
    """Returns the decision on the patient of these files."""
    chart = chart_from_files(files, context)
    with evaluator_here(settings) as evaluator:
        return decide(chart, evaluator, today=day(today) or today_of(settings), settings=settings)


def read_context(path: Path | None) -> Mapping[str, Any] | None:
    """Returns the hook document of a file, {"hook", "context"} or the context alone; InputError else."""
    if path is None:
        return None
    try:
        document = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: is no valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: must hold a JSON object, the hook context")
    return document


def hook_name(option: str | None, context: Mapping[str, Any] | None) -> str:
    """Returns the hook of the option, of the context, or patient-view; InputError for an unknown one."""
    name = option or (context or {}).get("hook") or "patient-view"
    if name not in HOOKS:
        raise InputError(f"no service answers the hook {name!r}; there are {', '.join(HOOKS)}")
    return str(name)


def undecided(decision: Decision) -> bool:
    """Says whether nothing could be decided: of no lesion, or for want of a readable record."""
    if decision.lesions:
        return all(lesion.status == "CANNOT_DECIDE" for lesion in decision.lesions)
    return any(gap.decisive for gap in decision.gaps)
