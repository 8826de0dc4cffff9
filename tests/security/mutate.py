"""Mutations of JSON documents, of text and of YAML: drawn by hypothesis, applied without chance of their own.

A mutation is three numbers: what is done, where, and with which value. The same numbers on the same document always
give the same document, so that a failure shrinks to the few mutations that make it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Mutation = tuple[int, int, int]
DEEP = 40

# What stands where something else was expected: wrong types, edges of numbers, texts that break lines and markup.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**63,
    -(2**63) - 1,
    10**18,
    1e308,
    5e-324,
    -0.0,
    0.1 + 0.2,
    "",
    " ",
    "\u0000",
    "\u202egnp.exe",
    "\U0001f9ec",
    "a" * 5000,
    "9" * 5000,
    "1e999999999",
    "-0",
    "NaN",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59.999999999+14:00",
    "2026-02-30",
    "2026",
    "2026-11",
    "2026-11-21T24:00:00Z",
    "2024-12-31T23:59:60Z",
    "Patient/" + "x" * 300,
    "#contained",
    "urn:uuid:0",
    "../../Patient/1",
    "http://[::1",
    "http://" + "a" * 300,
    "<script>alert(1)</script>",
    "![x](javascript:alert(1))",
    "| a | b |\n|---|",
    "{{context.patientId}}",
    "Observation/1/_history/2",
    "entered-in-error",
    "final",
    "mm",
    "cm",
    "http://snomed.info/sct",
    "http://loinc.org",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"coding": "x"},
    {"coding": [None, {"code": 5}]},
    {"reference": 5},
    {"reference": "Patient/somebody-else"},
    {"value": 1e300, "unit": "mm"},
    {"value": "12", "code": "mm"},
    {"start": "2027-01-01", "end": "2020-01-01"},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]},
)
# What no JSON reader of ours takes: each of these costs the whole document, so they come seldom.
REFUSED: tuple[Any, ...] = (10**400, float("nan"), float("inf"), "\ud800", "\udfff\ud800")
OPERATIONS = ("put", "drop", "double", "deep", "swap", "rename", "list", "unlist", "text", "move")
mutations = st.lists(
    st.tuples(st.integers(0, len(OPERATIONS) - 1), st.integers(0, 2**48), st.integers(0, 2**40)),
    min_size=1,
    max_size=10,
)


def mutated(document: Any, drawn: Sequence[Mutation]) -> Any:
    """Returns a copy of a JSON document with the mutations done in their order."""
    root = [copy.deepcopy(document)]
    for operation, where, value in drawn:
        if root:
            _do(OPERATIONS[operation], root, where, value)
    return root[0] if root else None


def as_text(document: Any) -> bytes:
    """Returns the document as JSON text as a careless client writes it: NaN, surrogates and huge numbers too."""
    return json.dumps(document).encode("utf-8", "surrogatepass")


def mutated_text(text: bytes, drawn: Sequence[Mutation]) -> bytes:
    """Returns bytes cut, doubled, turned and spliced."""
    pieces = (b"\xff", b"\x00", b'"', b"\\", b"{", b"]", b"}", b",", b":", b"\\ud800", b"\xef\xbb\xbf", b"\r\n", b"1e999",
              b"null", b"/*", b"-", b"'", b"\xed\xa0\x80", b"[" * 200, b'{"a":' * 200, b"0x1", b"\x1b[31m")  # fmt: skip
    for operation, where, value in drawn:
        place = where % (len(text) + 1)
        span = 1 + value % 40
        match operation % 5:
            case 0:
                text = text[:place] + pieces[value % len(pieces)] + text[place:]
            case 1:
                text = text[:place] + text[place + span :]
            case 2:
                text = text[:place] + text[place : place + span] + text[place:]
            case 3 if place < len(text):
                text = text[:place] + bytes([text[place] ^ (1 << value % 8)]) + text[place + 1 :]
            case _:
                text = (
                    text[:place]
                    if value % 7 == 0
                    else text[:place] + pieces[value % len(pieces)] + text[place + span :]
                )
    return text


def _place(root: list[Any], where: int) -> tuple[Any, Any]:
    """Walks down to a place, mostly to a leaf: every branch is as likely as its neighbours, however large."""
    holder: Any = root
    while True:
        where, number = divmod(where, len(holder))
        key = list(holder)[number] if isinstance(holder, dict) else number
        where, stop = divmod(where, 8)
        if not isinstance(holder[key], dict | list) or not holder[key] or (stop == 0 and holder is not root):
            return holder, key
        holder = holder[key]


def _value(value: int) -> Any:
    value, seldom = divmod(value, 60)
    chosen = REFUSED if seldom == 0 else VALUES
    return copy.deepcopy(chosen[value % len(chosen)])


def _do(operation: str, root: list[Any], where: int, value: int) -> None:
    holder, key = _place(root, where)
    old = holder[key]
    match operation:
        case "put":
            holder[key] = _value(value)
        case "drop":
            del holder[key]
        case "double" if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(old))
        case "double":
            holder[f"{key}2"] = copy.deepcopy(old)
        case "deep":
            for level in range(1 + value % DEEP):
                old = {"a": old} if (level + value) % 2 else [old]
            holder[key] = old
        case "rename" if isinstance(holder, dict):
            del holder[key]
            holder[str(VALUES[value % len(VALUES)])[:50]] = old
        case "list":
            holder[key] = [old] * (1 + value % 3)
        case "unlist" if isinstance(old, list) and old:
            holder[key] = old[value % len(old)]
        case "text":
            holder[key] = json.dumps(old)[:200] if isinstance(old, dict | list) else str(old)
        case "swap" | "move":
            other, name = _place(root, value)
            there = other[name]
            if not isinstance(old, dict | list) and not isinstance(there, dict | list):
                other[name] = old
                if operation == "swap":
                    holder[key] = there
