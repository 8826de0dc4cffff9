"""Asks a FHIR server: one GET at a time within the deadline, every fault a FhirError with its reason."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import requests
import urllib3

from plugin.chart import GapReason
from plugin.errors import FhirError
from plugin.pull.address import AddressError, inside
from plugin.pull.transport import Deadline, Flights, RefusedAddressError, headers
from plugin.settings import Fhir

_BOM = b"\xef\xbb\xbf"
_CHUNK = 64 * 1024
_PAUSE = 0.1

_REASONS = {
    400: (GapReason.UNSUPPORTED, "the server refused the search"),
    401: (GapReason.NOT_AUTHORISED, "the server did not accept the token"),
    403: (GapReason.FORBIDDEN, "the server does not permit this"),
    404: (GapReason.NOT_FOUND, "the server does not have it"),
    405: (GapReason.UNSUPPORTED, "the server does not offer this"),
    406: (GapReason.UNSUPPORTED, "the server does not offer FHIR JSON"),
    407: (GapReason.NOT_AUTHORISED, "a proxy asks for credentials"),
    408: (GapReason.TIMEOUT, "the server gave up waiting"),
    410: (GapReason.NOT_FOUND, "the server no longer has it"),
    412: (GapReason.UNSUPPORTED, "the server refused the search"),
    414: (GapReason.UNSUPPORTED, "the server refused the length of the search"),
    415: (GapReason.UNSUPPORTED, "the server does not offer FHIR JSON"),
    422: (GapReason.UNSUPPORTED, "the server refused the search"),
    429: (GapReason.THROTTLED, "the server asks for fewer calls"),
    501: (GapReason.UNSUPPORTED, "the server does not offer this"),
}
_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class Client:
    """One FHIR server as one call may ask it; the token appears in no text form.

    `base` is in one spelling (`address.base_of`); `sleep` waits before a retry.
    """

    session: requests.Session = field(repr=False)
    base: str
    limits: Fhir = field(repr=False)
    deadline: Deadline = field(repr=False)
    token: str | None = field(default=None, repr=False)
    flights: Flights = field(default_factory=Flights, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def get(self, link: str) -> Mapping[str, Any]:
        """Returns the FHIR resource behind a path below the base or an absolute link inside it.

        A server fault is asked once more within the deadline. Raises FhirError for everything that is no
        FHIR JSON resource.
        """
        try:
            url = inside(self.base, link)
        except AddressError as error:
            raise FhirError(GapReason.NOT_FETCHED, str(error)) from None
        try:
            return self._once(url)
        except _Again as again:
            if again.wait is None or again.wait >= self.deadline.remaining:
                raise again.error from None
            self.sleep(again.wait)
        try:
            return self._once(url)
        except _Again as again:
            raise again.error from None

    def _once(self, url: str) -> Mapping[str, Any]:
        if self.deadline.over:
            raise FhirError(GapReason.TIMEOUT, "the time for this call was used up")
        with self.flights:
            try:
                status, head, body = self._exchange(url)
            # The causes are dropped: their texts hold the address, which names the patient.
            except requests.exceptions.SSLError:
                raise FhirError(GapReason.SERVER_ERROR, "TLS could not be established") from None
            except (requests.Timeout, urllib3.exceptions.TimeoutError):
                raise FhirError(GapReason.TIMEOUT, "the server did not answer in time") from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise self._broken(error) from None
        if status != 200:
            raise _refusal(status, head)
        return resource_of(body)

    def _exchange(self, url: str) -> tuple[int, Mapping[str, str], bytes]:
        limits, left = self.limits, self.deadline.remaining
        request = requests.PreparedRequest()
        request.prepare(method="GET", url=url, headers={**self.session.headers, **headers(self.token)})
        # Straight to the adapter: redirects, cookies, netrc and proxies live above it and are not wanted.
        with self.session.get_adapter(url).send(
            request,
            stream=True,
            timeout=(min(limits.connect_timeout, left), min(limits.read_timeout, left)),
            verify=True if self.session.verify is None else self.session.verify,
            cert=self.session.cert,
        ) as response:
            if response.status_code != 200:
                return response.status_code, response.headers, b""
            return 200, response.headers, self._body(response)

    def _body(self, response: requests.Response) -> bytes:
        chunks, size = [], 0
        # What has come so far, not a full chunk: a drip must not keep us from looking at the time.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > self.limits.max_bytes:
                limit = self.limits.max_bytes
                raise FhirError(GapReason.TRUNCATED, f"the answer is larger than {limit} bytes")
            if self.deadline.over:
                raise FhirError(GapReason.TIMEOUT, "the answer did not end in time")
            chunks.append(chunk)
        return b"".join(chunks)

    def _broken(self, error: Exception) -> Exception:
        """A kept connection may have been closed by the server meanwhile, so a break is tried once more."""
        if self.deadline.over:
            return FhirError(GapReason.TIMEOUT, "the answer did not end in time")
        if _refused(error):
            return FhirError(GapReason.NOT_FETCHED, "the server's name leads to a refused address")
        if isinstance(error, urllib3.exceptions.DecodeError | requests.exceptions.ContentDecodingError):
            return FhirError(GapReason.UNREADABLE, "the answer is not compressed as it says")
        return _Again(FhirError(GapReason.SERVER_ERROR, "the connection failed or broke off"), _PAUSE)


def _refused(error: BaseException | None) -> bool:
    """Says whether the connection was refused by us; requests and urllib3 each wrap the reason."""
    while error is not None:
        if isinstance(error, RefusedAddressError):
            return True
        inner = error.args[0] if error.args else None
        error = getattr(inner, "reason", None)
    return False


class _Again(Exception):
    """A fault that may pass: `error` is what it amounts to if not, `wait` the pause before asking again."""

    def __init__(self, error: FhirError, wait: float | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


def resource_of(body: bytes) -> Mapping[str, Any]:
    """Returns the FHIR resource in a body of UTF-8 JSON, with or without a byte order mark.

    Raises FhirError where it is anything else.
    """
    text = body.removeprefix(_BOM).strip()
    if not text:
        raise FhirError(GapReason.UNREADABLE, "the answer is empty")
    if text.startswith(b"<"):
        raise FhirError(GapReason.UNREADABLE, "the answer is HTML or XML, not FHIR JSON")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FhirError(GapReason.UNREADABLE, "the answer is no valid JSON") from error
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise FhirError(GapReason.UNREADABLE, "the answer is JSON but no FHIR resource")
    return value


def retry_after(value: str | None, now: datetime) -> float | None:
    """Returns the seconds to wait of a Retry-After header, a number or an HTTP date; None if unreadable."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _refusal(status: int, head: Mapping[str, str]) -> Exception:
    if 300 <= status < 400:
        return FhirError(
            GapReason.SERVER_ERROR, f"the server redirects (HTTP {status}), which is not followed"
        )
    if 200 <= status < 300:
        return FhirError(GapReason.UNREADABLE, f"the server answered HTTP {status} without the data")
    fallback = (
        (GapReason.SERVER_ERROR, "the server failed")
        if status >= 500
        else (GapReason.NOT_FETCHED, "the server refused")
    )
    reason, text = _REASONS.get(status, fallback)
    after = retry_after(head.get("Retry-After"), datetime.now(UTC))
    if status == 503 and after is not None:
        reason, text = GapReason.THROTTLED, "the server asks to come back later"
    error = FhirError(reason, f"{text} (HTTP {status})")
    if status not in _AGAIN:
        return error
    # 429 without a Retry-After is not asked again: asking more is what it complains of.
    return _Again(error, after if after is not None else None if status == 429 else _PAUSE)
