"""SMART App Launch 2.2 as the app: discovery, the way to the authorisation server, the token in return.

What crosses the browser is a state, an opaque launch and a code; the verifier, the token and the patient stay
on this side. Endpoints are at the FHIR server's own address unless the settings name another one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

import jwt
import msgspec
import requests
import urllib3
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, RSAKey

from cds_hooks.call import LOGICAL_ID
from cds_hooks.timeline_page.scopes import read_scopes, write_scopes
from cds_hooks.timeline_page.session import Flow
from plugin.address import AddressError, base_of, check
from plugin.errors import CallError, FhirError
from plugin.private_key import private_key
from plugin.pull.exchange import Exchange, exchange
from plugin.pull.transport import Adapter, Deadline, Flights, new_session, watched
from plugin.settings import FhirServer, Settings
from plugin.settings_page import PageClient, secret_of

SECONDS = 10.0
KEPT_SECONDS = 300.0
_JSON = {"Accept": "application/json", "User-Agent": "vestige"}
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_USER = re.compile(rf"(?:.*/)?((?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person)/{LOGICAL_ID})")
_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "PS384")
_LEEWAY = 60
# What an authorisation server may say (RFC 6749, 4.1.2.1 and 5.2); nothing else it says reaches a text.
ERRORS = frozenset(
    {"access_denied", "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "server_error"}
    | {"temporarily_unavailable", "unauthorized_client", "unsupported_response_type", "login_required"}
    | {"consent_required", "interaction_required", "unsupported_grant_type"}
)
MOST_SELECTED = 100


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the server says of its authorisation: endpoints at permitted addresses, how scopes are spelt."""

    issuer: str | None
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str | None
    v1: bool


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What a token came with; `selected` are the lesions that the card's `appContext` names."""

    token: str = field(repr=False)
    seconds: float
    patient: str = field(repr=False)
    scope: frozenset[str]
    user: str | None = field(default=None, repr=False)
    encounter: str | None = field(default=None, repr=False)
    selected: tuple[str, ...] = field(default=(), repr=False)


