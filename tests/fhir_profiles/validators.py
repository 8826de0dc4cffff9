"""Three validators that know nothing of each other, each run once over many resources."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.require import require
from tests.servers import hapi

FOLDER = Path(__file__).parent
Resource = Mapping[str, Any]
# Of a folder of profiles and a list of resources: the errors of each resource.
Validator = Callable[[Path, Iterable[Resource]], list[list[str]]]


def medplum(profiles: Path, resources: Iterable[Resource]) -> list[list[str]]:
    """The errors that @medplum/core finds: shape, slices, patterns and FHIRPath, no value sets."""
    node = require("node")
    once(
        FOLDER / "node_modules", FOLDER / "package-lock.json", ["npm", "ci", "--ignore-scripts", "--no-audit"]
    )
    return checked([node, FOLDER / "validate.mjs", profiles], resources)


def hapi_validator(profiles: Path, resources: Iterable[Resource]) -> list[list[str]]:
    """The errors that HAPI's instance validator finds, with value sets and UCUM."""
    java, _ = require("java"), require("maven")
    command: list[str | Path] = [java, *hapi.JAVA_OPTIONS, "-cp", hapi.built(), "vestige.Validator", profiles]
    return checked(command, resources)


def pyrofile(profiles: Path, resources: Iterable[Resource]) -> list[list[str]]:
    """The errors that pyrofile finds, with value sets; it lives in an environment of its own."""
    home = FOLDER / ".venv-pyrofile"
    python = home / "bin" / "python"
    lock = FOLDER / "pyrofile.txt"
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        lock,
    ]
    once(home, lock, [sys.executable, "-m", "venv", home], install)
    return checked([python, FOLDER / "pyrofile_lines.py", profiles], resources)


VALIDATORS: dict[str, Validator] = {"medplum": medplum, "hapi": hapi_validator, "pyrofile": pyrofile}


def checked(command: Sequence[str | Path], resources: Iterable[Resource]) -> list[list[str]]:
    """What a validator that reads a resource a line says about each."""
    lines = [json.dumps(resource) for resource in resources]
    run = subprocess.run(command, input="\n".join([*lines, ""]), capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, f"{command[0]} ended with {run.returncode}:\n{run.stderr[-2000:]}"
    verdicts = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(verdicts) == len(lines), f"{command[0]} answered {len(verdicts)} of {len(lines)} resources"
    return verdicts


def once(home: Path, lock: Path, *commands: Sequence[str | Path]) -> None:
    """Runs an installation only when its lock file changed, and in one test process at a time."""
    stamp = home / "installed"
    now = hashlib.sha256(lock.read_bytes()).hexdigest()
    with hapi.locked(lock):
        if stamp.exists() and stamp.read_text() == now:
            return
        for command in commands:
            run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
            assert run.returncode == 0, f"{' '.join(map(str, command))} failed:\n{run.stdout}{run.stderr}"
        stamp.write_text(now)
