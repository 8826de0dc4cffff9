"""A small HTTP server of the checker's own on loopback: it notes who asks, and answers what it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST = 1024 * 1024


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def authorization(self) -> str:
        """The Authorization header, empty where there is none."""
        return next((text for name, text in self.headers.items() if name.lower() == "authorization"), "")


Respond = Callable[[Asked], tuple[int, bytes]]


@dataclass
class Listener:
    """A running listener: its address and the requests that came."""

    address: str
    respond: Respond
    asked: list[Asked] = field(default_factory=list)


def constant(body: bytes = b"{}", status: int = 200) -> Respond:
    """Returns what answers every request alike."""
    return lambda _: (status, body)


@contextmanager
def listening(respond: Respond | None = None, port: int = 0) -> Iterator[Listener]:
    """Yields a listener on a port of loopback (0: a free one); raises OSError where the port is taken."""
    server = _Server(("127.0.0.1", port), _Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_address[1]}", respond or constant())
    server.listener = listener  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Stands the burst of searches that one hook call sends."""

    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and POST alike."""

    timeout = 5

    def do_GET(self) -> None:
        """Notes the request and answers."""
        listener: Listener = self.server.listener  # type: ignore[attr-defined]
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(min(int(length), MOST)) if length.isdigit() else b""
        asked = Asked(self.command, self.path, dict(self.headers), body)
        listener.asked.append(asked)
        status, content = listener.respond(asked)
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Writes nothing: standard error belongs to the report."""
