"""Text for a report: short, without secrets, without what a terminal or a file could stumble over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

BODY = 1600
TEXT = 300
HIDDEN = "(hidden)"
_TOKEN = re.compile(r"eyJ[\w-]{4,}\.[\w-]*\.[\w-]*")
_ACCESS = re.compile(r'("access_token"\s*:\s*")[^"]*(")')
_BEARER = re.compile(r"(?i)\b(bearer )\s*\S+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udfff]")


def shown(text: str, limit: int = TEXT, secrets: Iterable[str] = ()) -> str:
    """Returns the text fit for a report: secrets hidden, controls replaced, cut to `limit` characters."""
    # Cut with room to spare first: the patterns need not walk through megabytes.
    cut = text[: limit + 20_000]
    for secret in secrets:
        cut = cut.replace(secret, HIDDEN)
    cut = _ACCESS.sub(rf"\1{HIDDEN}\2", cut)
    cut = clean(_TOKEN.sub(HIDDEN, _BEARER.sub(rf"\1{HIDDEN}", cut)))
    return cut if len(text) <= limit else f"{cut[:limit]}… ({len(text)} characters)"


def clean(text: str) -> str:
    """Returns the text without control characters and halves of characters."""
    return _CONTROLS.sub("\ufffd", text)


def body(content: bytes, secrets: Iterable[str] = ()) -> str:
    """Returns a body as a short text."""
    return shown(content.decode("utf-8", "replace"), BODY, secrets)


def value(of: Any) -> str:
    """Returns a JSON value as a few words."""
    try:
        return shown(json.dumps(of, ensure_ascii=False), 80)
    except (ValueError, RecursionError):
        return "a value that cannot be shown"
