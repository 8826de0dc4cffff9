"""The page's files behind its policy, and endpoints that say what a test wants them to say."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import cds_hooks.timeline_page

STATIC = Path(cds_hooks.timeline_page.__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
CSRF = "c" * 20


@dataclass
class Says:
    """What the endpoints answer; `calls` holds what they were asked, as (path, body)."""

    document: dict[str, Any] | None = None
    why: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] | None = None
    preview: dict[str, Any] | None = None
    stored: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    selected: list[str] = field(default_factory=list)
    seconds: float = 0.0
    status: int = 200
    session_status: int = 200
    diagnostics: str = "The FHIR server did not answer in time."
    calls: list[tuple[str, Any]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """Returns the application."""
        files = Mount("/timeline/static", StaticFiles(directory=STATIC))
        told = Route("/timeline/{name:path}", self._tell, methods=["GET", "POST"])
        return Starlette(routes=[Route("/timeline/", self._index), files, told])

    async def _index(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    async def _tell(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.addresses.append(str(request.url))
        if name == "session":
            if self.session_status != 200:
                return self._outcome(self.session_status)
            return JSONResponse({"csrf": CSRF, "selected": self.selected, "expiresIn": 600, "demo": True})
        if request.headers.get("x-vestige-csrf") != CSRF:
            return self._outcome(403)
        body = await request.json()
        self.calls.append((name, body))
        if self.status != 200:
            return self._outcome(self.status)
        await run_in_threadpool(time.sleep, self.seconds)
        return JSONResponse(self._answer(name, body), headers=HEADERS)

    def _answer(self, name: str, body: Any) -> Any:
        if name == "data":
            return self.document
        if name == "why":
            empty = {"lesion": body["lesion"], "label": "", "status": "", "chains": []}
            return self.why.get(body["lesion"], empty)
        if name == "resources":
            return {token: self.resources.get(token) for token in body["tokens"]}
        return {
            "reading/form": self.form,
            "reading/preview": self.preview,
            "reading": self.stored,
            "logout": {},
        }[name]

    def _outcome(self, status: int) -> Response:
        issue = {"severity": "error", "code": "transient", "diagnostics": self.diagnostics}
        return JSONResponse({"resourceType": "OperationOutcome", "issue": [issue]}, status)
