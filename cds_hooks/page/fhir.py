"""A FHIR R4 endpoint over the records of the demo EHR: metadata, read and search, behind a bearer token."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.page.records import SEARCHES, Records, Resource, patient_of

FHIR_JSON = "application/fhir+json"
TOKEN_SECONDS = 300
PAGE = 50
MAX_PAGE = 500
_READS = "The token reads and does not add."
CONTROLS = ("_count", "_offset", "_format", "_sort")


class Held(NamedTuple):
    """What a token stands for: a patient until a moment, and whether it may add to the record."""

    patient: str
    until: float
    writes: bool


class Tokens:
    """Access tokens, each for one patient and for a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._issued: dict[str, Held] = {}

    def issue(self, patient: str, *, seconds: float = TOKEN_SECONDS, writes: bool = False) -> str:
        """Returns a new token for one patient, and forgets the expired ones."""
        now = self._clock()
        self._issued = {key: held for key, held in self._issued.items() if held.until > now}
        token = secrets.token_urlsafe(24)
        self._issued[token] = Held(patient, now + seconds, writes)
        return token

    def patient(self, request: Request) -> str | None:
        """Returns the patient that the request's token stands for, or None."""
        held = self._held(request)
        return None if held is None else held.patient

    def writer(self, request: Request) -> str | None:
        """Returns the patient to whose record the request's token may add, or None."""
        held = self._held(request)
        return held.patient if held is not None and held.writes else None

    def _held(self, request: Request) -> Held | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        held = self._issued.get(token.strip())
        live = held is not None and self._clock() < held.until
        return held if live and scheme.lower() == "bearer" else None


class FhirEndpoint:
    """The routes below `/fhir` of the demo EHR."""

    def __init__(self, records: Records, base: str, tokens: Tokens) -> None:
        self._records = records
        self._base = base
        self._tokens = tokens

    def routes(self) -> list[Route]:
        """Returns the routes; the capability statement needs no token."""
        return [
            Route("/fhir", self.transaction, methods=["POST"]),
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

    async def transaction(self, request: Request) -> Response:
        """Answers a transaction that adds Observations and their Provenance to the record of the patient."""
        patient = self._tokens.writer(request)
        if patient is None:
            return (
                _unauthorised() if self._tokens.patient(request) is None else _error(403, "forbidden", _READS)
            )
        try:
            added = additions(msgspec.json.decode(await request.body()), patient)
        except (ValueError, TypeError, LookupError, AttributeError):
            return _error(400, "invalid", "Only a transaction that adds to this patient's record is taken.")
        for resource in added:
            self._records.add(resource)
        entries = [
            {
                "response": {
                    "status": "201 Created",
                    "location": f"{one['resourceType']}/{one['id']}/_history/1",
                }
            }
            for one in added
        ]
        return _json({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})

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


def additions(bundle: Any, patient: str) -> list[dict[str, Any]]:
    """Returns the resources of a transaction with ids of their own; ValueError for anything but additions."""
    if bundle["resourceType"] != "Bundle" or bundle["type"] != "transaction":
        raise ValueError("no transaction")
    given = [(entry["fullUrl"], entry["request"], entry["resource"]) for entry in bundle["entry"]]
    ids = {url: f"{resource['resourceType']}/{uuid4()}" for url, _, resource in given}
    added = []
    for url, wanted, resource in given:
        kind = resource["resourceType"]
        if wanted != {"method": "POST", "url": kind} or kind not in ("Observation", "Provenance"):
            raise ValueError("no addition")
        if kind == "Observation" and patient_of(resource) != patient:
            raise ValueError("another patient")
        text = msgspec.json.encode({**resource, "id": ids[url].partition("/")[2]}).decode()
        for name, reference in ids.items():
            text = text.replace(f'"{name}"', f'"{reference}"')
        added.append(msgspec.json.decode(text))
    return added


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
