"""`vestige database`: at which step the site's database is, and how it is brought to another one."""

from __future__ import annotations

from pathlib import Path

import typer
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.cli.site_database import STORE, database_url
from cds_hooks.cli.terminal import AS_JSON, CONFIG, console, print_json
from plugin.database import GOING_BACK, HEAD, engine_of, kind_of, migrate, require_file, version_of
from plugin.errors import StoreError

app = typer.Typer(help="The site's database and its steps.", no_args_is_help=True)

STEP = typer.Argument(HEAD, metavar="[STEP]", help=f"0001 to {HEAD}; without it what this version needs.")
YES = typer.Option(False, "--yes", help="Goes back; without it, only what would be lost is printed.")


@app.callback()
def _database() -> None:
    """The site's database and its steps."""


@app.command("status")
def status(store: str | None = STORE, config: Path | None = CONFIG, as_json: bool = AS_JSON) -> None:
    """Prints the step the database is at; exit code 1 where this version needs another one."""
    now = _step_of(database_url(store, config))
    if as_json:
        print_json({"step": now, "needed": HEAD})
    elif now == HEAD:
        console().print(f"At step {now}, which is what this version needs.")
    else:
        console().print(f"{_at(now)}; this version needs {HEAD}.")
    raise typer.Exit(0 if now == HEAD else 1)


@app.command("migrate")
def to_step(
    step: str = STEP, store: str | None = STORE, config: Path | None = CONFIG, yes: bool = YES
) -> None:
    """Brings the database to a step; stop every worker before, and back up.

    A service brings its database forward by itself when it starts. Going back is for an earlier release, and
    loses what the later steps brought.
    """
    url = database_url(store, config)
    now = _step_of(url)
    lost = [] if now is None else [text for later, text in GOING_BACK.items() if step < later <= now]
    for text in lost:
        console().print(f"Lost: {text}.", soft_wrap=True)
    if lost and not yes:
        console().print(f"{_at(now)}; nothing was changed. Say --yes to go back to {step}.")
        return
    migrate(url, step)
    console().print(f"{_at(now)} before, at step {step} now.")


def _at(step: str | None) -> str:
    return "Empty" if step is None else f"At step {step}"


def _step_of(url: str) -> str | None:
    engine = engine_of(url)
    try:
        require_file(engine.url)
        return version_of(engine)
    except SQLAlchemyError as error:
        name = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"{name}: cannot be used: {kind_of(error)}") from error
    finally:
        engine.dispose()
