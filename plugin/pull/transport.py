"""HTTP sessions for FHIR servers: TLS verified, no redirects, no environment, no cookies."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from plugin.pull.address import is_refused
from plugin.settings import FhirServer

# urllib3 writes the address of a request into its messages, and ours name the patient.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

HEADERS = {
    "Accept": "application/fhir+json",
    "Accept-Encoding": "gzip",
    "Cache-Control": "no-cache",
    "Prefer": "handling=strict",
    "User-Agent": "vestige",
}


class Deadline:
    """A moment after which nothing more is waited for."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """True once the moment has passed."""
        return self.remaining == 0.0


class Flights:
    """The connections in use for one call, so that a server that drips can be cut off at the deadline."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, HTTPConnection] = {}

    def __enter__(self) -> Flights:
        _current.flights = self
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._open.pop(threading.get_ident(), None)
        _current.flights = None

    def board(self, connection: HTTPConnection) -> None:
        """Notes the connection that the current thread uses."""
        with self._lock:
            self._open[threading.get_ident()] = connection

    def cut(self) -> None:
        """Closes every connection in use; the threads that wait on them fail at once."""
        with self._lock:
            connections = list(self._open.values())
        for connection in connections:
            _shut(connection.sock)


@contextmanager
def watched(flights: Flights, deadline: Deadline) -> Iterator[None]:
    """Cuts what is in flight off at the deadline, for an exchange that nobody waits for with a limit."""
    timer = threading.Timer(deadline.remaining, flights.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_current = threading.local()
_KEPT = 64  # connections kept for use by several calls at once


def _shut(sock: Any) -> None:
    try:
        if sock is not None:
            # The plain method: that of an SSL socket would take the TLS state from under the reading thread.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass  # already gone, which is what was wanted


class RefusedAddressError(NewConnectionError):
    """A name led to an address that is never asked."""


def _checked(connection: HTTPConnection, sock: socket.socket) -> socket.socket:
    """Returns the socket, or closes it before a byte is sent where the name led to a refused address."""
    peer = sock.getpeername()[0]
    if is_refused(str(peer)):
        sock.close()
        raise RefusedAddressError(connection, "the name leads to a link-local or metadata address")
    return sock


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self, super()._new_conn())

    def request(self, *args: Any, **kwargs: Any) -> None:
        _board(self)
        super().request(*args, **kwargs)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self, super()._new_conn())

    def request(self, *args: Any, **kwargs: Any) -> None:
        _board(self)
        super().request(*args, **kwargs)


def _board(connection: HTTPConnection) -> None:
    flights: Flights | None = getattr(_current, "flights", None)
    if flights is not None:
        flights.board(connection)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Adapter(HTTPAdapter):
    """The connections of one session, over sockets that look where they lead."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        self._pools: dict[str, HTTPConnectionPool] = {}

    def pool(self, session: requests.Session, origin: str) -> HTTPConnectionPool:
        """Returns the connections to one origin, with the TLS settings of the session."""
        found = self._pools.get(origin)
        if found is None:
            request = requests.PreparedRequest()
            request.prepare(method="GET", url=origin)
            verify = True if session.verify is None else session.verify
            made = self.get_connection_with_tls_context(request, verify, cert=session.cert)
            assert isinstance(made, HTTPConnectionPool)
            found = self._pools[origin] = made
        return found


def new_session(server: FhirServer, *, parallel: int) -> requests.Session:
    """Returns a session for one server that keeps no cookies and takes nothing from the environment."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.headers.clear()
    session.headers.update(HEADERS)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = str(server.ca_bundle) if server.ca_bundle is not None else True
    if server.client_cert is not None:
        key = server.client_key
        session.cert = (str(server.client_cert), str(key)) if key is not None else str(server.client_cert)
    # Retries are ours: they have to respect the deadline of the call and the server's Retry-After.
    adapter = Adapter(pool_connections=1, pool_maxsize=max(parallel, _KEPT), max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
