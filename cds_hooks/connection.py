"""One connection to the service: limits on the head of a request, and offers of another protocol declined."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
HEAD_SECONDS = 20.0

# What an offer of another protocol is made of (RFC 9110, 7.8; HTTP/2's is in RFC 7540, 3.2).
_OFFER = frozenset({b"connection", b"upgrade", b"http2-settings"})
_REFUSED = {
    408: b"HTTP/1.1 408 Request Timeout",
    431: b"HTTP/1.1 431 Request Header Fields Too Large",
}


class Connection(HttpToolsProtocol):
    """Refuses a head, or the trailers of a body, above `MAX_HEAD` bytes (431) or after `HEAD_SECONDS` (408).

    A token has at most 16 kB, so 64 kB hold every head that is answered. An offer to go on in another
    protocol is not taken up and the request is answered as it stands: Java's own client makes one with every
    first call in plain text, and the parser leaves the body of such a request out.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first head."""
        super().connection_made(transport)
        self._await_head(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what waits."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, and refuses what it holds without having passed any of it on."""
        if self.transport.is_closing():
            return
        if self._unread == 0 and (self.cycle is None or not self.cycle.more_body):
            self._await_head(HEAD_SECONDS)
        self._unread += len(data)
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
        if self._unread > MAX_HEAD:
            self._refuse(431)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            method, version = self.parser.get_method(), self.parser.get_http_version().encode()
            kept = [b": ".join(one) for one in self.headers if one[0] not in _OFFER]
            head = b"\r\n".join([b" ".join([method, self.url, b"HTTP/" + version]), *kept, b"", b""])
            self.parser = httptools.HttpRequestParser(self)
            self._feed(head + data[offer.args[0] :])

    def on_headers_complete(self) -> None:
        """Passes a head on that is within the limit; one with an offer comes once more without it."""
        if self.parser.should_upgrade():
            return
        self._head_is_here()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
            self._refuse(431)
            raise ValueError("the head is too large")  # which ends the parser
        super().on_headers_complete()
        self._unread = 0

    def on_body(self, body: bytes) -> None:
        """Passes a piece of the body on; what the body may hold is limited where it is taken in."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Passes on that a request is complete."""
        if self.parser.should_upgrade():
            return
        self._unread = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, unless the request was refused before."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _await_head(self, seconds: float) -> None:
        self._head_is_here()
        self._late = self.loop.call_later(seconds, self._refuse, 408)

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, status: int) -> None:
        """Closes the connection; says why where no answer is under way on it."""
        self._head_is_here()
        if self.transport.is_closing():
            return
        self.logger.warning("request refused: status %d", status)
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_REFUSED[status] + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
