"""Errors as FHIR OperationOutcome, without patient data."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks import log
from cds_hooks.model import Issue, OperationOutcome
from cds_hooks.places import Busy
from plugin.errors import CallError

ISSUE_OF_STATUS = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    413: "too-long",
    415: "not-supported",
    500: "exception",
    503: "transient",
}


def outcome(
    status: int,
    diagnostics: str,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    more: tuple[str, ...] = (),
) -> Response:
    """Returns an OperationOutcome response; `code` is a FHIR issue type, `more` are further issues."""
    kind = code or ISSUE_OF_STATUS.get(status, "invalid" if status < 500 else "exception")
    issues = [Issue(severity="error", code=kind, diagnostics=text) for text in (diagnostics, *more)]
    body = msgspec.json.encode(OperationOutcome(resource_type="OperationOutcome", issue=issues))
    return Response(body, status, headers, media_type="application/json")


async def of_call_error(_request: Request, error: Exception) -> Response:
    """Returns the OperationOutcome of a refused call, with one issue for each gap where there are any."""
    assert isinstance(error, CallError)
    gaps = getattr(error, "gaps", ())
    more = tuple(f"{gap.query or gap.resource}: {gap.reason.value}: {gap.detail}" for gap in gaps)
    return outcome(error.status, str(error), code=error.code, headers=_headers(error), more=more)


def _headers(error: CallError) -> dict[str, str] | None:
    if isinstance(error, Busy):
        return {"Retry-After": str(error.retry_after)}
    return {"WWW-Authenticate": "Bearer"} if error.status == 401 else None


async def of_store_error(_request: Request, error: Exception) -> Response:
    """Returns 503 where nothing could be kept; the reason is for the log, since it names the database."""
    log.fault(error, "store")
    return outcome(503, "The service cannot keep what was sent; send it again later.")


async def of_http_error(_request: Request, error: Exception) -> Response:
    """Returns the OperationOutcome of an error that routing raised: 404, 405 with Allow."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return outcome(404, "Nothing is served at this address; GET /cds-services lists the services.")
    if error.status_code == 405:
        allowed = sorted({*(error.headers or {}).get("Allow", "").replace(",", " ").split(), "OPTIONS"})
        return outcome(405, "This address does not serve this method.", headers={"Allow": ", ".join(allowed)})
    if error.status_code == 413:
        return outcome(413, "The request body is larger than this service accepts.")
    return outcome(error.status_code, error.detail, headers=error.headers)
