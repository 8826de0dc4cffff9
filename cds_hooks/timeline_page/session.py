"""Sessions of the page and sign-ins under way: in memory, bounded, each ending with its time."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Any, Generic, Literal, TypeVar

from plugin.chart import Chart
from plugin.decision import Decision

FLOW_SECONDS = 600.0
MOST_FLOWS = 1000
_SECRET_BYTES = 32

Purpose = Literal["read", "write"]
Writes = Literal["granted", "ask", "download"]
Held = TypeVar("Held")


def new_secret() -> str:
    """Returns a random value for a cookie, a state or a nonce: 256 bits."""
    return secrets.token_urlsafe(_SECRET_BYTES)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One sign-in under way: what was sent to the authorisation server, and in which browser it began."""

    server: str
    issuer: str | None
    token_endpoint: str
    jwks_uri: str | None
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    browser: str = field(repr=False)
    launch: str | None = field(default=None, repr=False)
    purpose: Purpose = "read"
    session: str | None = field(default=None, repr=False)

    def begun_in(self, cookie: str | None) -> bool:
        """Tells whether the browser that comes back is the one that set out."""
        return cookie is not None and compare_digest(self.browser.encode(), cookie.encode())


@dataclass(kw_only=True)
class Seen:
    """What the session read last, for the questions that follow."""

    chart: Chart | None = None
    decision: Decision | None = None
    # By which page: what was decided by other rules or settings is decided anew.
    by: object = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """One person who looks at one patient; the token stays here and in no text."""

    id: str = field(repr=False)
    csrf: str = field(repr=False)
    server: str
    patient: str = field(repr=False)
    token: str = field(repr=False)
    scope: frozenset[str]
    until: float
    user: str | None = field(default=None, repr=False)
    encounter: str | None = field(default=None, repr=False)
    launch: str | None = field(default=None, repr=False)
    selected: tuple[str, ...] = field(default=(), repr=False)
    writes: Writes = "download"
    pending: Mapping[str, Any] | None = field(default=None, repr=False)
    seen: Seen = field(default_factory=Seen, repr=False, compare=False)


class Kept(Generic[Held]):
    """Values by a secret name until a time; at most so many, the oldest give way.

    What is kept is found by the digest of its name, so that a look at memory shows none that opens anything.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._lock = threading.Lock()
        self._held: dict[bytes, tuple[Held, float]] = {}

    def limit(self, most: int) -> None:
        """Keeps at most so many from the next one on."""
        with self._lock:
            self._most = most

    def put(self, name: str, value: Held, until: float) -> None:
        """Keeps a value until a moment of the clock."""
        with self._lock:
            self._forget()
            self._held.pop(_digest(name), None)
            while len(self._held) >= self._most:
                self._held.pop(next(iter(self._held)))
            self._held[_digest(name)] = (value, until)

    def get(self, name: str | None) -> Held | None:
        """Returns a value that is kept and not over, or None."""
        if not name:
            return None
        with self._lock:
            self._forget()
            found = self._held.get(_digest(name))
        return None if found is None else found[0]

    def take(self, name: str | None) -> Held | None:
        """Returns a value and forgets it: it can be had once."""
        if not name:
            return None
        with self._lock:
            self._forget()
            found = self._held.pop(_digest(name), None)
        return None if found is None else found[0]

    def _forget(self) -> None:
        """Drops what is over at every look: no record outlives its session in memory by chance."""
        now = self._clock()
        over = [key for key, one in self._held.items() if one[1] <= now]
        for key in over:
            del self._held[key]


class Desk:
    """The sessions and sign-ins of one process."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.flows: Kept[Flow] = Kept(MOST_FLOWS, clock)
        self.sessions: Kept[Session] = Kept(most, clock)

    def begin(self, state: str, flow: Flow) -> None:
        """Keeps a sign-in until it comes back, for ten minutes."""
        self.flows.put(state, flow, self.clock() + FLOW_SECONDS)

    def open(self, session: Session) -> Session:
        """Keeps a session under its id, which no browser has seen before."""
        self.sessions.put(session.id, session, session.until)
        return session

    def change(self, session: Session, **values: Any) -> Session:
        """Returns the session with other values, kept under the same id; a session that ended stays so."""
        changed = replace(session, **values)
        if self.sessions.get(session.id) is not None:
            self.sessions.put(session.id, changed, session.until)
        return changed


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
