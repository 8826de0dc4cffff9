"""JSON on the wire: strict in, strict out (CDS Hooks 2.0.1, "Use of JSON")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from plugin.errors import CallError

MAX_DEPTH = 64
_MAY_BE_EMPTY = frozenset({"cards", "services"})
_DEEP = b"\n" + b" " * MAX_DEPTH
# One level more: another blank, or an object or list that is empty and so has no line of its own within.
_DEEPER = re.compile(_DEEP + rb'(?: |(?:"(?:[^"\\]|\\.)*": )?(?:\[\]|\{\}))')
_BOM = b"\xef\xbb\xbf"


def parse(body: bytes) -> Any:
    """Returns the parsed body, or raises CallError (400) for anything RFC 8259 leaves undefined.

    Refused: an empty body, truncated or invalid JSON, invalid UTF-8, NaN and Infinity, a member named twice,
    nesting deeper than `MAX_DEPTH`. A byte order mark is accepted.
    """
    text = body.removeprefix(_BOM)
    if not text.strip():
        raise CallError("The request has no body; send a JSON object.", code="structure")
    try:
        parsed = msgspec.json.decode(text)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CallError(f"The request body is not valid JSON: {_where(error)}.", code="structure") from None
    written = msgspec.json.encode(parsed)
    # The parser keeps the last of two members; written again there is a name less, and so a pair of quotes.
    if _unescaped(written).count(b'"') != _unescaped(text).count(b'"'):
        raise CallError("The request body names a member of one object twice.", code="structure")
    # What lies so deep begins a line with as many blanks, and no text has a line break in it.
    laid_out = msgspec.json.format(written, indent=1)
    if _DEEP in laid_out and _DEEPER.search(laid_out):
        raise _too_deep()
    return parsed


def render(document: Mapping[str, Any]) -> bytes:
    """Returns the document as JSON without null, empty string, empty list or empty object.

    Only `cards` and `services` at the top may be empty: the text of CDS Hooks allows no other.
    """
    return msgspec.json.encode(without_empty(document))


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document as `render` writes it."""
    return dict(_pruned_members(document, _MAY_BE_EMPTY))


def pruned(value: Any) -> Any:
    """Returns the value without null and empty members, at every depth."""
    if isinstance(value, Mapping):
        return dict(_pruned_members(value))
    if isinstance(value, list | tuple):
        return [kept for item in value if not _is_empty(kept := pruned(item))]
    return value


def _pruned_members(
    members: Mapping[str, Any], may_be_empty: frozenset[str] = frozenset()
) -> list[tuple[str, Any]]:
    kept = [(name, pruned(value)) for name, value in members.items()]
    return [(name, value) for name, value in kept if name in may_be_empty or not _is_empty(value)]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | dict | list) and not value)


def _too_deep() -> CallError:
    return CallError(f"The request body is nested deeper than {MAX_DEPTH} levels.", code="too-long")


def _unescaped(text: bytes) -> bytes:
    """The text with no quotes but those around strings; a backslash has no place in JSON but in a string."""
    return text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text


def _where(error: Exception) -> str:
    """The parser's reason and place, without a word of what was sent."""
    found = re.search(r"\(byte (\d+)\)", str(error))
    if found:
        return f"it cannot be read at byte {found[1]}"
    if "truncated" in str(error):
        return "it ends too early"
    return "it cannot be read"
