"""Tokens that were used: a token identifier is accepted once while the token lives."""

from __future__ import annotations

import heapq
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Protocol

from plugin.errors import StoreError
from plugin.settings import Settings
from plugin.used_tokens import UsedTokens

THREADS = 4
PATIENCE = 1.0
"""Seconds in which a database that is well has long answered; a quarter of the usual deadline."""
OPENING = 3.0
"""The same for the first question, before which the database is opened."""
AWAY = 5.0

log = logging.getLogger("vestige.trust")


class Replay(Protocol):
    """Knows which tokens were used."""

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Returns True once for each pair until `expires` (seconds since the epoch), atomically."""

    def missing(self) -> str | None:
        """Returns why a token may be accepted by another worker once more, or None."""

    def close(self) -> None:
        """Gives back what it holds."""


class ReplayStore:
    """The (issuer, jti) pairs seen by this process, each until it expires.

    Two clocks must say so: the wall clock, by which tokens expire, may be set forward and back again, and the
    steady one knows nothing of a wall clock that was set back.
    """

    def __init__(
        self, clock: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock, self._steady = clock, steady
        self._seen: set[tuple[str, str]] = set()
        self._expiry: list[tuple[float, float, str, str]] = []
        self._lock = Lock()

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Returns True once for each pair until `expires` (seconds since the epoch), atomically."""
        with self._lock:
            self._forget()
            if (issuer, jti) in self._seen:
                return False
            self._seen.add((issuer, jti))
            steady = self._steady() + max(0.0, expires - self._clock())
            heapq.heappush(self._expiry, (expires, steady, issuer, jti))
            return True

    def missing(self) -> str | None:
        """Returns None: it is to know what this process saw, and does."""
        return None

    def close(self) -> None:
        """Has nothing to give back."""

    def _forget(self) -> None:
        now, steady = self._clock(), self._steady()
        while self._expiry and self._expiry[0][0] < now and self._expiry[0][1] < steady:
            _, _, issuer, jti = heapq.heappop(self._expiry)
            self._seen.discard((issuer, jti))


class SharedReplayStore:
    """The pairs seen by every worker of the site; by this process alone while the database is away.

    A database that cannot be reached, or does not answer soon, is logged and makes the service not ready: it
    must not keep advice from its reader. It is left alone for `AWAY` seconds then.
    """

    def __init__(self, url: str, steady: Callable[[], float] = time.monotonic) -> None:
        self._url, self._steady = url, steady
        self._own = ReplayStore()
        self._shared: UsedTokens | None = None
        self._opening = Lock()
        self._asking = ThreadPoolExecutor(THREADS, thread_name_prefix="vestige-tokens")
        self._away_until = -math.inf

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Returns True once for each pair until `expires` (seconds since the epoch), atomically."""
        if not self._own.first_use(issuer, jti, expires):
            return False
        if self._steady() < self._away_until:
            return True
        asked = self._asking.submit(lambda: self._database().first_use(issuer, jti, expires))
        patience = OPENING if self._shared is None else PATIENCE
        try:
            return asked.result(patience)
        except StoreError as error:
            self._leave_alone(str(error))
        except TimeoutError:
            asked.cancel()
            self._leave_alone(f"the database has not answered for {patience} s")
        return True

    def missing(self) -> str | None:
        """Returns that the database was away a moment ago, or None."""
        if self._steady() < self._away_until:
            return "used tokens are kept by this process alone: the database does not answer"
        return None

    def _leave_alone(self, why: str) -> None:
        self._away_until = self._steady() + AWAY
        log.error("used tokens are kept by this process alone: %s", why)

    def close(self) -> None:
        """Closes every connection."""
        self._asking.shutdown(wait=False, cancel_futures=True)
        if self._shared is not None:
            self._shared.close()

    def _database(self) -> UsedTokens:
        with self._opening:
            if self._shared is None:
                self._shared = UsedTokens(self._url)
            return self._shared


def replay_store(settings: Settings) -> Replay:
    """Returns the store that the settings ask for; a database is opened at first use."""
    if settings.trust.replay_store == "process":
        return ReplayStore()
    return SharedReplayStore(settings.store.url)
