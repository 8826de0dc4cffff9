"""Servers under load, each a process of its own: the bare server, HealthChain, and this service in several modes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import requests

from tests.bench.calls import FILED_AS_IMAGING, OBSERVATIONS, body
from tests.bench.load import Target
from tests.cds_hooks.jwts import Client, key_file
from tests.require import ROOT, find
from tests.servers.sekmet import free_port

REVIEW = "/cds-services/crlm-lesion-review"
HEALTHCHAIN = ROOT / "tests" / "bench" / "servers" / "healthchain_constant.py"
# Status 200 alone says little: a late answer has it, too, and so has silence.
NO_ANSWER = (b"NotAssessedInTime", b'{"cards":[]}')


@contextlib.contextmanager
def process(command: list[str], port: int, path: str) -> Iterator[tuple[int, float]]:
    """Runs a server until the block ends; yields its pid, and the seconds from its start to its first 200."""
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        started = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(started, f"http://127.0.0.1:{port}{path}", log)
            yield started.pid, time.perf_counter() - began
        finally:
            started.terminate()
            started.wait(60)


def _wait(started: subprocess.Popen[bytes], address: str, log: IO[bytes]) -> None:
    end = time.monotonic() + 60
    with requests.Session() as session:
        while time.monotonic() < end and started.poll() is None:
            with contextlib.suppress(requests.ConnectionError):
                if session.get(address, timeout=60).status_code == 200:
                    return
            time.sleep(0.01)
    log.seek(0)
    raise RuntimeError(f"{address} did not answer: {log.read()[-600:].decode(errors='replace')}")


@contextlib.contextmanager
def bare() -> Iterator[Target]:
    """The limit of the machine: a server that parses the body and answers a constant."""
    port, bodies = free_port(), (body("bench-1"),)
    command = [sys.executable, "-m", "tests.bench.servers.bare", str(port)]
    with process(command, port, "/cds-services") as (pid, ready):
        at = "/cds-services/constant"
        yield Target("bare Starlette", port, pid, ready, "/cds-services", at, bodies)


@contextlib.contextmanager
def healthchain() -> Iterator[Target]:
    """HealthChain with a constant card."""
    if find("healthchain") is None:
        raise RuntimeError("run scripts/install.sh healthchain")
    port, bodies = free_port(), (body("bench-1"),)
    command = [str(ROOT / ".venv-healthchain" / "bin" / "python"), str(HEALTHCHAIN), str(port)]
    with process(command, port, "/cds/cds-discovery") as (pid, ready):
        at = "/cds/cds-services/constant"
        yield Target("HealthChain", port, pid, ready, "/cds/cds-discovery", at, bodies)


@contextlib.contextmanager
def vestige(
    name: str,
    engine: str,
    patients: int = 200,
    *,
    client: Client | None = None,
    twice: bool = False,
    anew: bool = True,
    settings: str = "",
) -> Iterator[Target]:
    """This service; `twice`: every Observation is filed under the category, so that it is sent by two keys.

    `anew`: each call is decided, also on a record that was read a moment ago.
    """
    port = free_port()
    filed = OBSERVATIONS if twice else FILED_AS_IMAGING
    bodies = tuple(body(f"bench-{number}", filed) for number in range(patients))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "vestige.toml"
        # The deadline must not cut a time that is measured.
        lines = [f'[store]\nurl = "sqlite:///{folder}/vestige.db"', f'[rules]\nengine = "{engine}"', settings]
        lines += ["[service]\nhook_deadline = 60.0", *(["repeat_seconds = 0"] if anew else [])]
        public = f"https://127.0.0.1:{port}"
        if client is not None:
            keys = key_file(Path(folder), client)
            lines += [f'public_url = "{public}"', "[trust]\nbehind_tls_proxy = true"]
            lines += [f'[[trust.issuers]]\nissuer = "{client.issuer}"\njwks_file = "{keys}"']
        config.write_text("\n".join(lines))
        command = [str(Path(sys.executable).with_name("vestige")), "serve", "--config", str(config)]
        command += ["--port", str(port), *(["--open"] if client is None else [])]
        # The first start of an installation makes the database; every later one finds it.
        with process(command, port, "/readyz") as (_, first):
            pass
        with process(command, port, "/readyz") as (pid, ready):
            made = Target(
                name, port, pid, ready, "/cds-services", REVIEW, bodies, first=first, never=NO_ANSWER
            )
            yield made if client is None else _signing(made, client, public)


def _signing(target: Target, client: Client, public: str) -> Target:
    def head(path: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {client.token(client.claims(aud=public + path))}"}

    return replace(target, head=head)
