"""An OpenID provider written by others (oidc-provider, Node.js) before a FHIR server, as a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fhir_profiles.validators import once
from tests.require import require

FOLDER = Path(__file__).parent / "smart"
SECONDS = 60


@dataclass(frozen=True)
class SmartServer:
    """A running server: its origin, and the base of the FHIR server behind it."""

    origin: str

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    def asked(self) -> list[str]:
        """Every request so far, as "METHOD /path"."""
        told: list[str] = requests.get(f"{self.origin}/asked", timeout=SECONDS).json()
        return told


@contextlib.contextmanager
def running(
    folder: Path, port: int, *, clients: Sequence[Mapping[str, Any]], scopes: Sequence[str], **more: Any
) -> Iterator[SmartServer]:
    """Runs the server until the block ends; `more` are the members of its configuration."""
    node = require("node")
    install: list[str | Path] = ["npm", "--prefix", FOLDER, "ci", "--ignore-scripts", "--no-audit"]
    once(FOLDER / "node_modules", FOLDER / "package-lock.json", install)
    server = SmartServer(origin=f"http://127.0.0.1:{port}")
    config = folder / f"smart-{port}.json"
    config.write_text(json.dumps({"port": port, "clients": clients, "scopes": scopes, **more}))
    log = folder / f"smart-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(node), str(FOLDER / "server.mjs"), str(config)], stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(server, process, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: SmartServer, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{server.origin}/asked", timeout=60).status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"the SMART server did not start:\n{log.read_text(errors='replace')[-2000:]}")
