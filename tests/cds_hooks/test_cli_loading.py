"""A command loads what it needs: the service must not wait for the checker's modules."""

import subprocess
import sys

import pytest

from cds_hooks.cli.commands import COMMANDS, GROUPS, application


@pytest.mark.parametrize(
    ("command", "heavy"),
    [
        ("--version", "sqlalchemy"),
        ("samples", "uvicorn"),
        ("serve", "cds_hooks.interop"),
        ("serve", "cryptography"),
        ("serve", "sqlalchemy.dialects.postgresql"),
        ("rules", "uvicorn"),
    ],
)
def test_a_command_loads_no_other(command: str, heavy: str) -> None:
    code = (
        "import sys; from cds_hooks.cli.commands import _asked, application;"
        f"application(_asked(['{command}'])); print('{heavy}' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_command_is_there_under_its_name() -> None:
    app = application()
    names = [command.name for command in app.registered_commands]
    assert names + [group.name for group in app.registered_groups] == [*COMMANDS, *GROUPS]
