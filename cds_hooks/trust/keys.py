"""The public keys of CDS clients: from files, or fetched from an allow-listed address and cached."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from plugin.errors import SettingsError, VestigeError

TIMEOUT = (2.0, 3.0)
MAX_BYTES = 256 * 1024
FRESH = 3600.0
REFRESH_AFTER = 60.0
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
    """Returns what is at the address: no redirect, no proxy of the environment, limits on time and size."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(address, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                if answer.status_code != 200:
                    raise KeysUnavailable(f"{address} answered with status {answer.status_code}")
                body = answer.raw.read(MAX_BYTES + 1, decode_content=True)
        except (requests.RequestException, OSError) as error:
            raise KeysUnavailable(f"{address} cannot be reached: {type(error).__name__}") from None
    if len(body) > MAX_BYTES:
        raise KeysUnavailable(f"{address} sent more than {MAX_BYTES} bytes")
    return bytes(body)


@dataclass
class _Cached:
    keys: Keys = field(default_factory=dict)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    failure: str | None = None
    # To be read anew although it is fresh: the site changed its settings, and may have a reason.
    due: bool = False


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
            now = self._clock()
            stale = now - cached.fetched > FRESH
            if (stale or cached.due or kid not in cached.keys) and now - cached.tried >= REFRESH_AFTER:
                self._refresh(address, cached, now)
            if self._clock() - cached.fetched > FRESH:
                raise KeysUnavailable(cached.failure or f"{address} was not read")
            return cached.keys.get(kid)

    def again(self) -> KeyCache:
        """Returns a cache that reads every set anew when it is next asked for, and has these until then."""
        made = KeyCache(self._get, self._clock)
        with self._lock:
            for address, one in self._sets.items():
                made._sets[address] = _Cached(keys=one.keys, fetched=one.fetched, failure=one.failure, due=True)
        return made

    def _refresh(self, address: str, cached: _Cached, now: float) -> None:
        """Keeps the last good set until it is stale: a short outage of the client must not shut the door."""
        cached.tried = now
        try:
            cached.keys = keys_of(self._get(address))
        except (KeysUnavailable, ValueError) as error:
            cached.failure = str(error)
            return
        cached.fetched, cached.failure, cached.due = now, None, False
