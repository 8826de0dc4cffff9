"""Who uses something that will be given back, so that it is given back when the last one has done with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType


class InUse:
    """Counts its users, of several threads; after `retire` the last one to leave has it closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._close: Callable[[], None] | None = None

    def __enter__(self) -> InUse:
        with self._lock:
            self._users += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._users -= 1
        self._look()

    def retire(self, close: Callable[[], None]) -> None:
        """Has `close` called once, as soon as nobody uses it: now, or by the last who leaves."""
        with self._lock:
            self._close = close
        self._look()

    def _look(self) -> None:
        with self._lock:
            close = None if self._users else self._close
            if close is not None:
                self._close = None
        if close is not None:
            close()
