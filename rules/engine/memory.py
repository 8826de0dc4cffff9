"""How the C library keeps the memory that durable_rules takes and gives back in every session."""

from __future__ import annotations

import ctypes
from functools import cache

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
KEPT = 64 * 1024 * 1024
"""Bytes at the top of the heap that may stay with the process."""
MAPPED = 32 * 1024 * 1024
"""Bytes from which a block is mapped by itself; the largest value that the GNU C library takes."""


@cache
def keep_heap() -> bool:
    """Lets the process keep freed memory, and tells whether the C library can do so.

    A session copies every fact it stores, some 14 kB each, and frees all at its end. Where that lies at the
    top of the heap the C library gives it back to the system each time, and every evaluation pays for the
    same pages again (measured: up to four times the time of the engine itself).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((_TRIM_THRESHOLD, KEPT), (_TOP_PAD, KEPT // 64), (_MMAP_THRESHOLD, MAPPED))
    done = [mallopt(option, value) == 1 for option, value in settings]
    return all(done)
