"""The service that a run calls: one it starts itself, with authentication on, or one that runs elsewhere."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec
import requests
import urllib3
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cds_hooks.app import create_app
from cds_hooks.server import listen, port_of
from plugin.address import is_loopback
from plugin.chart import GapReason
from plugin.errors import FhirError, InputError
from plugin.private_key import KeyFileError, PrivateKey, private_key
from plugin.probe.journal import Journal
from plugin.settings import Fhir, FhirServer, Issuer, Settings, Store, Trust

ISSUER = "https://interop.vestige.example"
KID = "interop"
_LIFE = 240
_STARTED_SECONDS = 60.0
_MOST_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the service: status, document (empty where it is no JSON) and milliseconds."""

    status: int
    document: dict[str, Any]
    milliseconds: float
    fault: str = ""


class Signer:
    """Signs the JWT of each call as a CDS client does (CDS Hooks 2.0.1, "Trusting CDS Clients")."""

    def __init__(self, key: PrivateKey, issuer: str, kid: str, algorithm: str) -> None:
        self._key = key
        self._issuer = issuer
        self._kid = kid
        self._algorithm = algorithm

    def token(self, audience: str) -> str:
        """Returns a token for one call to one address."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "iat": now,
            "exp": now + _LIFE,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self._key, self._algorithm, headers={"kid": self._kid, "typ": "JWT"})


class Service:
    """A running CDS Hooks service; every call and its answer are noted in the journal."""

    def __init__(self, address: str, journal: Journal, signer: Signer | None, timeout: float) -> None:
        self.address = address.rstrip("/")
        self._journal = journal
        self._signer = signer
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.max_redirects = 0

    def discovered(self) -> list[dict[str, Any]]:
        """Returns the services on offer; raises FhirError where the service cannot be reached."""
        found = self._send("GET", "/cds-services", None, "discovery")
        services = found.document.get("services")
        if found.status != 200 or not isinstance(services, list):
            why = found.fault or f"HTTP {found.status}"
            raise FhirError(GapReason.SERVER_ERROR, f"{self.address}: no discovery document: {why}")
        return [one for one in services if isinstance(one, dict)]

    def call(self, service: str, body: Mapping[str, Any], about: str) -> Called:
        """Returns the answer to one hook call; nothing that the service does raises."""
        return self._send("POST", f"/cds-services/{service}", body, about)

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, about: str) -> Called:
        url = f"{self.address}{path}"
        headers = {"Accept": "application/json"}
        data = None if body is None else msgspec.json.encode(body)
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self._signer is not None:
            headers["Authorization"] = f"Bearer {self._signer.token(url)}"
        started = time.monotonic()
        status, content, fault = 0, b"", ""
        got: dict[str, str] = {}
        try:
            answer = self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            status, got = answer.status_code, dict(answer.headers)
            with answer:
                content = _content(answer, started + self._timeout)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            fault = f"no answer: {type(error).__name__}"
        took = (time.monotonic() - started) * 1000
        self._journal.note(
            to="service",
            method=method,
            url=url,
            sent_headers=headers,
            sent=data,
            status=status or None,
            got_headers=got,
            got=content,
            milliseconds=took,
            note=fault or None,
            about=about,
        )
        return Called(status=status, document=_object(content), milliseconds=round(took, 1), fault=fault)


def elsewhere(
    address: str,
    journal: Journal,
    timeout: float,
    *,
    key: Path | None,
    issuer: str | None,
    kid: str | None,
    algorithm: str,
) -> Service:
    """Returns a service that runs already; with a key every call is signed. Raises InputError."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError("--service wants the address of a service, such as https://cds.hospital.example")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InputError("--service: plain http is used on this machine only, since tokens go with the calls")
    if key is None:
        return Service(address, journal, None, timeout)
    if algorithm not in ("ES384", "RS384"):
        raise InputError(f"--service-algorithm {algorithm!r} is none of ES384, RS384")
    if issuer is None or kid is None:
        raise InputError("--service-key wants --service-issuer and --service-kid beside it")
    chosen: Any = algorithm
    try:
        return Service(address, journal, Signer(private_key(key, chosen), issuer, kid, algorithm), timeout)
    except KeyFileError as error:
        raise InputError(f"--service-key: {error}") from error


@contextmanager
def started(
    settings: Settings, limits: Fhir, server: FhirServer, folder: Path, journal: Journal, timeout: float
) -> Iterator[Service]:
    """Runs a service of our own on loopback, with a client of its own that it trusts, until the block ends.

    Authentication is on: that way it may also ask a FHIR server beyond this machine.
    """
    key = ec.generate_private_key(ec.SECP384R1())
    published = {**json.loads(ECAlgorithm.to_jwk(key.public_key())), "kid": KID, "alg": "ES384", "use": "sig"}
    keys = folder / "client-jwks.json"
    keys.write_text(json.dumps({"keys": [published]}), encoding="utf-8")
    with listen("127.0.0.1", 0) as bound:
        address = f"http://127.0.0.1:{port_of(bound)}"
        app = create_app(_settings(settings, limits, server, address, keys, folder))
        running = _Uvicorn(uvicorn.Config(app, log_level="error", access_log=False, log_config=None))
        thread = threading.Thread(
            target=lambda: asyncio.run(running.serve(sockets=[bound])), name="vestige-interop", daemon=True
        )
        thread.start()
        service = Service(address, journal, Signer(key, ISSUER, KID, "ES384"), timeout)
        try:
            _wait(running, thread)
            yield service
        finally:
            service.close()
            running.should_exit = True
            thread.join(15)


class _Uvicorn(uvicorn.Server):
    """A server in a thread: the signals belong to the command."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _wait(running: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + _STARTED_SECONDS
    while not running.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise FhirError(GapReason.SERVER_ERROR, "the service of this run did not start")
        time.sleep(0.02)


def _settings(
    settings: Settings, limits: Fhir, server: FhirServer, address: str, keys: Path, folder: Path
) -> Settings:
    replace = msgspec.structs.replace
    return replace(
        settings,
        service=replace(
            settings.service, host="127.0.0.1", port=0, public_url=address, open=False, hook_deadline=600.0
        ),
        trust=Trust(issuers=(Issuer(issuer=ISSUER, jwks_file=keys),), behind_tls_proxy=True),
        fhir=replace(limits, servers=(replace(server, issuer=ISSUER, backend=None),)),
        store=Store(url=f"sqlite:///{folder / 'interop.db'}"),
        rules=replace(settings.rules, engine="in-process"),
    )


def _content(answer: requests.Response, end: float) -> bytes:
    """Returns the body, up to a limit and a moment: a service that drips must not hold the run."""
    chunks, size = [], 0
    while chunk := answer.raw.read1(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > _MOST_BYTES or time.monotonic() > end:
            raise TimeoutError
    return b"".join(chunks)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
