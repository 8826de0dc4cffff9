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
from plugin.pull.exchange import Exchange, exchange
from plugin.pull.transport import HEADERS, Deadline, Flights, RefusedAddressError
from plugin.settings import Fhir
from plugin.spans import outgoing

_BOM = b"\xef\xbb\xbf"
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

    `base` is in one spelling (`address.base_of`); `sleep` waits before a retry. `renew` gives another token
    in place of one that the server did not accept, or None: only our own tokens can be renewed.
    """

    session: requests.Session = field(repr=False)
    base: str
    limits: Fhir = field(repr=False)
    deadline: Deadline = field(repr=False)
    token: str | None = field(default=None, repr=False)
    flights: Flights = field(default_factory=Flights, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    renew: Callable[[str], str | None] | None = field(default=None, repr=False)

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
            return self._permitted(url)
        except _Again as again:
            if again.wait is None or again.wait >= self.deadline.remaining:
                raise again.error from None
            self.sleep(again.wait)
        try:
            return self._permitted(url)
        except _Again as again:
            raise again.error from None

    def _permitted(self, url: str) -> Mapping[str, Any]:
        """Asks with the token, and once more with a renewed one where there can be one."""
        try:
            return self._once(url, self.token)
        except _Denied as denied:
            renewed = None if self.renew is None or self.token is None else self.renew(self.token)
            if renewed is None:
                raise denied.error from None
        try:
            return self._once(url, renewed)
        except _Denied as denied:
            raise denied.error from None

    def _once(self, url: str, token: str | None) -> Mapping[str, Any]:
        if self.deadline.over:
            raise FhirError(GapReason.TIMEOUT, "the time for this call was used up")
        sent = Exchange(url=url, headers=_headers(token))
        with self.flights:
            try:
                status, head, body = exchange(self.session, sent, self.limits, self.deadline)
            # The causes are dropped: their texts hold the address, which names the patient.
            except urllib3.exceptions.SSLError:
                raise FhirError(GapReason.SERVER_ERROR, "TLS could not be established") from None
            except urllib3.exceptions.NewConnectionError as error:  # which counts as a time-out, too
                raise self._broken(error) from None
            except urllib3.exceptions.TimeoutError:
                raise FhirError(GapReason.TIMEOUT, "the server did not answer in time") from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise self._broken(error) from None
        if status != 200:
            raise _refusal(status, head)
        return resource_of(body)

    def _broken(self, error: Exception) -> Exception:
        """A kept connection may have been closed by the server meanwhile, so a break is tried once more."""
        if self.deadline.over:
            return FhirError(GapReason.TIMEOUT, "the answer did not end in time")
        if isinstance(error, RefusedAddressError):
            return FhirError(GapReason.NOT_FETCHED, "the server's name leads to a refused address")
        if isinstance(error, urllib3.exceptions.DecodeError):
            return FhirError(GapReason.UNREADABLE, "the answer is not compressed as it says")
        return _Again(FhirError(GapReason.SERVER_ERROR, "the connection failed or broke off"), _PAUSE)


def _headers(token: str | None) -> Mapping[str, str]:
    """Returns the headers of one call; the token is never kept in the session."""
    headers = {**HEADERS, **outgoing()}
    return headers if token is None else {**headers, "Authorization": f"Bearer {token}"}


class _Denied(Exception):
    """The server did not accept the token; `error` is what it amounts to."""

    def __init__(self, error: FhirError) -> None:
        super().__init__(str(error))
        self.error = error


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
    # Digits of other scripts are digits to Python, and no number.
    if value.isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


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
    if status == 401:
        return _Denied(error)
    if status not in _AGAIN:
        return error
    # 429 without a Retry-After is not asked again: asking more is what it complains of.
    return _Again(error, after if after is not None else None if status == 429 else _PAUSE)
