"""Turns at the processor: who has read a record decides on it without being interrupted by everybody else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_mine = threading.local()


class Turns:
    """So many threads work at the same time; whoever waits for somebody else gives its turn away meanwhile.

    Python runs one thread at a time. Many that work by turns of a few milliseconds take longer than the same
    one after the other, and all of them end late. `freed` is called, by whoever gave it, when there is a turn
    that nobody comes back for.
    """

    def __init__(self, at_once: int, freed: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._free = at_once
        self._back: deque[threading.Lock] = deque()
        self._freed = freed

    def take(self) -> bool:
        """Takes a turn where one is free, and says whether it did."""
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            return True

    def give(self) -> None:
        """Gives a turn to the first who comes back, else to whoever takes it."""
        with self._lock:
            if self._back:
                self._back.popleft().release()
                return
            self._free += 1
        self._freed()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Has the block work on a turn that was taken for it, and gives the turn at the end."""
        _mine.turns = self
        try:
            yield
        finally:
            del _mine.turns
            self.give()

    def take_back(self) -> None:
        """Returns with a turn, in the order in which threads come back."""
        own = threading.Lock()
        with self._lock:
            if self._free:
                self._free -= 1
                return
            own.acquire()
            self._back.append(own)
        own.acquire()


@contextmanager
def waiting() -> Iterator[None]:
    """Gives this thread's turn to another one for as long as the block waits for somebody else."""
    turns: Turns | None = getattr(_mine, "turns", None)
    if turns is None:
        yield
        return
    turns.give()
    try:
        yield
    finally:
        turns.take_back()
