"""`vestige why` and `vestige why-not`: from a finding down to FHIR resources, and up to what failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.tree import Tree

from cds_hooks.cli.assess import CONTEXT, decided, read_context
from cds_hooks.cli.rules import statement_of
from cds_hooks.cli.terminal import AS_JSON, CONFIG, TODAY, console, plain, print_json
from plugin.chain import chain_of, labelled, labels_of
from plugin.decision import Decision, LesionOutcome
from plugin.errors import InputError
from plugin.settings import load
from rules import explain

FILE = typer.Argument(metavar="FILE", help="The Bundle or NDJSON of one patient.")
RULE = typer.Argument(metavar="RULE", help="The id of the rule.")
LESION = typer.Option(..., "--lesion", metavar="ID", help="The label or the id of the lesion.")
SOME_LESION = typer.Option(None, "--lesion", metavar="ID", help="Only what concerns this lesion.")
MAX_BELOW = 12


def why(
    file: Path = FILE,
    lesion: str = LESION,
    context: Path | None = CONTEXT,
    today: str | None = TODAY,
    config: Path | None = CONFIG,
    as_json: bool = AS_JSON,
) -> None:
    """Prints what every finding on a lesion rests on: rules, facts, and the FHIR resources below them."""
    decision = decided([file], read_context(context), load(config), today)
    chosen = lesion_of(decision, lesion)
    chains = [chain_of(one) for one in explain.why(decision.evaluation, chosen.id)]
    if as_json:
        print_json({"lesion": chosen.id, "label": chosen.label, "status": chosen.status, "chains": chains})
        return
    out = console()
    out.print(plain(f"{chosen.label}: {chosen.status} {', '.join(chosen.reasons)}".rstrip()))
    labels = labels_of(decision)
    for chain in chains:
        out.print(tree_of(chain, labels))


def why_not(
    file: Path = FILE,
    rule: str = RULE,
    lesion: str | None = SOME_LESION,
    context: Path | None = CONTEXT,
    today: str | None = TODAY,
    config: Path | None = CONFIG,
    as_json: bool = AS_JSON,
) -> None:
    """Prints the first condition of a rule that failed; exit code 1 where the rule did conclude."""
    decision = decided([file], read_context(context), load(config), today)
    statement = statement_of(decision.pack, rule)
    subject = lesion_of(decision, lesion).id if lesion else None
    answer = explain.why_not(decision.pack, decision.facts, statement.id, subject)
    if as_json:
        print_json({"rule": rule, "subject": subject, "concluded": answer.fired, "why": str(answer)})
    else:
        console().print(plain(labelled(str(answer), labels_of(decision))), soft_wrap=True)
    raise typer.Exit(1 if answer.fired else 0)


def lesion_of(decision: Decision, name: str) -> LesionOutcome:
    """Returns the lesion of this label or id; InputError names those that there are."""
    found = [one for one in decision.lesions if name in (one.label, one.id)]
    if len(found) != 1:
        labels = ", ".join(one.label for one in decision.lesions) or "none"
        raise InputError(f"lesion {name!r} is not exactly one of those on record: {labels}")
    return found[0]


def tree_of(chain: dict[str, Any], labels: Mapping[str, str]) -> Tree:
    """Returns a chain as a tree for a terminal."""
    tree = Tree(plain(labelled(chain["said"], labels)), guide_style="dim")
    because = chain.get("because", [])
    for support in because[:MAX_BELOW]:
        tree.add(tree_of(support, labels))
    for resource in chain.get("resources", ()):
        tree.add(plain(resource))
    if len(because) > MAX_BELOW:
        tree.add(plain(f"and {len(because) - MAX_BELOW} more; --json has all"))
    return tree
