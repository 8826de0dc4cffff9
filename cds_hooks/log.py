"""What the log holds: one line a call, and faults by their place; never patient data, never a token."""

from __future__ import annotations

import logging
import secrets
import time
import traceback
from typing import Any, Literal

import msgspec

log = logging.getLogger("vestige")

FRAMES = 12


def fault(error: BaseException, where: str) -> str:
    """Logs a fault and returns its error id.

    Only the type and the places in the code are written: the message of an exception may quote what was read.
    """
    error_id = secrets.token_hex(6)
    kind = type(error).__name__
    log.error("fault error-id=%s where=%s type=%s at %s", error_id, where, kind, _places(error))
    return error_id


def _places(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def call_line(**items: object) -> None:
    """Logs one answered call as `name=value` items, which are members of their own in JSON."""
    named = {name.replace("_", "-"): value for name, value in items.items()}
    text = " ".join(f"{name}={value}" for name, value in named.items())
    log.info("call %s", text, extra={"items": {"event": "call", **named}})


class JsonLines(logging.Formatter):
    """Writes each line as one JSON object: time (UTC), level, logger, message, and the items of a call."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line; of an exception only its type, since its text may quote what was read."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "items", {}),
        }
        if record.exc_info is not None and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
        return msgspec.json.encode(line, enc_hook=str).decode()


class TextLines(logging.Formatter):
    """Writes each line as text; of an exception only its type and places, since its text may quote data."""

    def formatException(self, ei: Any) -> str:
        """Returns the type of an exception and its places."""
        kind, error, _ = ei
        return f"{kind.__name__ if kind else 'exception'} at {_places(error)}" if error else ""


def to_standard_error(form: Literal["text", "json"]) -> None:
    """Sends every line from now on to standard error, as text or as JSON."""
    handler = logging.StreamHandler()
    text = TextLines("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def page_line(what: str, **items: object) -> None:
    """Logs what was done on the timeline page: a sign-in, or a reading that was stored."""
    log.info("page %s %s", what, " ".join(f"{name}={value}" for name, value in items.items()))


def settings_line(what: str, **items: object) -> None:
    """Logs that settings and rules were changed, with the keys and never a value."""
    log.warning("settings %s %s", what, " ".join(f"{name}={value}" for name, value in items.items()))


def settings_alarm(reason: str) -> None:
    """Logs that settings and rules on disk were refused, and that the earlier ones stay in force."""
    log.error("alarm settings refused, the earlier ones stay in force: %s", " ".join(reason.split()))


def records(what: str, error: BaseException | None) -> None:
    """Logs what became of the decision records: an alarm where something failed, else a note."""
    if error is None:
        log.warning("records %s", what)
        return
    log.error("alarm records %s error-id=%s", what, fault(error, "records"))
