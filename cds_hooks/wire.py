"""JSON on the wire: strict in, strict out (CDS Hooks 2.0.1, "Use of JSON")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from plugin.errors import CallError

MAX_DEPTH = 64
_MAY_BE_EMPTY = frozenset({"cards", "services"})
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BOM = b"\xef\xbb\xbf"


def parse(body: bytes) -> Any:
    """Returns the parsed body, or raises CallError (400) for anything RFC 8259 leaves undefined.

    Refused: an empty body, truncated or invalid JSON, invalid UTF-8, NaN and Infinity, a member named twice,
    nesting deeper than `MAX_DEPTH`. A byte order mark is accepted.
    """
    text = body.removeprefix(_BOM)
    if not text.strip():
        raise CallError("The request has no body; send a JSON object.", code="structure")
    unescaped = _unescaped(text)
    _refuse_depth(b"".join(unescaped.split(b'"')[::2]))
    try:
        parsed = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallError(f"The request body is not valid JSON: {_where(error)}.", code="structure") from None
    # The parser keeps the last of two members; written again there is a name less, and so a pair of quotes.
    if _unescaped(msgspec.json.encode(parsed)).count(b'"') != unescaped.count(b'"'):
        raise CallError("The request body names a member of one object twice.", code="structure")
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


def _refuse_depth(skeleton: bytes) -> None:
    """Peels the innermost pair of brackets once a level; malformed brackets are left to the parser."""
    brackets = skeleton.translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        peeled = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(peeled) == len(brackets):
            break
        brackets = peeled
    else:
        if brackets:
            raise CallError(f"The request body is nested deeper than {MAX_DEPTH} levels.", code="too-long")
    if len(brackets) > MAX_DEPTH and not brackets.strip(b"[{"):
        raise CallError(f"The request body is nested deeper than {MAX_DEPTH} levels.", code="too-long")


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
