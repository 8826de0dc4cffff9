"""What the log holds: one line a call, and faults by their place; never patient data, never a token."""

from __future__ import annotations

import logging
import secrets
import traceback

log = logging.getLogger("vestige")

FRAMES = 12


def fault(error: BaseException, where: str) -> str:
    """Logs a fault and returns its error id.

    Only the type and the places in the code are written: the message of an exception may quote what was read.
    """
    error_id = secrets.token_hex(6)
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("fault error-id=%s where=%s type=%s at %s", error_id, where, type(error).__name__, places)
    return error_id


def call_line(**items: object) -> None:
    """Logs one answered call as `name=value` items."""
    log.info("call %s", " ".join(f"{name.replace('_', '-')}={value}" for name, value in items.items()))
