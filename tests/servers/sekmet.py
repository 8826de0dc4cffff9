"""sekmet-fhir, a FHIR server written by others, as a process of its own: the first real server we are held against."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.require import require

TOKEN = "static-test-token"


@dataclass(frozen=True)
class Sekmet:
    """A running server: its FHIR base, and the bearer token it wants (None: open)."""

    base: str
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        extra = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json", **extra}

    def load(self, bundle: dict[str, Any]) -> None:
        """Posts a transaction; fails where the server does not take all of it."""
        answer = requests.post(self.base, data=json.dumps(bundle), headers=self.headers, timeout=60)
        assert answer.status_code in (200, 201), answer.text[:500]
        statuses = {entry["response"]["status"][:3] for entry in answer.json()["entry"]}
        assert statuses <= {"200", "201"}, statuses


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def running(
    folder: Path, token: str | None = None, clients: Sequence[dict[str, Any]] = ()
) -> Iterator[Sekmet]:
    """Runs the server with its data in `folder` until the block ends.

    `clients` may ask it for tokens by SMART Backend Services, beside the one that is always good.
    """
    command = require("sekmet")
    port = free_port()
    server = Sekmet(base=f"http://127.0.0.1:{port}/fhir", token=token)
    config = folder / "sekmet.json"
    config.write_text(json.dumps(_config(server, port, folder, clients)))
    log = (folder / "sekmet.log").open("wb")
    process = subprocess.Popen(
        [str(command), "serve", "-c", str(config), "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait(server, process, folder / "sekmet.log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _config(server: Sekmet, port: int, folder: Path, clients: Sequence[dict[str, Any]]) -> dict[str, Any]:
    auth: dict[str, Any] = {"types": ["none"]}
    if server.token is not None:
        auth = {"types": ["bearer"], "tokens": [server.token]}
    if clients:
        auth = {**auth, "types": ["bearer", "smart"], "smart_clients": list(clients)}
    return {
        "base_url": server.base,
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder / "data"),
        "simulator": {"enabled": False},
        "validation": {"inbound": "warn"},
        "server_auth": auth,
    }


def _wait(server: Sekmet, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            if requests.get(f"{server.base}/metadata", headers=server.headers, timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    pytest.fail(f"sekmet did not start: {log.read_text(errors='replace')[-800:]}", pytrace=False)


@pytest.fixture(scope="session")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sekmet]:
    """An open sekmet-fhir."""
    with running(tmp_path_factory.mktemp("sekmet")) as server:
        yield server


@pytest.fixture(scope="session")
def sekmet_bearer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sekmet]:
    """A sekmet-fhir that wants a bearer token."""
    with running(tmp_path_factory.mktemp("sekmet-bearer"), TOKEN) as server:
        yield server
