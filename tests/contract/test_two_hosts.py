"""Two services that share one PostgreSQL and nothing else, behind nginx as deploy/nginx has it.

A token is accepted once by both together, what is posted to either is there for all, and one of them killed under load
costs no call beyond its retry and no record of an answer.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from fhir_profiles import samples
from plugin.pull.queries import QUERIES
from plugin.store import Store
from tests.cds_hooks.jwts import PUBLIC, Client, elliptic, key_file
from tests.deploy.proxies import Proxy, nginx
from tests.servers import postgresql
from tests.servers.sekmet import free_port
from tests.service import SERVICES, Service, running

SIGN = SERVICES["order-sign"]
CALLS, CLIENTS, KILL_AFTER = 60, 4, 15
TRIES = 200
VESTIGE = str(Path(sys.executable).with_name("vestige"))


class Site:
    """Two hosts, each with a folder and a port of its own; one database; one client that they trust."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.client: Client = elliptic()
        self.folders = [folder / "one", folder / "other"]
        self.ports = [free_port(), free_port()]
        for host in self.folders:
            host.mkdir()
            (host / "vestige.toml").write_text(
                f"""
[service]
public_url = "{PUBLIC}"
hook_deadline = 60.0
[trust]
behind_tls_proxy = true
[[trust.issuers]]
issuer = "{self.client.issuer}"
jwks_file = "{key_file(folder, self.client)}"
[rules]
engine = "reference"
[store]
url = "{url}"
"""
            )

    @contextmanager
    def host(self, number: int) -> Iterator[Service]:
        folder = self.folders[number]
        options = ["--config", str(folder / "vestige.toml")]
        with running(folder, options=options, port=self.ports[number], trusting=False) as service:
            yield service

    def post(
        self, base: str, path: str, body: Any, token: str | None = None, **more: Any
    ) -> requests.Response:
        path = f"/cds-services/{path}"
        token = token or self.client.token(self.client.claims(path))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return requests.post(base + path, data=json.dumps(body), headers=headers, timeout=120, **more)

    def store(self) -> Store:
        return Store(self.url, create=False)

    def instances(self) -> set[str | None]:
        """The hook instances of every decision record there is."""
        store = self.store()
        try:
            return {one.hook_instance for one in store.records()}
        finally:
            store.close()

    def segments(self) -> int:
        """How many chains of decision records there are; each of them holds."""
        command = [VESTIGE, "records", "verify", "--store", self.url, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        chains = json.loads(done.stdout)["chains"]
        assert all(one["broken"] is None for one in chains)
        return len(chains)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with postgresql.running() as url:
        yield Site(tmp_path, url)


def call() -> dict[str, Any]:
    """A call of today: these services ask who calls, and so have no fixed clock."""
    sample = samples.sample("ct-only-watch-and-wait", datetime.now(UTC).date())
    resources = [entry["resource"] for entry in sample.bundle["entry"]]
    prefetch = {}
    for query in QUERIES:
        found = [one for one in resources if one["resourceType"] == query.resource]
        whole = {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}
        prefetch[query.key] = found[0] if query.is_read else whole
    return {**sample.hook, "hookInstance": str(uuid.uuid4()), "prefetch": prefetch}


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_two_hosts_share_tokens_feedback_and_records(site: Site) -> None:
    with ExitStack() as both:
        hosts = [both.enter_context(site.host(number)).address for number in (0, 1)]
        token = site.client.token(site.client.claims(f"/cds-services/{SIGN}"))
        body = call()
        first = site.post(hosts[0], SIGN, body, token)
        assert first.status_code == 200, first.text
        assert [site.post(host, SIGN, call(), token).status_code for host in (*hosts, *hosts)] == [401] * 4
        second = site.post(hosts[1], SIGN, call())
        cards = [one.json()["cards"][0]["uuid"] for one in (first, second)]
        # Each answer is told to the host that did not give it.
        for host, card in zip(reversed(hosts), cards, strict=True):
            answer = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"}
            told = {"feedback": [answer]}
            assert site.post(host, f"{SIGN}/feedback", told).status_code == 200
        until(lambda: len(site.instances()) == 2, "both records come to the database")
    store = site.store()
    try:
        assert sorted(one.card for one in store.feedback()) == sorted(cards)
        assert [one.reply is not None for one in store.sent() if one.sent.card in cards] == [True, True]
        assert store.unmatched() == 0
    finally:
        store.close()
    assert body["hookInstance"] in site.instances()
    assert site.segments() >= 2


@contextmanager
def no_record_is_taken(url: str) -> Iterator[None]:
    """Holds the table of records, so that what was answered is in a spool and nowhere else."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE decision_record IN EXCLUSIVE MODE")
        yield


class Load:
    """Clients that call until they have an answer: each try with a new token, the instance the same."""

    def __init__(self, site: Site, proxy: Proxy) -> None:
        self._site, self._proxy = site, proxy
        self._lock = threading.Lock()
        self.enough = threading.Event()
        self.answered: dict[str, list[str]] = {}
        self.refused: list[str] = []

    def one(self, _number: int) -> None:
        body = call()
        for _ in range(TRIES):
            told = self._try(body)
            if told is None:
                return
            with self._lock:
                self.refused.append(told)
            time.sleep(0.5)
        pytest.fail(f"no answer in {TRIES} tries: {self.refused[-20:]}", pytrace=False)

    def _try(self, body: dict[str, Any]) -> str | None:
        try:
            answer = self._site.post(self._proxy.address, SIGN, body, verify=str(self._proxy.authority))
        except requests.RequestException as error:
            return type(error).__name__
        if answer.status_code != 200:
            # A fault is told as one, whoever tells it.
            assert answer.json()["resourceType"] == "OperationOutcome", answer.text
            assert answer.status_code == 503, answer.text
            assert answer.headers["Retry-After"]
            return "503"
        with self._lock:
            self.answered[body["hookInstance"]] = [card["uuid"] for card in answer.json()["cards"]]
            if len(self.answered) >= KILL_AFTER:
                self.enough.set()
        return None


def test_one_of_two_hosts_killed_under_load_costs_no_call_and_no_record(site: Site, tmp_path: Path) -> None:
    with ExitStack() as hosts:
        dying = hosts.enter_context(site.host(0))
        hosts.enter_context(site.host(1))
        proxy = hosts.enter_context(nginx(tmp_path, site.ports))
        load = Load(site, proxy)
        with no_record_is_taken(site.url), ThreadPoolExecutor(CLIENTS) as clients:
            calls = [clients.submit(load.one, number) for number in range(CALLS)]
            assert load.enough.wait(120), "the calls are answered"
            os.kill(dying.pid, signal.SIGKILL)
            for one in calls:
                one.result()
            (left,) = (site.folders[0] / "vestige-spool").glob("*.spool")
            assert left.stat().st_size > 0, "the one that was killed had answered, and its records wait"
        assert len(load.answered) == CALLS
        assert site.instances() < set(load.answered), "what only the dead host's spool has is not there yet"
        with site.host(0):
            until(lambda: set(load.answered) <= site.instances(), "every answered call has its record")
    assert set(load.answered) <= site.instances()
    store = site.store()
    try:
        kept = [list(one.cards) for one in store.records() if one.outcome == "answered"]
        assert all(cards in kept for cards in load.answered.values())
    finally:
        store.close()
    assert site.segments() >= 2
    log = proxy.log.read_text()
    assert f"POST /cds-services/{SIGN} " in log
    assert "Bearer" not in log
