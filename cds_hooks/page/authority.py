"""The demo EHR as a small SMART authorisation server: it launches the timeline page and gives it tokens.

Everybody on this machine is signed in as the one demo user and consents to everything: no login is shown.
What a real server checks of an app it checks as well: client, redirect address, audience, PKCE, a code once.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cds_hooks.page.fhir import Tokens

CLIENT = "vestige-demo"
CODE_SECONDS = 60.0
LAUNCH_SECONDS = 600.0
SESSION_SECONDS = 1800
_NOT_GRANTED = ("openid", "fhirUser")
_WRITE = frozenset({"patient/Observation.c", "patient/Provenance.c"})


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A patient whose chart is open, and what the card said to the app."""

    patient: str
    context: str | None
    until: float


@dataclass(frozen=True, kw_only=True)
class Code:
    """What a code stands for, once."""

    launch: Launch
    scope: str
    redirect: str
    challenge: str
    until: float


class Authority:
    """Launches and codes, in memory; `known` are the patients."""

    def __init__(
        self,
        tokens: Tokens,
        known: frozenset[str],
        *,
        origin: str,
        app: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens, self._known, self._clock = tokens, known, clock
        self._origin, self._base = origin, f"{origin}/fhir"
        self._app = app
        self._launches: dict[str, Launch] = {}
        self._codes: dict[str, Code] = {}

    def routes(self) -> list[Route]:
        """Returns the routes; to be put before those of the FHIR endpoint."""
        return [
            Route("/fhir/.well-known/smart-configuration", self.configuration),
            Route("/launch/{patient}", self.launch, methods=["POST"]),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
        ]

    async def configuration(self, _request: Request) -> Response:
        """Answers where tokens are had (SMART App Launch 2.2, "Conformance")."""
        return JSONResponse(
            {
                "issuer": self._base,
                "authorization_endpoint": f"{self._origin}/authorize",
                "token_endpoint": f"{self._origin}/token",
                "grant_types_supported": ["authorization_code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "capabilities": ["launch-ehr", "client-public", "context-ehr-patient", "permission-v2"],
            }
        )

    async def launch(self, request: Request) -> Response:
        """Answers the address that opens the page for a patient; the patient is not in it."""
        patient = request.path_params["patient"]
        if patient not in self._known:
            return JSONResponse({"error": "no such patient"}, 404)
        context = (await request.body()).decode("utf-8", "replace") or None
        now = self._clock()
        self._launches = {name: one for name, one in self._launches.items() if one.until > now}
        name = secrets.token_urlsafe(24)
        self._launches[name] = Launch(patient=patient, context=context, until=now + LAUNCH_SECONDS)
        return JSONResponse({"url": f"{self._app}?{urlencode({'iss': self._base, 'launch': name})}"})

    async def authorize(self, request: Request) -> Response:
        """Answers the app's request with a code, or with an error where it is not one to trust."""
        asked = request.query_params
        redirect, state = asked.get("redirect_uri", ""), asked.get("state", "")
        if asked.get("client_id") != CLIENT or redirect != f"{self._app.rpartition('/')[0]}/callback":
            return JSONResponse({"error": "invalid_request"}, 400)
        launch = self._launches.get(asked.get("launch", ""))
        if (
            asked.get("response_type") != "code"
            or asked.get("aud") != self._base
            or asked.get("code_challenge_method") != "S256"
            or not asked.get("code_challenge")
            or launch is None
            or launch.until <= self._clock()
        ):
            return RedirectResponse(
                f"{redirect}?{urlencode({'error': 'invalid_request', 'state': state})}", 303
            )
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(
            launch=launch,
            scope=" ".join(
                one for one in asked.get("scope", "").split() if one not in ("openid", "fhirUser")
            ),
            redirect=redirect,
            challenge=asked["code_challenge"],
            until=self._clock() + CODE_SECONDS,
        )
        return RedirectResponse(f"{redirect}?{urlencode({'code': code, 'state': state})}", 303)

    async def token(self, request: Request) -> Response:
        """Answers a code with a token for the patient of its launch."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        code = self._codes.pop(form.get("code", ""), None)
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        if (
            code is None
            or code.until <= self._clock()
            or form.get("grant_type") != "authorization_code"
            or form.get("client_id") != CLIENT
            or form.get("redirect_uri") != code.redirect
            or not compare_digest(challenge.encode(), code.challenge.encode())
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(self._granted(code))

    def _granted(self, code: Code) -> dict[str, Any]:
        patient, context = code.launch.patient, code.launch.context
        token = self._tokens.issue(patient, seconds=SESSION_SECONDS, writes=set(code.scope.split()) >= _WRITE)
        made = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": SESSION_SECONDS,
            "scope": code.scope,
            "patient": patient,
        }
        return made if context is None else {**made, "appContext": context}
