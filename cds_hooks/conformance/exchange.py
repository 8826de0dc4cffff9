"""Exchanges with the service under test: real HTTP, bounded in time and size, each one kept."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from cds_hooks.conformance import shown

SECONDS = 10.0
MAX_BODY = 1024 * 1024
SMALL = 64 * 1024
MAX_DEPTH = 100
PATIENCE = 3
CHUNK = 65536
AGENT = "vestige-conformance"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_KEPT = ("content-type", "allow", "www-authenticate", "location", "vary", "retry-after")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_FAULTS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


class NotJson(ValueError):
    """A body that is no JSON of RFC 8259; the text says where."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One exchange: what was sent, and what came back or why nothing did (`error`, with status 0).

    `unread` says that the answer was larger than this tool reads, which is no fault of the service.
    """

    number: int
    method: str
    url: str
    sent_headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    sent: bytes = field(repr=False, default=b"")
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(repr=False, default=b"")
    seconds: float = 0.0
    error: str | None = None
    unread: bool = False

    @property
    def ok(self) -> bool:
        """True for status 200 to 299."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """True for status 400 to 499."""
        return 400 <= self.status < 500

    @property
    def said(self) -> str:
        """The outcome in a few words."""
        return f"status {self.status}" if self.error is None else self.error

    @property
    def media_type(self) -> str:
        """The media type of the body without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def document(self) -> Any:
        """The body as JSON; raises NotJson. Large ones are not kept: many would fill the memory."""
        return _kept(self.body) if len(self.body) < SMALL else parse(self.body)

    @property
    def object(self) -> dict[str, Any]:
        """The body where it is a JSON object, else an empty one."""
        try:
            found = self.document
        except NotJson:
            return {}
        return found if isinstance(found, dict) else {}

    def as_record(self, secrets: tuple[str, ...]) -> dict[str, Any]:
        """Returns the exchange for a report, without secrets and with bodies cut short."""
        sent = {
            name: shown.HIDDEN if name.lower() == "authorization" else shown.shown(text, secrets=secrets)
            for name, text in self.sent_headers.items()
        }
        kept = {
            name: shown.shown(text, secrets=secrets)
            for name, text in self.headers.items()
            if name in _KEPT or name.startswith("access-control-")
        }
        record: dict[str, Any] = {
            "number": self.number,
            "request": {
                "method": self.method,
                "url": shown.shown(self.url, 500, secrets),
                "headers": sent,
                "body": shown.body(self.sent, secrets),
            },
            "seconds": round(self.seconds, 3),
        }
        if self.error is not None:
            return {**record, "error": self.error}
        return {
            **record,
            "response": {"status": self.status, "headers": kept, "body": shown.body(self.body, secrets)},
        }


class Client:
    """Sends requests one at a time or from threads, and keeps every exchange.

    A request has `seconds` in all, headers and body together. After `PATIENCE` requests in a row without an
    answer nothing more is sent, so that a service which hangs costs minutes, not hours.
    """

    def __init__(
        self, *, seconds: float = SECONDS, secrets: tuple[str, ...] = (), ca_bundle: str | None = None
    ) -> None:
        self.seconds = seconds
        self.secrets = secrets
        self.answers: list[Answer] = []
        self.on_answer: Callable[[Answer], None] = lambda _answer: None
        self.ca_bundle = ca_bundle
        self._silent = 0
        self._lock = threading.Lock()
        self._idle: list[requests.Session] = []

    @property
    def given_up(self) -> bool:
        """True once the service left too many requests unanswered."""
        return self._silent >= PATIENCE

    def send(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Returns the exchange; a service that fails to answer gives one with `error`, never an exception."""
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity", "Accept": "*/*", **(headers or {})}
        started = time.monotonic()
        if self.given_up:
            got: dict[str, Any] = {"error": f"not sent: {PATIENCE} requests in a row had no answer"}
        else:
            got = self._bounded(method, url, body, headers)
        with self._lock:
            self._silent = self._silent + 1 if "error" in got and "unread" not in got else 0
            answer = Answer(
                number=len(self.answers) + 1,
                method=method,
                url=url,
                sent_headers=headers,
                sent=body,
                seconds=time.monotonic() - started,
                **got,
            )
            self.answers.append(answer)
        self.on_answer(answer)
        return answer

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _bounded(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """A read time limit is one a packet: only another thread can bound a service that drips."""
        box: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        work = threading.Thread(
            target=lambda: box.put(self._fetch(method, url, body, headers)), daemon=True, name="conformance"
        )
        work.start()
        try:
            return box.get(timeout=self.seconds)
        except queue.Empty:
            return {"error": f"no complete answer within {self.seconds:g} seconds"}

    def _fetch(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        with self._lock:
            session = self._idle.pop() if self._idle else _session(url, self.ca_bundle)
        try:
            with session.request(
                method,
                url,
                data=body or None,
                headers=dict(headers),
                timeout=self.seconds,
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = _read(answer.raw, time.monotonic() + self.seconds)
        except _FAULTS as error:
            session.close()
            return {"error": f"no answer: {type(error).__name__}"}
        with self._lock:
            self._idle.append(session)
        if len(content) > MAX_BODY:
            return {"error": f"the answer is larger than {MAX_BODY} bytes: not read further", "unread": True}
        names = {name.lower(): text for name, text in answer.headers.items()}
        return {"status": answer.status_code, "headers": names, "body": content}


def parse(content: bytes) -> Any:
    """Returns the JSON value of a body; raises NotJson for anything that RFC 8259 does not define."""
    try:
        found = json.loads(
            content.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_duplicate
        )
    except (ValueError, RecursionError) as error:
        reason = "nested without end" if isinstance(error, RecursionError) else str(error)
        raise NotJson(shown.shown(reason, 120)) from None
    if any(depth > MAX_DEPTH for _, _, depth in walk(found)):
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
    if _SURROGATE.search(content):
        _refuse_halves(found)
    return found


@lru_cache(maxsize=256)
def _kept(content: bytes) -> Any:
    return parse(content)


def walk(document: Any) -> Iterator[tuple[str, Any, int]]:
    """Yields every value below a document with its path and depth, without recursion."""
    waiting: list[tuple[str, Any, int]] = [("", document, 0)]
    while waiting:
        path, held, depth = waiting.pop()
        if depth:
            yield path, held, depth
        if depth > MAX_DEPTH:
            continue
        if isinstance(held, dict):
            waiting.extend((f"{path}.{name}" if path else name, of, depth + 1) for name, of in held.items())
        elif isinstance(held, list):
            waiting.extend((f"{path}[{place}]", of, depth + 1) for place, of in enumerate(held))


def _refuse_halves(document: Any) -> None:
    """Half a character passes as JSON and breaks whoever writes it on."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotJson("a text holds half of a character (a lone surrogate)") from None


def is_loopback(url: str) -> bool:
    """Returns whether an address is one of this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def _read(raw: urllib3.HTTPResponse, end: float) -> bytes:
    """Returns the body, or the first bytes of one that is larger than MAX_BODY."""
    content = bytearray()
    while len(content) <= MAX_BODY and (chunk := raw.read1(CHUNK, decode_content=False)):
        content += chunk
        if time.monotonic() > end:
            raise TimeoutError("the body does not end")
    return bytes(content)


def _session(url: str, ca_bundle: str | None) -> requests.Session:
    """Takes proxies and authorities from the environment, but no password file: it would add a header."""
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True
    if not is_loopback(url):
        session.proxies.update(requests.utils.get_environ_proxies(url))
    return session


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _no_duplicate(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice in one object")
    return found
