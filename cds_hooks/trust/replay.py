"""Tokens that were used: a token identifier is accepted once while the token lives."""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from plugin.errors import StoreError
from plugin.settings import Settings
from plugin.used_tokens import UsedTokens

log = logging.getLogger("vestige.trust")


class Replay(Protocol):
    """Knows which tokens were used."""

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Returns True once for each pair until `expires` (seconds since the epoch), atomically."""

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

    def close(self) -> None:
        """Has nothing to give back."""

    def _forget(self) -> None:
        now, steady = self._clock(), self._steady()
        while self._expiry and self._expiry[0][0] < now and self._expiry[0][1] < steady:
            _, _, issuer, jti = heapq.heappop(self._expiry)
            self._seen.discard((issuer, jti))


class SharedReplayStore:
    """The pairs seen by every worker of the site; by this process alone while the database is away.

    A database that cannot be reached is logged and makes the service not ready: it must not keep advice from
    its reader.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._own = ReplayStore()
        self._shared: UsedTokens | None = None
        self._opening = Lock()

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Returns True once for each pair until `expires` (seconds since the epoch), atomically."""
        if not self._own.first_use(issuer, jti, expires):
            return False
        try:
            return self._database().first_use(issuer, jti, expires)
        except StoreError as error:
            log.error("used tokens are kept by this process alone: %s", error)
            return True

    def close(self) -> None:
        """Closes every connection."""
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
