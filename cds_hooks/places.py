"""Places for calls: how many are answered at once, how many wait, and what is refused beyond."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import NamedTuple, Never, TypeVar

from cds_hooks import log
from plugin.errors import CallError
from plugin.settings import Service

T = TypeVar("T")
# A line for each refused call would be load, too.
TELL_SECONDS = 10.0


class Busy(CallError):
    """As many calls are under way and wait as the settings allow; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "The service answers as many calls as it can at the moment; ask again later.",
            status=503,
            code="throttled",
        )
        self.retry_after = retry_after


class Load(NamedTuple):
    """How many calls are worked on, wait for that, and are still being received."""

    under_way: int
    waiting: int
    receiving: int


class Places:
    """The places of one process, each taken until its work is done, also where nobody waits for it any more.

    A call takes a place once its body is there: a client that sends slowly takes nobody's turn. As many
    bodies as there are places may be on their way beside them. `refused` is called for each call without one.
    """

    def __init__(self, service: Service, refused: Callable[[], None]) -> None:
        self._at_once = service.calls_at_once
        self._most = service.calls_at_once + service.calls_waiting
        # By then every call that has a place now is answered.
        self._retry_after = math.ceil(service.hook_deadline)
        self._refused = refused
        self._pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="vestige-call")
        self._lock = threading.Lock()
        self._taken = self._receiving = self._untold = 0
        self._told = -math.inf

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Holds the room for one body while it arrives; raises Busy at once where there is none."""
        with self._lock:
            full = self._taken >= self._most or self._receiving >= self._most
            if not full:
                self._receiving += 1
        if full:
            self._turn_away()
        try:
            yield
        finally:
            with self._lock:
                self._receiving -= 1

    def submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Returns the result to come of work that takes a place; raises Busy where there is none."""
        with self._lock:
            full = self._taken >= self._most
            if not full:
                self._taken += 1
        if full:
            self._turn_away()
        try:
            # With the context of the request: what is traced stays together.
            started = self._pool.submit(copy_context().run, work)
        except RuntimeError:
            self._leave(None)
            raise
        started.add_done_callback(self._leave)
        return asyncio.wrap_future(started)

    @property
    def load(self) -> Load:
        """How many calls are in each state."""
        with self._lock:
            waiting = max(0, self._taken - self._at_once)
            return Load(self._taken - waiting, waiting, self._receiving)

    def close(self) -> None:
        """Waits for the work that has begun and drops the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _leave(self, _done: Future[T] | None) -> None:
        with self._lock:
            self._taken -= 1

    def _turn_away(self) -> Never:
        now = time.monotonic()
        with self._lock:
            self._untold += 1
            due = now - self._told >= TELL_SECONDS
            if due:
                untold, self._untold, self._told = self._untold, 0, now
        if due:
            log.log.warning("overload: %d calls refused, every one of %d places is taken", untold, self._most)
        self._refused()
        raise Busy(self._retry_after)
