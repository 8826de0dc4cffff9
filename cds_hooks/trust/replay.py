"""Tokens that were used: a token identifier is accepted once while the token lives."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from threading import Lock


class ReplayStore:
    """The (issuer, jti) pairs seen by this process, each until it expires."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seen: set[tuple[str, str]] = set()
        self._expiry: list[tuple[float, str, str]] = []
        self._lock = Lock()

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Returns True once for each pair until `expires` (seconds since the epoch), atomically."""
        with self._lock:
            self._forget()
            if (issuer, jti) in self._seen:
                return False
            self._seen.add((issuer, jti))
            heapq.heappush(self._expiry, (expires, issuer, jti))
            return True

    def _forget(self) -> None:
        now = self._clock()
        while self._expiry and self._expiry[0][0] < now:
            _, issuer, jti = heapq.heappop(self._expiry)
            self._seen.discard((issuer, jti))
