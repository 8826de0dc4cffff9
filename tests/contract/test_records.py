"""Decision records of a real service: kill -9 right after an answer, and a database that goes and comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import requests

from plugin.record import Record
from plugin.store import Store
from tests.contract.test_engine_lost import call
from tests.service import Service, running

TODAY = date(2026, 11, 21)
VESTIGE = str(Path(sys.executable).with_name("vestige"))


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "vestige.toml"
    file.write_text('[rules]\nengine = "reference"\n[service]\nhook_deadline = 60.0\n')
    return file


def started(folder: Path, *more: str) -> list[str]:
    with (folder / "vestige.toml").open("a") as file:
        file.writelines(f"{line}\n" for line in more)
    return ["--config", str(folder / "vestige.toml")]


def records(folder: Path) -> list[Record]:
    store = Store(f"sqlite:///{folder / 'vestige.db'}", create=False)
    try:
        return list(store.records())
    finally:
        store.close()


def uuids(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [card["uuid"] for card in answer.json()["cards"]]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def figures(service: Service) -> dict[str, str]:
    text = requests.get(f"{service.address}/metrics", timeout=60).text
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def verified(folder: Path) -> dict[str, object]:
    command = [VESTIGE, "records", "verify", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_what_was_answered_is_recorded_although_the_service_is_killed_at_once(tmp_path: Path) -> None:
    answered: list[list[str]] = []
    options = started(tmp_path)
    # The database is held, so that nothing but the spool can have the records when the service is killed.
    with running(tmp_path, today=TODAY, options=options) as service, held(tmp_path):
        answered.append(uuids(service.call(call())))
        answered.append(uuids(service.call(call())))
        os.kill(service.pid, signal.SIGKILL)
    assert records(tmp_path) == []
    with running(tmp_path, today=TODAY, options=options):
        until(lambda: len(records(tmp_path)) == 2)
    found = records(tmp_path)
    assert [list(one.cards) for one in found] == answered
    first, second = found
    assert first.findings
    assert first.milliseconds["decide"] > 0
    assert (second.repeats, second.findings) == (first.id, first.findings)
    assert not list((tmp_path / "vestige.db-spool").glob("*.spool"))
    verified(tmp_path)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keeps the database from taking anything until the block ends, from a process of its own."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder / "vestige.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.kill()
        holder.communicate()


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_database_goes_and_comes_back_and_no_record_is_lost(tmp_path: Path) -> None:
    with running(tmp_path, today=TODAY, options=started(tmp_path)) as service:
        first = uuids(service.call(call()))
        until(lambda: len(records(tmp_path)) == 1)
        with held(tmp_path):
            second = uuids(service.call(call()))
            until(lambda: figures(service)["vestige_database_away"] == "1.0")
            assert figures(service)["vestige_records_waiting"] == "1.0"
            assert float(figures(service)["vestige_spool_bytes"]) > 0
            ready = requests.get(f"{service.address}/readyz", timeout=60).json()
            assert (ready["databaseAway"], ready["recordsWaiting"]) == (True, 1)
        until(lambda: figures(service)["vestige_records_waiting"] == "0.0")
        assert requests.get(f"{service.address}/readyz", timeout=60).json()["databaseAway"] is False
    assert [list(one.cards) for one in records(tmp_path)] == [first, second]
    log = service.log.read_text()
    assert "alarm records database-away" in log
    assert "records database-back" in log
    verified(tmp_path)


def test_calls_are_refused_while_the_database_is_away_where_the_site_says_so(tmp_path: Path) -> None:
    options = started(tmp_path, "[store]", 'on_failure = "refuse"')
    with running(tmp_path, today=TODAY, options=options) as service:
        with held(tmp_path):
            answered = uuids(service.call(call()))
            until(lambda: figures(service)["vestige_database_away"] == "1.0")
            refused = service.call(call())
            assert refused.status_code == 503
            assert refused.json()["resourceType"] == "OperationOutcome"
            ready = requests.get(f"{service.address}/readyz", timeout=60)
            assert ready.status_code == 503
            assert "calls are refused" in ready.text
            counted = [value for name, value in figures(service).items() if name.endswith('status="503"}')]
            assert counted == ["1.0"]
        until(lambda: figures(service)["vestige_database_away"] == "0.0")
        again = uuids(service.call(call()))
        until(lambda: len(records(tmp_path)) == 2)
    assert [list(one.cards) for one in records(tmp_path)] == [answered, again]
