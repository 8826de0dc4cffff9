"""The 32-bit hash by which durable_rules tells names and ids apart, without ever comparing them in full."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

MAX_NUMBER = 25_000
"""The highest number a fact can have in one evaluation."""

RESERVED = ("sid", "id", "$s", "$time", "$timerName", "$baseTime", "$forward", "$i", "$m", "0")


def fnv1a32(text: str) -> int:
    """Returns the engine's hash of a text (bytes above 127 are sign-extended, as in its C code)."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value


def collision(names: Iterable[str]) -> tuple[str, str] | None:
    """Returns two different names that the engine would take for one, or None."""
    seen: dict[int, str] = {}
    for name in names:
        other = seen.setdefault(fnv1a32(name), name)
        if other != name:
            return other, name
    return None


@cache
def ids_are_distinct() -> bool:
    """Tells whether the numbers of facts, written as texts, are all told apart by the engine."""
    return collision([*(str(number) for number in range(1, MAX_NUMBER + 2)), "sid-0", "$pulse"]) is None
