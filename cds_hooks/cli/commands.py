"""Every command under its name, and how an error ends the process."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module

import typer

from cds_hooks.cli.terminal import complain
from cds_hooks.process import uncollected
from plugin.errors import VestigeError
from plugin.version import VERSION
from rules.errors import RulesError

# Each command's module and function, in the order of the help; a group's module holds its commands.
COMMANDS = {
    "serve": "serve.serve",
    "demo": "demo.demo",
    "assess": "assess.assess",
    "why": "why.why",
    "why-not": "why.why_not",
    "capture": "capture.capture",
    "replay": "replay.replay",
    "conformance": "conformance.conformance",
    "features": "features.features",
    "doctor": "doctor.doctor",
    "integrate": "integrate.integrate",
    "interop": "interop.interop",
    "validate": "validate.validate",
}
GROUPS = ("samples", "rules", "config", "feedback", "records", "database")
HELP = "A CDS Hooks service for colorectal liver metastases, and its tools."


def application(names: Iterable[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """Returns the command line with these commands; only their modules are loaded, for some take a second."""
    app = typer.Typer(
        name="vestige",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name in names:
        module, _, function = COMMANDS.get(name, name).partition(".")
        loaded = import_module(f"cds_hooks.cli.{module}")
        if function:
            app.command(name)(getattr(loaded, function))
        else:
            app.add_typer(loaded.app, name=name)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vestige {VERSION}")
        raise typer.Exit


VERSION_OPTION = typer.Option(
    False, "--version", callback=_version, is_eager=True, help="Prints the version."
)


def _options(
    version: bool = VERSION_OPTION,
) -> None:
    """Exit codes: 0 fine, 1 a problem was found, 2 unusable input, 3 something could not be reached."""


def _asked(arguments: list[str]) -> Iterable[str]:
    """The one command that is asked for, or all where it is help or a word that is no command."""
    first = arguments[0] if arguments else ""
    if first == "--version":
        # A group wants a command, if only not to be called.
        return ("samples",)
    return (first,) if first in COMMANDS or first in GROUPS else (*COMMANDS, *GROUPS)


def run() -> None:
    """Runs the command line; an error on purpose is one line and its exit code."""
    try:
        with uncollected():
            app = application(_asked(sys.argv[1:]))
        app()
    except VestigeError as error:
        sys.exit(complain(str(error), error.exit_code))
    except RulesError as error:
        sys.exit(complain(str(error), 2))
    except BrokenPipeError:
        # The reader of a pipe has gone: nothing more can be said to it.
        sys.stderr.close()
        sys.exit(1)