class Smart:
    """The page as a SMART app of the servers in the settings."""

    def __init__(self, settings: Settings, redirect: str) -> None:
        self._limits = settings.fhir
        self._redirect = redirect
        self._open = settings.service.open
        servers = {base_of(one.base): one for one in settings.fhir.servers}
        self._clients = {base_of(one.server): one for one in settings.page.clients}
        self._servers = {base: servers[base] for base in self._clients}
        self._found: dict[str, tuple[Found, float]] = {}

    def server(self, iss: str) -> tuple[str, FhirServer, PageClient]:
        """Returns base, server and registration of an `iss`; CallError (403) for one that is not ours."""
        try:
            base = base_of(iss)
            known = self._servers[base]
            check(known.base, allow_http=known.allow_http, service_open=self._open)
        except (AddressError, KeyError):
            raise CallError(
                "The page is not registered with this FHIR server (page.clients).",
                status=403,
                code="forbidden",
            ) from None
        return base, known, self._clients[base]

    def discover(self, iss: str) -> Found:
        """Returns what `.well-known/smart-configuration` says, as far as it is at a permitted address.

        It is kept for some minutes: a launch needs no session, and must not make the server work each time.
        """
        base, server, client = self.server(iss)
        known = self._found.get(base)
        if known is None or known[1] <= time.monotonic():
            known = self._found[base] = (self._told(base, server, client), time.monotonic() + KEPT_SECONDS)
        return known[0]

    def _told(self, base: str, server: FhirServer, client: PageClient) -> Found:
        told = self._asked(server, f"{base}/.well-known/smart-configuration")
        abilities = told.get("capabilities")
        known = abilities if isinstance(abilities, list) else []
        methods = told.get("code_challenge_methods_supported")
        if isinstance(methods, list) and "S256" not in methods:
            _refuse("the server does not take PKCE with S256, which the page needs")
        token = self._endpoint(server, told, "token_endpoint", client.token_endpoint)
        authorise = self._endpoint(server, told, "authorization_endpoint", client.authorization_endpoint)
        if token is None or authorise is None:
            _refuse(
                "the server names no authorisation and token endpoint at its own address; "
                "name them in page.clients"
            )
        issuer = told.get("issuer")
        return Found(
            issuer=issuer if isinstance(issuer, str) else None,
            authorization_endpoint=authorise,
            token_endpoint=token,
            jwks_uri=self._endpoint(server, told, "jwks_uri", client.jwks_uri),
            v1="permission-v1" in known and "permission-v2" not in known,
        )

    def address(self, found: Found, flow: Flow, state: str) -> str:
        """Returns the address at which the person signs in; it holds nothing of the patient."""
        _, _, client = self.server(flow.server)
        # The second sign-in, for a reading, asks for what the first one did and for what the form adds.
        wanted = client.scopes or read_scopes(v1=found.v1, launched=flow.launch is not None)
        if flow.purpose == "write":
            wanted = (*wanted, *write_scopes(v1=found.v1))
        more = {"launch": flow.launch} if flow.launch is not None else {}
        session = OAuth2Session(
            client.client_id,
            scope=" ".join(wanted),
            redirect_uri=self._redirect,
            code_challenge_method="S256",
        )
        made, _ = session.create_authorization_url(
            found.authorization_endpoint,
            state=state,
            code_verifier=flow.verifier,
            nonce=flow.nonce,
            aud=flow.server,
            **more,
        )
        return str(made)

    def exchange(self, flow: Flow, code: str) -> Granted:
        """Returns the token for a code; CallError (403, 502) where there is none, or none for one patient."""
        _, server, client = self.server(flow.server)
        told = self._token(server, client, flow, code)
        token, kind, patient = (told.get(name) for name in ("access_token", "token_type", "patient"))
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(kind).lower() != "bearer":
            _refuse("the token endpoint gave no bearer token")
        if not isinstance(patient, str) or not re.fullmatch(LOGICAL_ID, patient):
            _refuse("the server put no patient in context; open the page from a patient's chart")
        scope, seconds, encounter = (told.get(name) for name in ("scope", "expires_in", "encounter"))
        return Granted(
            token=token,
            seconds=_seconds(seconds),
            patient=patient,
            scope=frozenset(scope.split()) if isinstance(scope, str) else frozenset(),
            user=self._user(server, client, flow, told.get("id_token")),
            encounter=encounter
            if isinstance(encounter, str) and re.fullmatch(LOGICAL_ID, encounter)
            else None,
            selected=selected_of(told.get("appContext")),
        )

    def _token(self, server: FhirServer, client: PageClient, flow: Flow, code: str) -> Mapping[str, Any]:
        with self._session(server, client, flow) as session:
            try:
                told = session.fetch_token(
                    flow.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=flow.verifier,
                    redirect_uri=self._redirect,
                    headers={**_JSON, "Content-Type": "application/x-www-form-urlencoded"},
                    allow_redirects=False,
                    timeout=(self._limits.connect_timeout, SECONDS),
                )
            except OAuthError as error:
                said = f" ({error.error})" if error.error in ERRORS else ""
                raise CallError(
                    f"The authorisation server gave no token{said}; open the page from the chart again.",
                    status=403,
                    code="login",
                ) from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError):
                _refuse("the token endpoint cannot be reached, or did not answer as one")
        return told if isinstance(told, Mapping) else {}

    def _session(self, server: FhirServer, client: PageClient, flow: Flow) -> OAuth2Session:
        """An OAuth session over connections that look where they lead, as those of the pull do."""
        secret: Any = None
        method = "none"
        if client.client_secret is not None:
            secret, method = secret_of(client.client_secret), "client_secret_basic"
        elif client.key is not None:
            secret, method = _signing_key(client), "private_key_jwt"
        session = OAuth2Session(client.client_id, secret, token_endpoint_auth_method=method)
        if method == "private_key_jwt":
            proof = PrivateKeyJWT(flow.token_endpoint, headers={"kid": client.kid}, alg=client.algorithm)
            session.register_client_auth_method(proof)
        plain = new_session(server, parallel=1)
        session.trust_env, session.max_redirects = False, 0
        session.verify, session.cert = plain.verify, plain.cert
        plain.close()
        adapter = Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def _user(self, server: FhirServer, client: PageClient, flow: Flow, id_token: object) -> str | None:
        """Returns who signed in, of an id_token that holds (OpenID Connect Core, 3.1.3.7); else None."""
        if id_token is None:
            return None
        if not isinstance(id_token, str) or flow.jwks_uri is None or flow.issuer is None:
            _refuse(
                "the id_token cannot be checked: the server names no issuer or keys at a permitted address"
            )
        keys = self._asked(server, flow.jwks_uri)
        try:
            claims = _verified(id_token, keys, client.client_id, flow.issuer)
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            _refuse("the id_token does not hold")
        if claims.get("nonce") != flow.nonce:
            _refuse("the id_token was made for another sign-in")
        named = claims.get("fhirUser") or claims.get("profile")
        found = _USER.fullmatch(named) if isinstance(named, str) else None
        return found[1] if found else None

    def _endpoint(
        self, server: FhirServer, told: Mapping[str, Any], name: str, set_: str | None
    ) -> str | None:
        """The endpoint of the settings, else the one that the server names at its own address."""
        if set_ is not None:
            return set_
        address = told.get(name)
        if not isinstance(address, str):
            return None
        try:
            same = _origin(address) == _origin(server.base)
        except (AddressError, ValueError):
            return None
        return address if same and "#" not in address else None

    def _asked(self, server: FhirServer, url: str) -> Mapping[str, Any]:
        session, deadline, flights = new_session(server, parallel=1), Deadline(SECONDS), Flights()
        try:
            with watched(flights, deadline), flights:
                status, _, body = exchange(session, Exchange(url=url, headers=_JSON), self._limits, deadline)
        except (FhirError, requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            _refuse("the server's SMART configuration or keys cannot be read")
        finally:
            session.close()
        try:
            told = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = None
        if status != 200 or not isinstance(told, dict):
            _refuse("the server has no SMART configuration or keys at the place where the standard puts them")
        return told


def selected_of(context: object) -> tuple[str, ...]:
    """Returns the lesions that an `appContext` of one of our cards names; anything else selects nothing."""
    if isinstance(context, str):
        try:
            context = json.loads(context)
        except (ValueError, RecursionError):
            return ()
    lesions = context.get("lesions") if isinstance(context, dict) else None
    named = lesions if isinstance(lesions, list) else []
    return tuple(one for one in named if isinstance(one, str))[:MOST_SELECTED]


def _verified(token: str, keys: Mapping[str, Any], client_id: str, issuer: str) -> Mapping[str, Any]:
    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if algorithm not in _ALGORITHMS:
        raise ValueError("algorithm")
    named = [one for one in keys["keys"] if header.get("kid") in (None, one.get("kid")) and _signs(one)]
    if len(named) != 1:
        raise ValueError("key")
    required = {"require": ["exp", "iat", "aud", "iss", "sub"]}
    claims: Mapping[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(named[0], algorithm=algorithm).key,
        algorithms=[algorithm],
        audience=client_id,
        issuer=issuer,
        leeway=_LEEWAY,
        options=required,  # type: ignore[arg-type]
    )
    return claims


def _signs(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"


def _signing_key(client: PageClient) -> ECKey | RSAKey:
    assert client.key is not None
    key = private_key(client.key, client.algorithm)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ECKey.import_key(pem) if client.algorithm == "ES384" else RSAKey.import_key(pem)


def _identifier(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(LOGICAL_ID, value) else None


def _seconds(value: object) -> float:
    """A token that states no life is taken to live for five minutes."""
    stated = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if stated else 300.0  # type: ignore[arg-type]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return base_of(f"{parts.scheme}://{parts.netloc}")


def _refuse(why: str) -> NoReturn:
    raise CallError(f"The page could not be opened: {why}.", status=502, code="exception")
