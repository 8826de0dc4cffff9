"""Text for a report: short, without secrets, without what a terminal or a file could stumble over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

BODY = 1600
TEXT = 300
PREFIX = 8
HIDDEN = "(hidden)"
_TOKEN = re.compile(r"eyJ[\w-]{4,}\.[\w-]*\.[\w-]*")
_ACCESS = re.compile(r'("access_token"\s*:\s*")[^"]*(")')
_BEARER = re.compile(r"(?i)\b(bearer )\s*\S+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udfff]")


def shown(text: str, limit: int = TEXT, secrets: Iterable[str] = ()) -> str:
    """Returns the text fit for a report: secrets hidden, controls replaced, cut to `limit` characters."""
    # Cut with room to spare first: the patterns need not walk through megabytes.
    cut = clean(hidden(text[: limit + 20_000], secrets))
    return cut if len(text) <= limit else f"{cut[:limit]}… ({len(text)} characters)"


def hidden(text: str, secrets: Iterable[str] = ()) -> str:
    """Returns the text without secrets, however they are escaped, and without anything that is a token.

    The beginning of a secret is hidden too: a text may have been cut in the middle of one.
    """
    for secret in secrets:
        text = _without(text, secret)
    text = _ACCESS.sub(rf"\1{HIDDEN}\2", text)
    return _TOKEN.sub(HIDDEN, _BEARER.sub(rf"\1{HIDDEN}", text))


def _without(text: str, secret: str) -> str:
    kept, after, head = [], 0, secret[:PREFIX]
    for found in re.finditer("".join(map(_spelled, head)), text):
        if found.start() < after:
            continue
        end = found.end()
        for character in secret[len(head) :]:
            further = re.compile(_spelled(character)).match(text, end)
            if further is None:
                break
            end = further.end()
        kept += [text[after : found.start()], HIDDEN]
        after = end
    return "".join([*kept, text[after:]])


@cache
def _spelled(character: str) -> str:
    """The ways in which JSON and an address spell one character."""
    code = f"{ord(character):02x}"
    return rf"(?:\\{{0,4}}(?:{re.escape(character)}|u00(?i:{code}))|%(?i:{code}))"


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
