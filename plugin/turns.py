"""Turns at the processor: who has read a record decides on it without being interrupted by everybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_mine = threading.local()


class Turns:
    """Lets so many threads work at the same time; the others wait, in the order in which they came.

    Python runs one thread at a time. Many that work by turns of a few milliseconds take longer than the same
    one after the other, and all of them end late.
    """

    def __init__(self, at_once: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds a turn of this thread for as long as the block lasts, but while it is `waiting`."""
        with self._free:
            _mine.turn = self._free
            try:
                yield
            finally:
                del _mine.turn


@contextmanager
def waiting() -> Iterator[None]:
    """Gives this thread's turn to another one for as long as the block waits for somebody else."""
    turn: threading.BoundedSemaphore | None = getattr(_mine, "turn", None)
    if turn is None:
        yield
        return
    turn.release()
    try:
        yield
    finally:
        turn.acquire()
