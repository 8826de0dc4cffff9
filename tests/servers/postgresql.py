"""A PostgreSQL server of its own for the tests: a fresh cluster on a free port, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.require import missing, require


@contextmanager
def running() -> Iterator[str]:
    """The URL of an empty database; skips the test where PostgreSQL or its driver is not there."""
    programs = require("postgresql").parent
    if find_spec("psycopg") is None:
        missing("postgresql", "psycopg, the driver of postgresql, is not here: install vestige[postgres]")
    # Below the system's own temporary folder: pytest's is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="vestige-postgresql-"))
    user = _user()
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(programs / "initdb", "-D", data, "-U", "vestige", "-A", "trust", "--no-sync", user=user)
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        _run(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start", user=user)
        try:
            yield f"postgresql://vestige:unused@127.0.0.1:{port}/postgres"
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", user=user)
    finally:
        shutil.rmtree(folder)


def _user() -> str | None:
    """PostgreSQL refuses to run as root; its package brings a user."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.skip("postgresql does not run as root, and there is no user postgres")


def _run(*command: str | Path, user: str | None) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
    )
    if done.returncode:
        pytest.fail(f"{Path(command[0]).name} ended with {done.returncode}", pytrace=False)
