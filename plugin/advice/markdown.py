"""Patient text made harmless: for one-line summaries and for GitHub-flavoured Markdown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

LABEL_UNITS = 8
"""Longest label in a summary, in UTF-16 units."""
CELL_UNITS = 40
LIMIT = 139
"""Longest summary, in UTF-16 units (CDS Hooks: fewer than 140)."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~:@$^=.-])")
_SUMMARY_UNSAFE = re.compile(r"[\\`*_{}\[\]<>|#~&$^=]")
_DIGITS = re.compile(r"(\d+)")
_PLAIN = re.compile(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*")

Natural = tuple[tuple[int, int, str], ...]


def units(text: str) -> int:
    """Returns the length in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """Returns the text, shortened to so many UTF-16 units."""
    while units(text) > limit:
        text = text[:-1]
    return text


def clean(text: str) -> str:
    """Returns the text on one line, without control, format, private and surrogate characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Zs"} else letter
        for letter in text
        if unicodedata.category(letter) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return " ".join(kept.split())


def plain(text: str, limit: int = LABEL_UNITS) -> str:
    """Returns the text for a summary: cut, one line, nothing that a Markdown reader would act on."""
    return cut(clean(_SUMMARY_UNSAFE.sub(" ", clean(text))), limit).strip()


def escape(text: str, limit: int = CELL_UNITS) -> str:
    """Returns the text for Markdown: cut, one line, every character that means something there escaped."""
    safe = cut(clean(text), limit).strip()
    if _PLAIN.fullmatch(safe):
        return safe
    safe = safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", safe)


def natural(label: str) -> Natural:
    """Returns the key by which L2 comes before L10."""
    return tuple(
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part.lower())
        for part in _DIGITS.split(label)
        if part
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table; the cells are expected to be escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def bullets(lines: Iterable[str]) -> str:
    """Returns a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
