"""What a process of the service does with its memory: the heaps of the C library, and Python's collector."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_ARENA_MAX = -8
ARENAS = 2
"""Heaps of the C library. It gives each thread one of its own, up to eight for a core, and what one call
needed at its peak then stays with the process sixteen times; Python runs one thread at a time anyway."""


SELDOM = (10_000, 20, 50)
"""New objects after which the collector looks at them (else 700), and how often at older ones. A call makes
some 10,000 that it holds until it is answered: looking at them fifteen times finds nothing."""


def collect_seldom() -> None:
    """Has the collector look at new objects about once a call, and not many times in each."""
    gc.set_threshold(*SELDOM)


@contextmanager
def uncollected() -> Iterator[None]:
    """Has the collector wait while a process starts: what is made then stays, and would be looked at in vain.

    What is there at the end is not looked at again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def few_heaps() -> bool:
    """Limits the heaps of the C library, before threads are started; tells whether it can do so."""
    limit = getattr(_library(), "mallopt", None)
    return limit is not None and limit(_ARENA_MAX, ARENAS) == 1


def give_back() -> bool:
    """Gives to the system what a start has left over; tells whether anything was given."""
    trim = getattr(_library(), "malloc_trim", None)
    return trim is not None and trim(0) == 1


@cache
def _library() -> ctypes.CDLL | None:
    """The C library; None where it cannot be asked. Only that of GNU has these two functions."""
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
