"""What was asked and what was answered, in order, with every secret taken out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

REDACTED = "[redacted]"
MOST_TEXT = 200_000
"""Longer bodies are cut in the journal; the entry says so."""

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_HIDDEN_MEMBERS = "access_token|refresh_token|id_token|client_assertion|client_secret|assertion|password"
_MEMBER = re.compile(rf'("(?:{_HIDDEN_MEMBERS})"\s*:\s*)"(?:[^"\\]|\\.)*"')
_FIELD = re.compile(rf"\b({_HIDDEN_MEMBERS})=[^&\s\"]+")
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer; `status` None where none came, `note` then says why. Times in ms."""

    at: str
    to: str
    method: str
    url: str
    sent_headers: dict[str, str]
    sent: str | None
    status: int | None
    got_headers: dict[str, str]
    got: str | None
    milliseconds: float
    note: str | None = None
    about: str | None = None


class Journal:
    """The entries so far; safe to use from several threads.

    `secrets` gives the secrets in use at the moment, wherever they may turn up; with `bodies` False no body
    is kept.
    """

    def __init__(self, secrets: Callable[[], Iterable[str]] = tuple, *, bodies: bool = True) -> None:
        self._secrets = secrets
        self._bodies = bodies
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries in the order in which they were noted."""
        with self._lock:
            return tuple(self._entries)

    def note(
        self,
        *,
        to: str,
        method: str,
        url: str,
        sent_headers: Mapping[str, str],
        sent: bytes | None,
        status: int | None,
        got_headers: Mapping[str, str],
        got: bytes | None,
        milliseconds: float,
        note: str | None = None,
        about: str | None = None,
    ) -> None:
        """Adds one exchange, redacted."""
        entry = Entry(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            to=to,
            method=method,
            url=self.redacted(url),
            sent_headers=self._headers(sent_headers),
            sent=self._text(sent),
            status=status,
            got_headers=self._headers(got_headers),
            got=self._text(got),
            milliseconds=round(milliseconds, 1),
            note=None if note is None else self.redacted(note),
            about=None if about is None else self.redacted(about),
        )
        with self._lock:
            self._entries.append(entry)

    def redacted(self, text: str) -> str:
        """Returns a text without anything that is or looks like a secret."""
        for secret in self._secrets():
            if secret:
                text = text.replace(secret, REDACTED)
        text = _MEMBER.sub(rf'\1"{REDACTED}"', text)
        text = _FIELD.sub(rf"\1={REDACTED}", text)
        return _SCHEME.sub(rf"\1 {REDACTED}", text)

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            name: REDACTED if name.lower() in _SECRET_HEADERS else self.redacted(str(value))
            for name, value in headers.items()
        }

    def _text(self, body: bytes | None) -> str | None:
        if not body:
            return None
        if not self._bodies:
            return f"({len(body)} bytes, not kept)"
        text = self.redacted(body.decode("utf-8", "replace"))
        if len(text) <= MOST_TEXT:
            return text
        return f"{text[:MOST_TEXT]}\n({len(text) - MOST_TEXT} more characters were cut)"
