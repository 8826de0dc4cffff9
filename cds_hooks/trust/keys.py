"""The public keys of CDS clients: from files, or fetched from an allow-listed address and cached."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3

from plugin.errors import FhirError, SettingsError, VestigeError
from plugin.pull.exchange import Exchange, exchange
from plugin.pull.transport import Deadline, Flights, new_session, watched
from plugin.settings import Fhir, FhirServer

SECONDS = 5.0
MAX_BYTES = 256 * 1024
FRESH = 3600.0
"""Seconds after which a key set is read anew."""
USABLE = FRESH + 600.0
"""Seconds for which the last good set is used where a newer one cannot be had."""
REFRESH_AFTER = 60.0
RETRY_AFTER = 5.0
"""Seconds between attempts while a set cannot be had; or four times what the last one took."""
_LIMITS = Fhir(connect_timeout=2.0, read_timeout=3.0, max_bytes=MAX_BYTES)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "vestige"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Jwk = Mapping[str, Any]
Keys = Mapping[str, Jwk]


class KeysUnavailable(VestigeError):
    """A key set cannot be had; the message names its address."""

    exit_code = 3


def keys_of_file(path: Path) -> Keys:
    """Returns the keys of a JWK Set file by `kid`; raises SettingsError where it is unusable."""
    try:
        return keys_of(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"trust: {path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SettingsError(f"trust: {path}: {error}") from error


def keys_of(document: bytes) -> Keys:
    """Returns the keys of a JWK Set by `kid`; raises ValueError for anything else, or a `kid` used twice."""
    try:
        keys = msgspec.json.decode(document, type=dict[str, Any]).get("keys")
    except msgspec.DecodeError as error:
        raise ValueError(f"is no JWK Set: {error}") from error
    if not isinstance(keys, list) or not keys:
        raise ValueError("is no JWK Set: it has no list of keys")
    named = [key for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str)]
    by_kid = {key["kid"]: key for key in named}
    if len(by_kid) != len(named):
        raise ValueError("has two keys of one kid")
    return by_kid


def check_address(address: str) -> None:
    """Passes an address that keys may be fetched from; raises SettingsError for any other.

    Keys come over https, from an address without user and fragment; plain http is for loopback.
    """
    parts = urlsplit(address)
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.scheme == "https" or plain) or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise SettingsError(
            f"trust.issuers: jku {address}: must be an https address without user and fragment"
        )


def fetch(address: str) -> bytes:
    """Returns what is at the address: no redirect, no proxy of the environment, limits on time and size.

    The time is that of the whole answer: a server that drips must not hold up the calls of its client.
    """
    session, deadline, flights = (
        new_session(FhirServer(base=address), parallel=1),
        Deadline(SECONDS),
        Flights(),
    )
    sent = Exchange(url=address, headers=_HEADERS)
    try:
        with watched(flights, deadline), flights:
            status, _, body = exchange(session, sent, _LIMITS, deadline)
    except FhirError as error:
        raise KeysUnavailable(f"{address}: {error.detail}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise KeysUnavailable(f"{address} cannot be reached: {type(error).__name__}") from None
    finally:
        session.close()
    if status != 200:
        raise KeysUnavailable(f"{address} answered with status {status}")
    return body


@dataclass
class _Cached:
    keys: Keys = field(default_factory=dict)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    failure: str | None = None
    took: float = 0.0
    # To be read anew although it is fresh: the site changed its settings, and may have a reason.
    due: bool = False
    lock: Lock = field(default_factory=Lock, repr=False)


class KeyCache:
    """Key sets by address, fetched when first asked for, when stale, and once more for an unknown `kid`."""

    def __init__(
        self, get: Callable[[str], bytes] = fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._get = get
        self._clock = clock
        self._sets: dict[str, _Cached] = {}
        self._lock = Lock()

    def key(self, address: str, kid: str) -> Jwk | None:
        """Returns the key, or None where the set has none of that `kid`; raises KeysUnavailable."""
        with self._lock:
            cached = self._sets.setdefault(address, _Cached())
        # One client's keys that are slow to come hold up no other client.
        with cached.lock:
            now = self._clock()
            stale = now - cached.fetched > FRESH
            soon = REFRESH_AFTER if cached.failure is None else max(RETRY_AFTER, 4 * cached.took)
            if (stale or cached.due or kid not in cached.keys) and now - cached.tried >= soon:
                self._refresh(address, cached, now)
            if self._clock() - cached.fetched > USABLE:
                raise KeysUnavailable(cached.failure or f"{address} was not read")
            return cached.keys.get(kid)

    def again(self) -> KeyCache:
        """Returns a cache that reads every set anew when it is next asked for, and has these until then."""
        made = KeyCache(self._get, self._clock)
        with self._lock:
            for address, one in self._sets.items():
                made._sets[address] = replace(one, tried=float("-inf"), due=True, lock=Lock())
        return made

    def _refresh(self, address: str, cached: _Cached, now: float) -> None:
        """Keeps the last good set while it is usable: a short outage of the client must not shut the door."""
        cached.tried = now
        try:
            cached.keys = keys_of(self._get(address))
        except (KeysUnavailable, ValueError) as error:
            cached.failure, cached.took = str(error), self._clock() - now
            return
        cached.fetched, cached.failure, cached.due = now, None, False
