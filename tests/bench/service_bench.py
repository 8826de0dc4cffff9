"""Times over HTTP: `python -m tests.bench.service_bench [--seconds S] [--only NAME] [--json]`.

Discovery and a patient-view call of about 155 kB (100 Observations over 10 lesions in its prefetch), at 1, 8 and 32
connections, against one worker of each server: a bare Starlette server that parses the body and answers a constant,
HealthChain with a constant card, and this service with its engines in-process (once with every call a patient that
was not seen before), in the worker pool, and with an ES384 token to be verified at each call. The load comes from a
process of its own over connections that stay open. Figures of one run compare with each other, not with another run's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import requests
import uvloop

from cds_hooks.page.records import Records
from plugin.pull.queries import PREFETCH, path
from tests.bench.reading_bench import PATIENT, patient
from tests.cds_hooks.jwts import Client, elliptic, key_file
from tests.require import ROOT, find
from tests.servers.sekmet import free_port

CONNECTIONS = (1, 8, 32)
HEALTHCHAIN = ROOT / "tests" / "bench" / "servers" / "healthchain_constant.py"
Head = Callable[[], dict[str, str]]


@dataclass(frozen=True)
class Target:
    """One server under load: its addresses, the headers of a call and the bodies sent in turn."""

    name: str
    port: int
    discovery: str
    call: str
    pid: int
    bodies: tuple[bytes, ...]
    head: Head = field(default=dict)


@dataclass(frozen=True)
class Row:
    """What one load gave: requests in a second, milliseconds, and answers that were not 200."""

    server: str
    what: str
    connections: int
    rate: float
    p50: float
    p99: float
    failed: int


def record(own: str) -> dict[str, Any]:
    """Returns a filled prefetch of one synthetic patient: 100 Observations over 10 lesions."""
    text = json.dumps(patient(100, relevant=1.0, lesions=10)).replace(PATIENT, own)
    records = Records([{"resourceType": "Bundle", "entry": [{"resource": one} for one in json.loads(text)]}])
    return {key: _answer(path(template, own), records) for key, template in PREFETCH.items()}


def _answer(asked: str, records: Records) -> dict[str, Any] | None:
    kind, _, query = asked.partition("?")
    if not query:
        return records.read(*kind.split("/"))
    entries = [{"resource": one} for one in records.find(kind, parse_qsl(query))]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def body(own: str) -> bytes:
    """Returns a patient-view call."""
    call = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/bench", "patientId": own},
        "prefetch": record(own),
    }
    return json.dumps(call).encode()


# --- load


async def _asks(
    target: Target, method: str, path: str, bodies: tuple[bytes, ...], until: float
) -> list[float]:
    """One connection's answers: seconds each, negative where the status was not 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    times: list[float] = []
    number = 0
    while time.perf_counter() < until:
        content = bodies[number % len(bodies)] if bodies else b""
        number += 1
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
        if content:
            lines += ["Content-Type: application/json", *(f"{k}: {v}" for k, v in target.head().items())]
        began = time.perf_counter()
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        answered = await reader.readuntil(b"\r\n\r\n")
        length = int(answered.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        took = time.perf_counter() - began
        times.append(took if answered.startswith(b"HTTP/1.1 200") else -took)
    writer.close()
    return times


async def _load(target: Target, what: str, connections: int, seconds: float) -> Row:
    method, path = ("GET", target.discovery) if what == "discovery" else ("POST", target.call)
    bodies = () if what == "discovery" else target.bodies
    until = time.perf_counter() + seconds
    many = await asyncio.gather(*(_asks(target, method, path, bodies, until) for _ in range(connections)))
    times = [one for each in many for one in each]
    good = sorted(one for one in times if one > 0)
    failed = len(times) - len(good)
    return Row(target.name, what, connections, len(good) / seconds, _at(0.5, good), _at(0.99, good), failed)


def _at(share: float, sorted_seconds: list[float]) -> float:
    """Returns the milliseconds that a share of the answers kept to."""
    if not sorted_seconds:
        return float("nan")
    return 1000 * sorted_seconds[min(len(sorted_seconds) - 1, int(share * len(sorted_seconds)))]


# --- servers


@contextlib.contextmanager
def process(command: list[str], port: int, path: str, **environment: str) -> Iterator[int]:
    """Runs a server until the block ends, from when its address answers."""
    with tempfile.TemporaryFile() as log:
        started = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(started, f"http://127.0.0.1:{port}{path}", log)
            yield started.pid
        finally:
            started.terminate()
            started.wait(20)


def _wait(started: subprocess.Popen[bytes], address: str, log: Any) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and started.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(address, timeout=60).status_code == 200:
                return
        time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f"{address} did not answer: {log.read()[-600:].decode(errors='replace')}")


