"""One request and its answer, over the connections of a session: straight and within limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
from urllib3 import BaseHTTPResponse, Timeout

from plugin.chart import GapReason
from plugin.errors import FhirError
from plugin.pull.transport import Adapter, Deadline
from plugin.settings import Fhir

_CHUNK = 64 * 1024
_DIGITS = 18


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request; neither its address nor its headers appear in a text."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)


def exchange(
    session: requests.Session, sent: Exchange, limits: Fhir, deadline: Deadline
) -> tuple[int, Mapping[str, str], bytes]:
    """Returns status, headers and body; the body of an error may be left out.

    The connection pool of the session is asked itself: redirects, cookies, netrc and proxies live above it
    and are not wanted, and preparing for them costs as much as sending. Raises the errors of urllib3, and
    FhirError for an answer that is too large or too late.
    """
    parts = urlsplit(sent.url)
    adapter = session.get_adapter(sent.url)
    assert isinstance(adapter, Adapter)
    left = deadline.remaining
    response = adapter.pool(session, f"{parts.scheme}://{parts.netloc}").urlopen(
        sent.method,
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        body=sent.body,
        headers=sent.headers,
        timeout=Timeout(connect=min(limits.connect_timeout, left), read=min(limits.read_timeout, left)),
        redirect=False,
        retries=False,
        assert_same_host=False,
        preload_content=False,
        decode_content=False,
    )
    try:
        if deadline.over:
            raise FhirError(GapReason.TIMEOUT, "the server did not answer in time")
        if response.status != 200 and not _is_short(response):
            return response.status, response.headers, b""
        # Also of an error: a connection whose answer was read to its end is used again.
        return response.status, response.headers, _body(response, limits, deadline)
    finally:
        response.close()


def _is_short(response: BaseHTTPResponse) -> bool:
    length = response.headers.get("Content-Length", "")
    # Digits of other scripts are no number, and the number is one that Python turns into an int.
    return length.isascii() and length.isdigit() and len(length) <= _DIGITS and int(length) <= _CHUNK


def _body(response: BaseHTTPResponse, limits: Fhir, deadline: Deadline) -> bytes:
    chunks, size = [], 0
    # What has come so far, not a full chunk: a drip must not keep us from looking at the time.
    while chunk := response.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > limits.max_bytes:
            raise FhirError(GapReason.TRUNCATED, f"the answer is larger than {limits.max_bytes} bytes")
        if deadline.over:
            raise FhirError(GapReason.TIMEOUT, "the answer did not end in time")
        chunks.append(chunk)
    return b"".join(chunks)
