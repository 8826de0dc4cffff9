"""Ctrl-C and SIGTERM as a wish that is met between two requests, never in the middle of a step.

An exception raised wherever the main thread happens to be can leave a lock of a library held, and the command
waits for that lock for ever. So the signal only sets an event, which is looked at before each request.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_FIRST = b"\nStopping after this step; what was created is removed. Once more ends the removing too.\n"
_AGAIN = b"\nEnded at once. A manifest that is left removes what is left: vestige interop --clean MANIFEST\n"


@contextmanager
def stoppable(stop: threading.Event) -> Iterator[None]:
    """Sets the event at SIGINT or SIGTERM; a signal while it is still set ends the process at once.

    Whoever has met the wish clears the event. A signal that the process was started to ignore stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def press(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os.write(2, _AGAIN)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        os.write(2, _FIRST)
        stop.set()

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: was for number, was in before.items() if was not in (None, signal.SIG_IGN)}
    for number in before:
        signal.signal(number, press)
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)
