"""Asks one FHIR server as a command does: few requests at a time, patient when told so, everything noted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import requests
import urllib3

from plugin.errors import FhirError, Stopped
from plugin.probe.access import Entrance
from plugin.probe.journal import Journal
from plugin.pull.address import AddressError, inside
from plugin.pull.client import resource_of, retry_after
from plugin.pull.exchange import Exchange, exchange
from plugin.pull.transport import HEADERS, Deadline, Flights, new_session, watched
from plugin.settings import Fhir, FhirServer

FHIR_JSON = "application/fhir+json"
_TRIES = 5
_LONGEST_WAIT = 60.0
_BUSY = frozenset({429, 503})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer; `status` 0 where none came, `fault` then says why in words without an address."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    milliseconds: float = 0.0
    fault: str = ""
    reached: bool = True

    @property
    def resource(self) -> Mapping[str, Any] | None:
        """The FHIR resource in the body, or None."""
        try:
            return resource_of(self.body)
        except FhirError:
            return None

    @property
    def json(self) -> Mapping[str, Any]:
        """The JSON object in the body, or an empty one."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class Asker:
    """One server with its way in; `parallel` requests at most are under way at any moment.

    Only with `writes` anything but GET is sent. HTTP 429, and 503 with a Retry-After, are waited for and
    asked again, a few times. Once `stop` is set the waiting ends, and no further request is sent.
    """

    def __init__(
        self,
        server: FhirServer,
        base: str,
        entrance: Entrance,
        limits: Fhir,
        journal: Journal,
        *,
        parallel: int = 4,
        writes: bool = False,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.base = base
        self.parallel = parallel
        self.writes = writes
        self.journal = journal
        self.entrance = entrance
        self.stop = threading.Event()
        self.waits = 0
        self._limits = limits
        self._session: requests.Session = new_session(server, parallel=parallel)
        self._turn = threading.BoundedSemaphore(parallel)
        self._sleep = sleep if sleep is not None else self._wait

    def get(self, link: str, *, headers: Mapping[str, str] | None = None, about: str = "") -> Reply:
        """Returns the answer to a GET of a path below the base, or of a link inside it."""
        return self.send("GET", link, headers=headers, about=about)

    def send(
        self,
        method: str,
        link: str,
        document: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        about: str = "",
        strict: bool = True,
    ) -> Reply:
        """Returns the answer to one request; nothing that a server does raises.

        Raises FhirError only where no token can be had, Stopped once `stop` is set, and ValueError for a
        request that would write where this asker is for reading.
        """
        if method != "GET" and not self.writes:
            raise ValueError(f"{method} of an asker that only reads")
        try:
            url = self.base if not link else inside(self.base, link)
        except AddressError as error:
            return Reply(status=0, fault=str(error))
        body = None if document is None else msgspec.json.encode(document)
        for attempt in range(_TRIES):
            self.go_on()
            with self._turn:
                reply = self._once(method, url, body, headers or {}, about, strict=strict)
            wait = _pause(reply, attempt)
            if wait is None or attempt == _TRIES - 1:
                break
            self.waits += 1
            self._sleep(wait)
        return reply

    def go_on(self) -> None:
        """Raises Stopped once `stop` is set."""
        if self.stop.is_set():
            raise Stopped("stopped by hand")

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()
        self.entrance.close()

    def _once(
        self, method: str, url: str, body: bytes | None, more: Mapping[str, str], about: str, *, strict: bool
    ) -> Reply:
        deadline = Deadline(self._limits.budget)
        token = self.entrance.token(deadline)
        reply = self._asked(method, url, body, more, token, about, deadline, strict=strict)
        if reply.status == 401 and token is not None:
            renewed = self.entrance.renewed(token, deadline)
            if renewed is not None:
                reply = self._asked(method, url, body, more, renewed, about, deadline, strict=strict)
        return reply

    def _asked(
        self,
        method: str,
        url: str,
        body: bytes | None,
        more: Mapping[str, str],
        token: str | None,
        about: str,
        deadline: Deadline,
        *,
        strict: bool,
    ) -> Reply:
        headers = {name: value for name, value in HEADERS.items() if strict or name != "Prefer"}
        headers |= {} if body is None else {"Content-Type": FHIR_JSON, "Prefer": "return=minimal"}
        headers |= dict(more)
        sent = dict(headers) if token is None else {**headers, "Authorization": f"Bearer {token}"}
        started = time.monotonic()
        reply = self._answer(Exchange(url=url, method=method, headers=sent, body=body), deadline)
        reply = Reply(
            status=reply.status,
            headers=reply.headers,
            body=reply.body,
            milliseconds=(time.monotonic() - started) * 1000,
            fault=reply.fault,
            reached=reply.reached,
        )
        self.journal.note(
            to="fhir",
            method=method,
            url=url,
            sent_headers=sent,
            sent=body,
            status=reply.status or None,
            got_headers=reply.headers,
            got=reply.body,
            milliseconds=reply.milliseconds,
            note=reply.fault or None,
            about=about or None,
        )
        return reply

    def _answer(self, sent: Exchange, deadline: Deadline) -> Reply:
        flights = Flights()
        try:
            with watched(flights, deadline), flights:
                status, head, body = exchange(self._session, sent, self._limits, deadline)
        except FhirError as error:
            return Reply(status=0, fault=error.detail)
        except urllib3.exceptions.SSLError:
            return Reply(status=0, fault="TLS could not be established", reached=False)
        except urllib3.exceptions.NewConnectionError:
            return Reply(status=0, fault="no connection could be made", reached=False)
        except urllib3.exceptions.TimeoutError as error:
            reached = not isinstance(error, urllib3.exceptions.ConnectTimeoutError)
            return Reply(status=0, fault="the server did not answer in time", reached=reached)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            return Reply(status=0, fault="the connection failed or broke off")
        return Reply(status=status, headers={str(name): str(head[name]) for name in head}, body=body)

    def _wait(self, seconds: float) -> None:
        self.stop.wait(seconds)


def _pause(reply: Reply, attempt: int) -> float | None:
    """Returns how long to wait before asking again, or None where that is of no use."""
    if reply.status not in _BUSY:
        return None
    after = retry_after(reply.headers.get("Retry-After"), datetime.now(UTC))
    if after is None:
        return None if reply.status == 503 else float(2**attempt)
    return after if after <= _LONGEST_WAIT else None
