"""A FHIR server over real HTTP that does what its script says: answers, lies, drips, breaks off."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FHIR_JSON = "application/fhir+json"


@dataclass
class Reply:
    """One scripted answer; `act` replaces the ordinary way to send it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    act: Callable[[Handler], None] | None = None


@dataclass
class Request:
    """One request as it came."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    method: str = "GET"


Script = Callable[[Request, "Hostile"], Reply]


class Hostile:
    """The server: `base` is its FHIR base, `requests` what it was asked, `script` what it does."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.hostile = self  # type: ignore[attr-defined]
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # The handshake is left to the thread of the connection: one client must not hold up the rest.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def origin(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    def asked(self, kind: str) -> list[Request]:
        """The requests for one resource type."""
        return [one for one in self.requests if one.path.split("/")[2:3] == [kind]]

    def __enter__(self) -> Hostile:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class Handler(BaseHTTPRequestHandler):
    """Answers every request as the script says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        hostile: Hostile = self.server.hostile  # type: ignore[attr-defined]
        self.hostile = hostile
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(parts.path, parse_qs(parts.query), headers, body, self.command)
        hostile.requests.append(request)
        reply = hostile.script(request, hostile)
        if reply.act is not None:
            self.close_connection = True
            reply.act(self)
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_POST = do_GET
    do_PUT = do_GET
    do_DELETE = do_GET
    do_OPTIONS = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            pass  # the client cut us off, which is what some tests are about


def resource(value: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": FHIR_JSON, **headers})


def bundle(*resources: dict[str, Any], next_url: str | None = None, **more: Any) -> Reply:
    return resource(searchset(*resources, next_url=next_url, **more))


def searchset(*resources: dict[str, Any], next_url: str | None = None, **more: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", **more}
    if resources:
        value["entry"] = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    if next_url is not None:
        value["link"] = [{"relation": "next", "url": next_url}]
    return value


def empty() -> Reply:
    return bundle(total=0)


def status(code: int, **headers: str) -> Reply:
    return Reply(code, b"", headers)


def html(code: int = 200) -> Reply:
    return Reply(code, b"<!DOCTYPE html><html><body>Sign in</body></html>", {"Content-Type": "text/html"})


def xml() -> Reply:
    return Reply(
        200,
        b'<?xml version="1.0"?><Bundle xmlns="http://hl7.org/fhir"/>',
        {"Content-Type": "application/xml"},
    )


def raw(body: bytes, **headers: str) -> Reply:
    return Reply(200, body, {"Content-Type": FHIR_JSON, **headers})


def compressed(value: Any) -> Reply:
    return raw(gzip.compress(json.dumps(value).encode()), **{"Content-Encoding": "gzip"})


def drip_body(pause: float = 0.02) -> Reply:
    """A body that never ends, one byte at a time."""

    def act(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR_JSON)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not handler.hostile.closing.wait(pause):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return Reply(act=act)


def drip_headers(pause: float = 0.02) -> Reply:
    """Headers that never end."""

    def act(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not handler.hostile.closing.wait(pause):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    return Reply(act=act)


def silence() -> Reply:
    """Accepts the request and says nothing."""
    return Reply(act=lambda handler: handler.hostile.closing.wait(30) and None)


def reset() -> Reply:
    """Breaks the connection off without an answer."""

    def act(handler: Handler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    return Reply(act=act)


def bytes_of(answer: bytes) -> Reply:
    """Sends these bytes as the whole answer, headers and all, and closes."""

    def act(handler: Handler) -> None:
        handler.wfile.write(answer)

    return Reply(act=act)


def cut_short(value: Any) -> Reply:
    """Promises more bytes than it sends."""

    def act(handler: Handler) -> None:
        body = json.dumps(value).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR_JSON)
        handler.send_header("Content-Length", str(len(body) + 100))
        handler.end_headers()
        handler.wfile.write(body)

    return Reply(act=act)


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Hostile]:
    with Hostile(script, tls) as hostile:
        yield hostile


def by_type(default: Callable[[], Reply] = empty, **replies: Callable[[Request, Hostile], Reply]) -> Script:
    """A script that answers each resource type its own way, and the rest by `default`."""

    def script(request: Request, hostile: Hostile) -> Reply:
        kind = request.path.split("/")[2] if request.path.count("/") >= 2 else ""
        return replies[kind](request, hostile) if kind in replies else default()

    return script


def slowly(seconds: float, reply: Reply) -> Reply:
    time.sleep(seconds)
    return reply
