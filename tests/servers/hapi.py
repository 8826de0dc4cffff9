"""HAPI FHIR R4 (JPA, its data in memory) as a process on loopback: a real server to read from and write to."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer

import pytest
import requests

from tests.require import require

FOLDER = Path(__file__).with_name("hapi")
TARGET = FOLDER / "target"
# One compiler tier and one collector thread: the server lives for seconds, not for days.
JAVA_OPTIONS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx1g",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
)


@pytest.fixture(scope="session")
def hapi() -> str:
    """The base address of the server, which is built when its sources changed and started once a test process.

    Like any HAPI, it answers a search that was asked in the last minute from its memory unless the request
    says `Cache-Control: no-cache`; pages hold 20 entries, at most 200; `$lastn` ignores `max`; every id a client
    chooses is accepted; references are not checked. It keeps what other tests wrote: use ids of your own.
    """
    java, _ = require("java"), require("maven")
    return started(java)


@cache
def started(java: Path) -> str:
    """The base address of a running server, which ends with this process."""
    classpath = built()
    with TemporaryFile("w+") as log:
        server = subprocess.Popen(
            [java, *JAVA_OPTIONS, "-cp", classpath, "vestige.Server", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        atexit.register(stop, server)
        assert server.stdout is not None
        alarm = Timer(300, server.kill)
        alarm.start()
        base = server.stdout.readline().strip()
        alarm.cancel()
        if not base:
            server.wait(30)
            log.seek(0)
            pytest.fail(f"HAPI did not start:\n{log.read()[-3000:]}", pytrace=False)
    requests.get(f"{base}/metadata", timeout=60).raise_for_status()
    return base


def stop(server: subprocess.Popen[str]) -> None:
    """Ends the server: it stops when its standard input does, and at once if that takes too long."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.close()
    server.stdout.close()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def built() -> str:
    """The class path of the compiled sources; Maven runs only when the pom or a source changed since."""
    mvn = require("maven")
    with locked(FOLDER / "pom.xml"):
        stamp = TARGET / "stamp"
        now = fingerprint()
        if not stamp.exists() or stamp.read_text() != now:
            run = subprocess.run(
                [mvn, "--batch-mode", "--quiet", "compile"], cwd=FOLDER, capture_output=True, text=True
            )
            assert run.returncode == 0, f"mvn compile in {FOLDER} failed:\n{run.stdout[-3000:]}"
            stamp.write_text(now)
    return f"{TARGET / 'classes'}:{(TARGET / 'classpath').read_text()}"


def fingerprint() -> str:
    """A hash of everything the build reads."""
    digest = hashlib.sha256()
    for path in [FOLDER / "pom.xml", *sorted((FOLDER / "src").rglob("*.java"))]:
        digest.update(f"{path.relative_to(FOLDER)}\0{path.read_text()}\0".encode())
    return digest.hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps another test process that locks the same file waiting."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
