"""The examples for nginx and Caddy: read by the programs themselves, and run in front of workers that fail."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_hooks.app import RECORDING_SECONDS
from cds_hooks.server import KEEP_ALIVE_SECONDS
from cds_hooks.trust.gate import MAX_TOKEN
from plugin.settings import Service
from tests.deploy.proxies import (
    DEPLOY,
    Proxy,
    caddy,
    caddy_settings,
    nginx,
    nginx_command,
    nginx_settings,
)
from tests.require import require
from tests.servers.sekmet import free_port

NGINX = (DEPLOY / "nginx" / "vestige.conf").read_text()
CADDY = (DEPLOY / "caddy" / "Caddyfile").read_text()
CALL = "/cds-services/crlm-order-sign"
SECRETS = ("planted-token", "planted-patient", "planted-query")


def test_nginx_takes_its_example(tmp_path: Path) -> None:
    done = subprocess.run(
        [*nginx_command(tmp_path, nginx_settings(tmp_path)), "-t"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "test is successful" in done.stderr
    assert "[warn]" not in done.stderr


def test_caddy_takes_its_example(tmp_path: Path) -> None:
    command = [str(require("caddy")), "validate", "--config", str(caddy_settings(tmp_path))]
    done = subprocess.run(
        [*command, "--adapter", "caddyfile"],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr


def test_the_examples_have_the_limits_of_the_service() -> None:
    service = Service()
    answer = service.hook_deadline + RECORDING_SECONDS
    for text, read, idle in (
        (NGINX, r"proxy_read_timeout +(\d+)s", r"\n +keepalive_timeout +(\d+)s"),
        (CADDY, r"response_header_timeout (\d+)s", r"\tkeepalive (\d+)s"),
    ):
        # A late answer is the service's own to give.
        assert _number(read, text) >= answer + 2
        # Who closes an idle connection first must be the proxy, or it sends a call into a closed one.
        assert _number(idle, text) < KEEP_ALIVE_SECONDS
    assert _number(r"client_max_body_size +(\d+)m", NGINX) * 1024 * 1024 == service.max_body
    assert _number(r"client_body_buffer_size +(\d+)m", NGINX) * 1024 * 1024 == service.max_body
    assert _number(r"max_size (\d+)", CADDY) == service.max_body
    assert _number(r"large_client_header_buffers 4 (\d+)k", NGINX) * 1024 > MAX_TOKEN + 1024
    assert _number(r"max_header_size (\d+)kb", CADDY) * 1000 > MAX_TOKEN + 1024


def _number(pattern: str, text: str) -> int:
    found = set(re.findall(pattern, text))
    assert len(found) == 1, f"{pattern} is said in {len(found)} ways"
    return int(found.pop())


@contextmanager
def worker(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[int, list[str]]]:
    """A worker on a free port that does with each request what a test wants; the requests it had."""
    had: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            had.append(f"{self.command} {self.path} {len(self.rfile.read(size))}")
            answer(self)

        do_GET = do_POST = _any

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, had
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


def answers(handler: BaseHTTPRequestHandler) -> None:
    body = b'{"cards":[]}'
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def dies(handler: BaseHTTPRequestHandler) -> None:
    """Goes away after the whole request was read, as a worker that is killed."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxied(request: pytest.FixtureRequest) -> Callable[..., AbstractContextManager[Proxy]]:
    made: Callable[..., AbstractContextManager[Proxy]] = request.param
    return made


def post(proxy: Proxy, path: str = CALL, body: bytes = b"{}", **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {SECRETS[0]}", "Content-Type": "application/json"}
    return requests.post(
        proxy.address + path, data=body, headers=headers, verify=str(proxy.authority), timeout=60, **more
    )


def test_a_call_reaches_the_worker_that_is_left(proxied: Any, tmp_path: Path) -> None:
    with worker(answers) as (port, had), proxied(tmp_path, [free_port(), port]) as proxy:
        body = json.dumps({"patient": SECRETS[1], "filling": "x" * 1_000_000}).encode()
        for _ in range(6):
            assert post(proxy, f"{CALL}?{SECRETS[2]}", body).status_code == 200
        assert had == [f"POST {CALL}?{SECRETS[2]} {len(body)}"] * 6
        too_large = post(proxy, body=b" " * (16 * 1024 * 1024 + 1))
        assert too_large.status_code == 413
        strange = http.client.HTTPSConnection(
            "127.0.0.1",
            int(proxy.address.rpartition(":")[2]),
            source_address=("127.0.0.2", 0),
            context=ssl.create_default_context(cafile=str(proxy.authority)),
            timeout=60,
        )
        strange.request("GET", "/metrics")
        assert strange.getresponse().status == 403, "the figures are for those who run it"
        strange.close()
    told = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".key"]
    assert proxy.log in told
    for path in told:
        content = path.read_bytes().decode(errors="replace")
        assert not [one for one in SECRETS if one in content], path
    assert CALL in proxy.log.read_text()


def test_a_browser_stays_with_one_worker(proxied: Any, tmp_path: Path) -> None:
    with (
        worker(answers) as (one, had),
        worker(answers) as (other, too),
        proxied(tmp_path, [one, other]) as proxy,
    ):
        for number in range(6):
            assert post(proxy, f"/timeline/{number}").status_code == 200
        assert sorted([len(had), len(too)]) == [0, 6], "the sessions of the page are in one worker"
        assert post(proxy, body=b'{"small": true}').status_code == 200


def test_a_call_that_was_sent_is_never_sent_again(proxied: Any, tmp_path: Path) -> None:
    with worker(dies) as (one, had), worker(dies) as (other, too), proxied(tmp_path, [one, other]) as proxy:
        answer = post(proxy)
        assert len(had) + len(too) == 1, "its token is used up: the other worker would refuse it"
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_out_of_service_is_said_on_a_card(proxied: Any, tmp_path: Path) -> None:
    with worker(answers) as (one, had), proxied(tmp_path, [one, free_port()]) as proxy:
        proxy.out_of_service.touch()
        (card,) = post(proxy).json()["cards"]
        assert had == []
        assert card["indicator"] == "warning"
        assert "nothing was assessed" in card["summary"]
        assert len(card["summary"]) < 140
        assert card["source"]["label"]
        assert post(proxy, f"{CALL}/feedback").status_code == 200
        assert len(had) == 1, "feedback still reaches the worker"
        proxy.out_of_service.unlink()
        assert post(proxy).json() == {"cards": []}


def test_both_examples_say_the_same_when_out_of_service() -> None:
    said = [set(re.findall(r"""return 200 '(.*)'|respond `(.*)` 200""", text)) for text in (NGINX, CADDY)]
    assert [len(one) for one in said] == [1, 1]
    texts = [next(filter(None, one.pop())) for one in said]
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["cards"]
