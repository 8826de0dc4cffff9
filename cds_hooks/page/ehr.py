"""The demo EHR as an ASGI application: the page, its patients, their tokens and their FHIR records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from cds_hooks.page.authority import Authority
from cds_hooks.page.fhir import TOKEN_SECONDS, FhirEndpoint, Tokens
from cds_hooks.page.records import Records
from cds_hooks.page_headers import PageHeaders

if TYPE_CHECKING:
    from fhir_profiles.samples import Sample

HERE = Path(__file__).parent
STATIC = HERE / "static"
VENDOR = HERE / "vendor"


def create_ehr(
    samples: Sequence[Sample],
    *,
    origin: str,
    service: str,
    sign: Callable[[str], str] | None = None,
    timeline: bool = False,
) -> Starlette:
    """Returns the demo EHR at `origin`, whose page calls the CDS service at `service` from the browser.

    `sign` returns the client's JWT for an address of the service (CDS Hooks 2.0.1, "Trusting CDS Clients"); a
    service that is open needs none. With `timeline` the demo EHR launches the service's timeline page.
    """
    base = f"{origin}/fhir"
    tokens = Tokens()
    patients = [_patient(sample) for sample in samples]
    known = {patient["id"] for patient in patients}

    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def start(_request: Request) -> Response:
        start = {"service": service, "fhir": base, "patients": patients, "signs": sign is not None}
        return JSONResponse({**start, "timeline": timeline})

    async def authorise(request: Request) -> Response:
        patient = request.path_params["patient"]
        if patient not in known:
            return JSONResponse({"error": "no such patient"}, 404)
        return JSONResponse(_authorisation(tokens.issue(patient), patient))

    async def identify(request: Request) -> Response:
        audience = request.query_params.get("audience", "")
        addressed = audience == f"{service}/cds-services" or audience.startswith(f"{service}/cds-services/")
        if sign is None or not addressed:
            return JSONResponse({"error": "no token for this address"}, 404)
        return JSONResponse({"token": sign(audience)})

    app = f"{service}/timeline/launch"
    authority = Authority(tokens, frozenset(known), origin=origin, app=app)
    return Starlette(
        routes=[
            *(authority.routes() if timeline else ()),
            Route("/", page),
            Route("/identify", identify, methods=["POST"]),
            Route("/demo.json", start),
            Route("/authorise/{patient}", authorise, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount("/vendor", StaticFiles(directory=VENDOR)),
            *FhirEndpoint(Records(sample.bundle for sample in samples), base, tokens).routes(),
        ],
        middleware=[Middleware(PageHeaders, policy=_policy(service))],
    )


def _policy(service: str) -> str:
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {service}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _authorisation(token: str, patient: str) -> dict[str, Any]:
    """The `fhirAuthorization` of a hook call (CDS Hooks 2.0.1, "Passing the Access Token")."""
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": "patient/*.read",
        "subject": "vestige-demo",
        "patient": patient,
    }


def _patient(sample: Sample) -> dict[str, Any]:
    """What the page shows of a sample before any hook is fired, and the contexts it fires them with."""
    person = next(one for one in _resources(sample.bundle) if one["resourceType"] == "Patient")
    hook, context = sample.hook["hook"], sample.hook["context"]
    view = {name: context[name] for name in ("userId", "patientId", "encounterId") if name in context}
    return {
        "id": person["id"],
        "name": _name(person),
        "birthDate": person.get("birthDate", ""),
        "title": sample.title,
        "contexts": {"patient-view": view, hook: context},
    }


def _resources(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


def _name(person: Mapping[str, Any]) -> str:
    name: Mapping[str, Any] = next(iter(person.get("name", [])), {})
    parts = [*name.get("given", []), name.get("family", "")]
    return str(name.get("text") or " ".join(parts).strip() or person["id"])
