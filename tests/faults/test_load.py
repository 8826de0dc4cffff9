"""A real service under more load than it takes, and told to stop under load: every call is answered or refused."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from plugin.record import Record
from plugin.store import Store
from tests.contract.test_bad_input import TODAY, call_of, ordinary
from tests.contract.test_records import figures
from tests.servers.hostile import Hostile, Reply, Request, serving
from tests.service import Service, running

AT_ONCE, WAITING = 2, 3
PLACES = AT_ONCE + WAITING
SETTINGS = f"""
[rules]
engine = "reference"
[service]
hook_deadline = 120.0
calls_at_once = {AT_ONCE}
calls_waiting = {WAITING}
[fhir]
budget = 90.0
read_timeout = 90.0
"""


class Door:
    """A FHIR server that answers nobody while its door is shut."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, request: Request, server: Hostile) -> Reply:
        while not self.open.wait(0.05) and not server.closing.is_set():
            pass
        return ordinary(request, server)


@contextmanager
def behind(folder: Path, door: Door) -> Iterator[tuple[Service, str]]:
    """A service with few places, and the base of a FHIR server behind the door."""
    file = folder / "vestige.toml"
    file.write_text(SETTINGS)
    with serving(door) as server:
        options = ["--config", str(file)]
        try:
            with running(folder, bases=[server.base], today=TODAY, options=options) as service:
                yield service, server.base
        finally:
            door.open.set()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def full(service: Service) -> bool:
    found = figures(service)
    return (found["vestige_calls_under_way"], found["vestige_calls_waiting"]) == (
        f"{float(AT_ONCE)}",
        f"{float(WAITING)}",
    )


def cards(answer: requests.Response) -> tuple[str, ...]:
    """The uuids of the cards of an answer that says something on the record."""
    assert answer.status_code == 200, answer.text
    found = answer.json()["cards"]
    assert found
    assert "All lesions not visible but CEA 14 ng/mL" in str(found), "an answer, and not that it was late"
    return tuple(card["uuid"] for card in found)


def recorded(folder: Path) -> list[tuple[str, ...]]:
    """The cards of the records: those in the database, which has taken the spool in at the end."""
    store = Store(f"sqlite:///{folder / 'vestige.db'}", create=False)
    try:
        found: list[Record] = list(store.records())
    finally:
        store.close()
    assert not list((folder / "vestige.db-spool").glob("*.spool"))
    return [one.cards for one in found]


def test_ten_times_what_it_takes_is_answered_or_refused_and_nothing_hangs(tmp_path: Path) -> None:
    door, many = Door(), 10 * PLACES
    with behind(tmp_path, door) as (service, base), ThreadPoolExecutor(many) as pool:
        sent = [pool.submit(service.call, call_of(base)) for _ in range(many)]
        # While nothing of what it took in can be answered, everything else is refused: at once, not later.
        until(lambda: sum(one.done() for one in sent) == many - PLACES)
        until(lambda: full(service))
        for path in ("/cds-services", "/healthz", "/readyz"):
            assert requests.get(service.address + path, timeout=60).status_code == 200
        door.open.set()
        answers = [one.result(90) for one in sent]
        refused = [one for one in answers if one.status_code == 503]
        answered = [cards(one) for one in answers if one.status_code != 503]
        assert len(answered) == PLACES
        assert {one.headers["Retry-After"] for one in refused} == {"120"}
        assert {one.json()["issue"][0]["code"] for one in refused} == {"throttled"}
        assert figures(service)["vestige_overload_total"] == f"{float(many - PLACES)}"
        answered.append(cards(service.call(call_of(base))))
        until(lambda: figures(service)["vestige_calls_under_way"] == "0.0")
        assert "overload: " in service.log.read_text()
    assert sorted(recorded(tmp_path)) == sorted(answered)


def test_told_to_stop_it_answers_what_it_took_in_and_takes_nothing_more(tmp_path: Path) -> None:
    door = Door()
    with behind(tmp_path, door) as (service, base), ThreadPoolExecutor(PLACES) as pool:
        sent: list[Future[requests.Response]] = [
            pool.submit(service.call, call_of(base)) for _ in range(PLACES)
        ]
        until(lambda: full(service))
        os.kill(service.pid, signal.SIGTERM)
        until(lambda: closed(service))
        # Longer than a server commonly waits that is told to stop: a call may take its whole deadline.
        time.sleep(5)
        assert not any(one.done() for one in sent)
        with pytest.raises(requests.ConnectionError):
            service.call(call_of(base))
        door.open.set()
        answered = [cards(one.result(90)) for one in sent]
    log = (tmp_path / "service.log").read_text()
    assert "error-id" not in log
    assert "Cancel" not in log
    assert sorted(recorded(tmp_path)) == sorted(answered)


def closed(service: Service) -> bool:
    try:
        requests.get(f"{service.address}/healthz", timeout=60)
    except requests.ConnectionError:
        return True
    return False


def test_told_to_stop_under_steady_load_every_record_has_its_answer(tmp_path: Path) -> None:
    door, answered, odd = Door(), list[tuple[str, ...]](), list[str]()
    door.open.set()

    def ask(service: Service, base: str) -> None:
        """Asks until nobody answers any more, each time over a connection of its own."""
        while True:
            try:
                answer = service.call(call_of(base))
            except requests.ConnectionError:
                # Not taken in, or else a record would be there without its answer.
                return
            except requests.RequestException as error:
                odd.append(repr(error))
                return
            if answer.status_code != 503:
                answered.append(cards(answer))

    with behind(tmp_path, door) as (service, base):
        clients = [threading.Thread(target=ask, args=(service, base)) for _ in range(PLACES)]
        for client in clients:
            client.start()
        until(lambda: len(answered) > 2 * PLACES)
        os.kill(service.pid, signal.SIGTERM)
        for client in clients:
            client.join(90)
            assert not client.is_alive()
    assert odd == []
    assert sorted(recorded(tmp_path)) == sorted(answered)
