"""Every command under its name, and how an error ends the process."""

from __future__ import annotations

import sys

import typer

from cds_hooks.cli import assess, config, demo, features, rules, samples, serve, validate, why
from cds_hooks.cli.terminal import complain
from plugin.errors import VestigeError
from plugin.version import VERSION
from rules.errors import RulesError

app = typer.Typer(
    name="vestige",
    help="A CDS Hooks service for colorectal liver metastases, and its tools.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("assess")(assess.assess)
app.command("why")(why.why)
app.command("why-not")(why.why_not)
app.command("features")(features.features)
app.command("validate")(validate.validate)
app.add_typer(samples.app, name="samples")
app.add_typer(rules.app, name="rules")
app.add_typer(config.app, name="config")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vestige {VERSION}")
        raise typer.Exit


VERSION_OPTION = typer.Option(
    False, "--version", callback=_version, is_eager=True, help="Prints the version."
)


@app.callback()
def _options(
    version: bool = VERSION_OPTION,
) -> None:
    """Exit codes: 0 fine, 1 a problem was found, 2 unusable input, 3 something could not be reached."""


def run() -> None:
    """Runs the command line; an error on purpose is one line and its exit code."""
    try:
        app()
    except VestigeError as error:
        sys.exit(complain(str(error), error.exit_code))
    except RulesError as error:
        sys.exit(complain(str(error), 2))
    except BrokenPipeError:
        # The reader of a pipe has gone: nothing more can be said to it.
        sys.stderr.close()
        sys.exit(1)
