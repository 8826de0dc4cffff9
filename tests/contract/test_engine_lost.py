"""durable_rules dies in its worker process: the call is answered by the second evaluation, alarmed, and it comes back."""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from fhir_profiles import samples
from plugin.pull.queries import QUERIES
from tests.service import Service, running

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    # Each call is decided anew: what is asked here is how the engines answer.
    anew = {**os.environ, "VESTIGE_SERVICE__REPEAT_SECONDS": "0"}
    with running(tmp_path_factory.mktemp("service"), today=TODAY, environment=anew) as started:
        yield started


def workers(service: Service) -> list[int]:
    """Returns the worker processes of the service that are alive."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            line = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == service.pid and b"spawn_main" in line and state != "Z":
            found.append(int(folder.name))
    return found


def call() -> dict[str, Any]:
    sample = samples.sample("ct-only-watch-and-wait", TODAY)
    resources = [entry["resource"] for entry in sample.bundle["entry"]]
    prefetch = {}
    for query in QUERIES:
        found = [one for one in resources if one["resourceType"] == query.resource]
        whole = {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}
        prefetch[query.key] = found[0] if query.is_read else whole
    hook = sample.hook
    return {**hook, "hookInstance": str(uuid.uuid4()), "prefetch": prefetch}


def told(service: Service) -> list[tuple[str, str]]:
    answer = service.call(call())
    assert answer.status_code == 200, answer.text
    return [(card["summary"], card["detail"]) for card in answer.json()["cards"]]


def alarms(service: Service) -> dict[str, int]:
    text = requests.get(f"{service.address}/metrics", timeout=60).text
    lines = [line for line in text.splitlines() if line.startswith("vestige_alarms_total{")]
    return {line.split('"')[1]: int(float(line.rsplit(" ", 1)[1])) for line in lines}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_lost_worker_costs_no_answer(how: signal.Signals, service: Service) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("no /proc here: the worker process cannot be found")
    before, known = told(service), alarms(service)
    assert before
    (worker,) = workers(service)
    os.kill(worker, how)
    assert told(service) == before
    after = alarms(service)
    assert after["engine-unavailable"] == known.get("engine-unavailable", 0) + 1
    assert after["worker-restarted"] == known.get("worker-restarted", 0) + 1
    ready = requests.get(f"{service.address}/readyz", timeout=60)
    assert ready.status_code == 200, "the other engine answers: no reason to take the service away"
    assert ready.json()["engineAlarm"] is True
    await_new(service, worker)
    assert told(service) == before
    assert alarms(service) == after


def await_new(service: Service, old: int) -> None:
    """Waits until another worker process answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready = requests.get(f"{service.address}/readyz", timeout=60)
        if ready.json()["bothEngines"] and [one for one in workers(service) if one != old]:
            return
        time.sleep(0.1)
    pytest.fail("no new worker came up")
