"""Our own access tokens by SMART Backend Services: a signed statement of who we are, in return for a token.

SMART App Launch 2.2, "Backend Services": client_credentials with private_key_jwt. A token is asked for once,
kept in memory until shortly before it ends, and sent to the one FHIR server it is for.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import jwt
import msgspec
import requests
import urllib3

from plugin.address import AddressError, base_of, check
from plugin.chart import GapReason
from plugin.errors import FhirError
from plugin.private_key import KeyFileError, private_key
from plugin.pull.exchange import Exchange, exchange
from plugin.pull.queries import QUERIES
from plugin.pull.transport import Deadline, Flights, new_session, watched
from plugin.settings import Backend, Fhir, FhirServer

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 240  # the standard permits five minutes; clocks differ
_EARLY_SECONDS = 30.0
_PAUSE_SECONDS = 10.0  # after a failure, so that every call does not wait for it anew
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_JSON = {"Accept": "application/json", "User-Agent": "vestige"}
_FORM = {**_JSON, "Content-Type": "application/x-www-form-urlencoded"}
# What an authorisation server may say (RFC 6749, 5.2); nothing else it says reaches a text.
_ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "unauthorized_client"}
    | {"unsupported_grant_type"}
)
RESOURCES = tuple(sorted({query.resource for query in QUERIES} | {"Medication"}))


@dataclass(frozen=True, kw_only=True)
class _Held:
    token: str = field(repr=False)
    until: float


class Registration(Protocol):
    """What an authorisation server was told of us: where tokens are given, and which scopes are asked for."""

    @property
    def token_endpoint(self) -> str | None: ...

    @property
    def scopes(self) -> tuple[str, ...]: ...


class Tokens:
    """Our tokens for one FHIR server; safe to use from several threads.

    `proof` gives, for a token endpoint, the members of the form that prove who we are; without it they are
    signed with the key of a `Backend`.
    """

    def __init__(
        self,
        server: FhirServer,
        backend: Registration,
        limits: Fhir,
        clock: Callable[[], float] = time.monotonic,
        proof: Callable[[str], Mapping[str, str]] | None = None,
    ) -> None:
        self._server = server
        self._backend = backend
        if proof is None:
            assert isinstance(backend, Backend)
            proof = partial(_signed, backend)
        self._proof = proof
        self._limits = limits
        self._clock = clock
        self._session = new_session(server, parallel=1)
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._failure: tuple[FhirError, float] | None = None

    def token(self, deadline: Deadline) -> str:
        """Returns a token that lives on for a while; raises FhirError where none can be had in time."""
        return self._token(deadline, None)

    def renewed(self, old: str, deadline: Deadline) -> str | None:
        """Returns a token in place of one that was not accepted, or None where there is no other."""
        try:
            return self._token(deadline, old)
        except FhirError:
            return None

    def close(self) -> None:
        """Closes the connections and forgets the token."""
        self._session.close()
        self._held = None

    def _token(self, deadline: Deadline, refused: str | None) -> str:
        # Calls that come together wait for one exchange; nobody waits longer than his own time.
        if not self._lock.acquire(timeout=deadline.remaining):
            raise FhirError(GapReason.TIMEOUT, "no token of our own could be had in time")
        try:
            held = self._held
            if held is not None and held.until > self._clock() and held.token != refused:
                return held.token
            if self._failure is not None and self._failure[1] > self._clock():
                raise self._failure[0]
            return self._fetched(deadline)
        finally:
            self._lock.release()

    def _fetched(self, deadline: Deadline) -> str:
        flights = Flights()
        try:
            with watched(flights, deadline), flights:
                self._held = self._granted(*self._endpoint(deadline), deadline)
        except FhirError as error:
            self._failure = (error, self._clock() + _PAUSE_SECONDS)
            self._held = None
            raise
        self._failure = None
        return self._held.token

    def _endpoint(self, deadline: Deadline) -> tuple[str, tuple[str, ...]]:
        """Returns where tokens are given, and the scopes to ask for."""
        backend = self._backend
        if backend.token_endpoint is not None:
            return backend.token_endpoint, backend.scopes or scopes(v1=False)
        base = base_of(self._server.base)
        sent = Exchange(url=f"{base}/.well-known/smart-configuration", headers=_JSON)
        found = self._asked(sent, deadline)
        endpoint, abilities = found.get("token_endpoint"), found.get("capabilities")
        if not isinstance(endpoint, str) or not _same_origin(endpoint, base):
            raise FhirError(
                GapReason.NOT_AUTHORISED,
                "the server names no token endpoint at its own address; set backend.token_endpoint",
            )
        known = abilities if isinstance(abilities, list) else []
        v1 = "permission-v1" in known and "permission-v2" not in known
        return endpoint, backend.scopes or scopes(v1=v1)

    def _granted(self, endpoint: str, wanted: tuple[str, ...], deadline: Deadline) -> _Held:
        form = {
            "grant_type": "client_credentials",
            "scope": " ".join(wanted),
            **self._proof(endpoint),
        }
        asked = self._clock()
        sent = Exchange(url=endpoint, method="POST", headers=_FORM, body=urlencode(form).encode())
        found = self._asked(sent, deadline)
        token, kind, seconds = (found.get(name) for name in ("access_token", "token_type", "expires_in"))
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(kind).lower() != "bearer":
            raise FhirError(GapReason.NOT_AUTHORISED, "the token endpoint gave no bearer token")
        # Where no life is stated the token serves once: it is not held beyond this call.
        life = float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else 0.0
        return _Held(token=token, until=asked + max(life - _EARLY_SECONDS, life / 2))

    def _asked(self, sent: Exchange, deadline: Deadline) -> Mapping[str, Any]:
        try:
            check(_origin(sent.url), allow_http=self._server.allow_http, service_open=False)
            status, _, body = exchange(self._session, sent, self._limits, deadline)
        except AddressError as error:
            raise FhirError(GapReason.NOT_AUTHORISED, f"the token endpoint is not asked: {error}") from None
        except urllib3.exceptions.NewConnectionError:  # which counts as a time-out, too
            raise FhirError(GapReason.SERVER_ERROR, "the token endpoint cannot be reached") from None
        except urllib3.exceptions.TimeoutError:
            raise FhirError(GapReason.TIMEOUT, "the token endpoint did not answer in time") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            raise FhirError(GapReason.SERVER_ERROR, "the token endpoint cannot be reached") from None
        found = _object(body)
        if status != 200:
            said = found.get("error")
            why = f", {said}" if isinstance(said, str) and said in _ERRORS else ""
            raise FhirError(GapReason.NOT_AUTHORISED, f"no token of our own was given (HTTP {status}{why})")
        return found


def _signed(backend: Backend, endpoint: str) -> Mapping[str, str]:
    return {"client_assertion_type": _ASSERTION, "client_assertion": _assertion(backend, endpoint)}


def _assertion(backend: Backend, endpoint: str) -> str:
    now = int(time.time())
    claims = {
        "iss": backend.client_id,
        "sub": backend.client_id,
        "aud": endpoint,
        "iat": now,
        "exp": now + _ASSERTION_SECONDS,
        "jti": str(uuid.uuid4()),
    }
    try:
        key = private_key(backend.key, backend.algorithm)
    except KeyFileError as error:
        raise FhirError(GapReason.NOT_AUTHORISED, f"our private key is not usable: {error}") from None
    return jwt.encode(claims, key, algorithm=backend.algorithm, headers={"kid": backend.kid})


def scopes(*, v1: bool) -> tuple[str, ...]:
    """Returns the scopes for everything that is read, in the spelling of SMART 1 or 2; none to write."""
    return tuple(f"system/{kind}.{'read' if v1 else 'rs'}" for kind in RESOURCES)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _same_origin(one: str, other: str) -> bool:
    try:
        return _origin(one) == _origin(other)
    except AddressError:
        return False


def _origin(url: str) -> str:
    """Returns scheme, host and port of an address; raises AddressError for anything but http or https."""
    parts = urlsplit(url)
    return base_of(f"{parts.scheme}://{parts.netloc}")