@contextlib.contextmanager
def bare() -> Iterator[Target]:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.servers.bare", str(port)]
    with process(command, port, "/cds-services") as pid:
        yield Target(
            "bare Starlette", port, "/cds-services", "/cds-services/constant", pid, (body("bench-1"),)
        )


@contextlib.contextmanager
def healthchain() -> Iterator[Target]:
    if find("healthchain") is None:
        raise RuntimeError("run scripts/install.sh healthchain")
    port = free_port()
    command = [str(ROOT / ".venv-healthchain" / "bin" / "python"), str(HEALTHCHAIN), str(port)]
    with process(command, port, "/cds/cds-discovery") as pid:
        at = "/cds/cds-services/constant"
        yield Target("HealthChain", port, "/cds/cds-discovery", at, pid, (body("bench-1"),))


@contextlib.contextmanager
def vestige(name: str, mode: str, patients: int, client: Client | None = None) -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = Path(folder) / "vestige.toml"
        lines = [f'[store]\nurl = "sqlite:///{folder}/vestige.db"', f'[rules]\nengine = "{mode}"']
        options = ["--open"]
        if client is not None:
            public = f"https://127.0.0.1:{port}"
            keys = key_file(Path(folder), client)
            lines += [f'[service]\npublic_url = "{public}"', "[trust]\nbehind_tls_proxy = true"]
            lines += [f'[[trust.issuers]]\nissuer = "{client.issuer}"\njwks_file = "{keys}"']
            options = []
        config.write_text("\n".join(lines))
        command = [str(Path(sys.executable).with_name("vestige")), "serve", "--config", str(config)]
        with process([*command, *options, "--port", str(port)], port, "/readyz") as pid:
            bodies = tuple(body(f"bench-{number}") for number in range(patients))
            at = "/cds-services/crlm-lesion-review"
            head: Head = dict if client is None else partial(_signed, client, f"https://127.0.0.1:{port}{at}")
            yield Target(name, port, "/cds-services", at, pid, bodies, head)


def _signed(client: Client, audience: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.token(client.claims(aud=audience))}"}


def servers() -> dict[str, Callable[[], contextlib.AbstractContextManager[Target]]]:
    """Returns what can be measured, by name."""
    return {
        "bare Starlette": bare,
        "HealthChain": healthchain,
        "in-process, same patient": lambda: vestige("in-process, same patient", "in-process", 1),
        "in-process, 200 patients": lambda: vestige("in-process, 200 patients", "in-process", 200),
        "pool (default)": lambda: vestige("pool (default)", "pool", 200),
        "in-process, ES384": lambda: vestige("in-process, ES384", "in-process", 200, elliptic()),
    }


def resident(pid: int) -> float:
    """Returns a process's resident memory in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(seconds: float, only: str | None) -> tuple[list[Row], dict[str, dict[str, float]]]:
    """Loads every server in turn; returns the rows, and start seconds and resident MB of each server."""
    rows: list[Row] = []
    facts: dict[str, dict[str, float]] = {}
    for name, start in servers().items():
        if only is not None and only != name:
            continue
        began = time.perf_counter()
        with start() as target:
            ready = time.perf_counter() - began
            uvloop.run(_load(target, "patient-view", 1, min(seconds, 2.0)))  # warm
            for what in ("discovery", "patient-view"):
                rows += [uvloop.run(_load(target, what, many, seconds)) for many in CONNECTIONS]
            facts[name] = {"start": ready, "MB": resident(target.pid)}
    return rows, facts


def main() -> int:
    """Prints the table; returns 1 where a call was not answered with 200."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    parser.add_argument("--only", choices=sorted(servers()))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows, facts = measure(chosen.seconds, chosen.only)
    if chosen.json:
        print(json.dumps({"rows": [vars(row) for row in rows], "servers": facts}, indent=1))
    else:
        _print(rows, facts)
    return int(any(row.failed for row in rows))


def _print(rows: list[Row], facts: dict[str, dict[str, float]]) -> None:
    base = {(row.what, row.connections): row.rate for row in rows if row.server == "bare Starlette"}
    print(f"body {len(body('bench-1')) / 1000:.0f} kB, load average {os.getloadavg()[0]:.1f}")
    print(
        f"{'server':26} {'what':13} {'conn':>4} {'req/s':>8} {'of bare':>8} {'p50 ms':>8} {'p99 ms':>8} failed"
    )
    for row in rows:
        of = base.get((row.what, row.connections))
        share = f"{row.rate / of:8.3f}" if of else f"{'-':>8}"
        print(
            f"{row.server:26} {row.what:13} {row.connections:4} {row.rate:8.0f} {share} "
            f"{row.p50:8.2f} {row.p99:8.2f} {row.failed:6}"
        )
    for name, said in facts.items():
        print(f"{name:26} start {said['start']:.1f} s, {said['MB']:.0f} MB resident")


if __name__ == "__main__":
    sys.exit(main())
