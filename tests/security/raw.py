"""Bytes to a service, as no HTTP library would send them, and what comes back."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 90
PATH = b"/cds-services/crlm-lesion-review"
BODY = b'{"hook": "patient-view"}'
BEHIND = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


def post(headers: bytes, body: bytes = BODY, path: bytes = PATH) -> bytes:
    first = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return first + headers + b"\r\n" + body


def length(number: int = len(BODY)) -> bytes:
    return b"Content-Length: %d\r\n" % number


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as made:
        yield made


def sent(port: int, request: bytes) -> tuple[list[int], bytes]:
    """The statuses of all answers, and all that came until the service closed the connection."""
    with connected(port) as made:
        try:
            made.sendall(request)
        except OSError:
            pass  # refused before all was sent
        return all_of(made)


def all_of(made: socket.socket) -> tuple[list[int], bytes]:
    came = b""
    try:
        while piece := made.recv(65536):
            came += piece
    except ConnectionResetError:
        pass  # closed while we still sent
    return [int(status) for status in _STATUS.findall(came)], came
