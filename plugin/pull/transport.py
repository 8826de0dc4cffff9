"""One HTTP session per FHIR server: TLS verified, no redirects, no environment, no cookies."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from plugin.pull.address import base_of, is_refused
from plugin.settings import FhirServer, Settings

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


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


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
    adapter = _Adapter(pool_connections=1, pool_maxsize=max(parallel, _KEPT), max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class Sessions:
    """One session a server, kept for the life of the process so that connections are used again."""

    def __init__(self, settings: Settings) -> None:
        self._parallel = settings.fhir.parallel
        self._lock = threading.Lock()
        self._sessions: dict[str, requests.Session] = {}

    def __call__(self, server: FhirServer) -> requests.Session:
        """Returns the session of this server."""
        key = base_of(server.base)
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = new_session(server, parallel=self._parallel)
            return self._sessions[key]

    def close(self) -> None:
        """Closes every connection."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()


def headers(token: str | None) -> Mapping[str, str]:
    """Returns the headers of one call; the token is never kept in the session."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}
