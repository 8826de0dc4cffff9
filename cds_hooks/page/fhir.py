"""A FHIR R4 endpoint over the records of the demo EHR: metadata, read and search, behind a bearer token."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.page.records import SEARCHES, Records, Resource, patient_of

FHIR_JSON = "application/fhir+json"
TOKEN_SECONDS = 300
PAGE = 50
MAX_PAGE = 500
CONTROLS = ("_count", "_offset", "_format", "_sort")


class Tokens:
    """Access tokens, each for one patient and for five minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[str, float]] = {}

    def issue(self, patient: str) -> str:
        """Returns a new token for one patient, and forgets the expired ones."""
        now = self._clock()
        self._issued = {key: held for key, held in self._issued.items() if held[1] > now}
        token = secrets.token_urlsafe(24)
        self._issued[token] = (patient, now + TOKEN_SECONDS)
        return token

    def patient(self, request: Request) -> str | None:
        """Returns the patient that the request's token stands for, or None."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        patient, expires = self._issued.get(token.strip(), ("", 0.0))
        return patient if scheme.lower() == "bearer" and patient and self._clock() < expires else None


class FhirEndpoint:
    """The routes below `/fhir` of the demo EHR."""

    def __init__(self, records: Records, base: str, tokens: Tokens) -> None:
        self._records = records
        self._base = base
        self._tokens = tokens

    def routes(self) -> list[Route]:
        """Returns the routes; the capability statement needs no token."""
        return [
            Route("/fhir/metadata", self.metadata),
            Route("/fhir/{kind}", self.search),
            Route("/fhir/{kind}/_search", self.search_by_post, methods=["POST"]),
            Route("/fhir/{kind}/{id}", self.read),
        ]

    async def metadata(self, _request: Request) -> Response:
        """Answers the CapabilityStatement."""
        interaction = [{"code": "read"}, {"code": "search-type"}]
        params = [{"name": name, "type": _param_type(name)} for name in SEARCHES]
        resources = [
            {"type": kind, "interaction": interaction, "searchParam": params} for kind in self._records.types
        ]
        return _json(
            {
                "resourceType": "CapabilityStatement",
                "status": "active",
                "date": "2026-01-01",
                "kind": "instance",
                "implementation": {"description": "Vestige demo EHR, synthetic patients", "url": self._base},
                "fhirVersion": "4.0.1",
                "format": ["json"],
                "rest": [{"mode": "server", "resource": resources}],
            }
        )

    async def read(self, request: Request) -> Response:
        """Answers one resource of the token's patient."""
        patient = self._tokens.patient(request)
        if patient is None:
            return _unauthorised()
        found = self._records.read(request.path_params["kind"], request.path_params["id"])
        if found is None:
            return _error(404, "not-found", "There is no such resource.")
        if patient_of(found) not in (patient, None):
            return _error(403, "forbidden", "The token is for another patient.")
        return _json(found)

    async def search(self, request: Request) -> Response:
        """Answers a search by GET."""
        return self._found(request, request.query_params.multi_items())

    async def search_by_post(self, request: Request) -> Response:
        """Answers a search by POST with a form."""
        body = await request.body()
        return self._found(request, parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))

    def _found(self, request: Request, params: list[tuple[str, str]]) -> Response:
        patient = self._tokens.patient(request)
        if patient is None:
            return _unauthorised()
        kind = request.path_params["kind"]
        unknown = sorted({name for name, _ in params if name not in SEARCHES and name not in CONTROLS})
        if unknown and "handling=strict" in request.headers.get("prefer", ""):
            return _error(400, "not-supported", f"Search parameters not supported: {', '.join(unknown)}.")
        asked = [(name, value) for name, value in params if name in SEARCHES]
        found = [one for one in self._records.find(kind, asked) if patient_of(one) in (patient, None)]
        count = _number(params, "_count", PAGE, MAX_PAGE)
        return self._page(kind, asked, found, _number(params, "_offset", 0, len(found)), count)

    def _page(
        self, kind: str, asked: list[tuple[str, str]], found: list[Resource], offset: int, count: int
    ) -> Response:
        def address(start: int) -> str:
            controls = [("_count", str(count))] + ([("_offset", str(start))] if start else [])
            return f"{self._base}/{kind}?{urlencode([*asked, *controls])}"

        links = [{"relation": "self", "url": address(offset)}]
        if count and offset + count < len(found):
            links.append({"relation": "next", "url": address(offset + count)})
        entries = [
            {"fullUrl": f"{self._base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}}
            for one in found[offset : offset + count]
        ]
        bundle: dict[str, Any] = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": links,
        }
        return _json({**bundle, "entry": entries} if entries else bundle)


def _number(params: list[tuple[str, str]], name: str, default: int, most: int) -> int:
    value = next((value for of, value in params if of == name), "")
    return min(int(value), most) if value.isascii() and value.isdigit() and len(value) < 10 else default


def _param_type(name: str) -> str:
    return "reference" if name in ("patient", "subject") else "token"


def _unauthorised() -> Response:
    answer = _error(401, "login", "The request needs a valid access token.")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _error(status: int, code: str, text: str) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return _json({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def _json(document: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type=FHIR_JSON)
