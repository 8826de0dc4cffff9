"""The command line: the top floor's second door, one file a command."""


def main() -> None:
    """Runs the `vestige` command and ends the process with its exit code."""
    from cds_hooks.cli.commands import run

    run()
