"""Places for calls: how many are answered at once, how many wait, and what is refused beyond."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, NamedTuple, Never, TypeVar

from cds_hooks import log
from plugin.errors import CallError
from plugin.settings import Service
from plugin.turns import Turns

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
    Of the calls under way so many have their `turns` at the processor (None: all of them); the next one is
    begun when a turn is free, and none for a thread that would only wait for it.
    """

    def __init__(self, service: Service, refused: Callable[[], None], turns: int | None = None) -> None:
        self._at_once = service.calls_at_once
        self._most = service.calls_at_once + service.calls_waiting
        # By then every call that has a place now is answered.
        self._retry_after = math.ceil(service.hook_deadline)
        self._refused = refused
        self._pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="vestige-call")
        self._lock = threading.Lock()
        self._turns = Turns(turns or self._at_once, self._begin)
        self._queue: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._closed = False
        self._taken = self._under_way = self._receiving = self._untold = 0
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
        future: Future[T] = Future()
        # With the context of the request: what is traced stays together.
        call = partial(copy_context().run, work)
        with self._lock:
            if self._closed:
                raise RuntimeError("the service is ending")
            full = self._taken >= self._most
            if not full:
                self._taken += 1
                self._queue.append((future, call))
        if full:
            self._turn_away()
        future.add_done_callback(self._leave)
        self._begin()
        return asyncio.wrap_future(future)

    @property
    def load(self) -> Load:
        """How many calls are in each state."""
        with self._lock:
            return Load(self._under_way, max(0, self._taken - self._under_way), self._receiving)

    def close(self) -> None:
        """Waits for the work that has begun and drops the rest."""
        with self._lock:
            self._closed = True
            dropped = [future for future, _ in self._queue]
            self._queue.clear()
        for future in dropped:
            future.cancel()
        self._pool.shutdown(wait=True)

    def _begin(self) -> None:
        """Begins as many calls as there are turns and threads for."""
        while True:
            with self._lock:
                while self._queue and self._queue[0][0].cancelled():
                    self._queue.popleft()
                if not self._queue or self._under_way >= self._at_once or not self._turns.take():
                    return
                future, call = self._queue.popleft()
                self._under_way += 1
                self._pool.submit(self._work, future, call)

    def _work(self, future: Future[Any], call: Callable[[], Any]) -> None:
        with self._turns.held():
            _do(future, call)
        with self._lock:
            self._under_way -= 1
        self._begin()

    def _leave(self, _done: Future[Any]) -> None:
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


def _do(future: Future[T], call: Callable[[], T]) -> None:
    """Does the work and tells its result, unless nobody wants it any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - who waits for the result gets it, as from any thread pool
        future.set_exception(error)
