"""The addresses below `/timeline`: the page, the sign-in, the data; nothing of a patient in any address."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from hmac import compare_digest
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from cds_hooks.intake import body_of, check_content_type
from cds_hooks.outcome import outcome
from cds_hooks.page.authority import CLIENT as DEMO_CLIENT
from cds_hooks.page_headers import PageHeaders
from cds_hooks.timeline_page.page import Page, SetOut
from cds_hooks.timeline_page.reading import read_reading
from cds_hooks.timeline_page.session import FLOW_SECONDS, Session
from cds_hooks.wire import parse
from plugin.errors import CallError
from plugin.settings import Settings

STATIC = Path(__file__).parent / "static"
CSRF_HEADER = "x-vestige-csrf"
MOST_BODY = 256 * 1024
_OPAQUE = re.compile(r"[\x21-\x7e]{1,4096}")

T = TypeVar("T")
Work = Callable[[Page, Session, Any], Any]


def timeline_routes(page: Page, settings: Settings, base: str) -> list[BaseRoute]:
    """Returns the routes of the page, which answers at `base`."""
    table = _Routes(page, settings, base)
    app: ASGIApp = PageHeaders(Router(table.routes(), redirect_slashes=False), _policy(settings), ALONE)
    return [Route("/timeline", _to_page), Mount("/timeline", app=app)]


# A page that shows a patient shares nothing with other windows and asks the browser for nothing.
ALONE = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


async def _to_page(_request: Request) -> Response:
    return RedirectResponse("timeline/", 308)


def _policy(settings: Settings) -> str:
    framed = " ".join(settings.page.frame_ancestors) or "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {framed}"
    )


class _Routes:
    def __init__(self, page: Page, settings: Settings, base: str) -> None:
        self._page = page
        self._secure = base.startswith("https://")
        self._framed = bool(settings.page.frame_ancestors)
        # The demo EHR's patients are all synthetic, and its page says so.
        self._demo = any(client.client_id == DEMO_CLIENT for client in settings.page.clients)
        prefix = "__Host-" if self._secure else ""
        self.cookie, self.flow_cookie = f"{prefix}vestige-timeline", f"{prefix}vestige-sign-in"

    def routes(self) -> list[BaseRoute]:
        asked: list[tuple[str, Work]] = [
            ("/data", lambda page, session, _sent: page.data(session)),
            ("/why", lambda page, session, sent: page.why(session, _text(sent, "lesion"))),
            ("/resources", lambda page, session, sent: page.resources(session, _texts(sent, "tokens"))),
            ("/reading/form", lambda page, session, sent: page.form(session, _optional(sent, "study"))),
            ("/reading/preview", lambda page, session, sent: page.preview(session, read_reading(sent))),
            ("/reading", lambda page, session, sent: page.record(session, read_reading(sent), sent)),
        ]
        return [
            Route("/", self.front),
            Route("/launch", self.launch),
            Route("/callback", self.callback),
            Route("/write", self.write),
            Route("/session", self.session),
            Route("/logout", self.logout, methods=["POST"]),
            *(Route(path, self._answering(work), methods=["POST"]) for path, work in asked),
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ]

    # ---------------------------------------------------------------------------------- the page

    async def front(self, _request: Request) -> Response:
        """Answers the page itself, which holds nothing of any patient."""
        file = STATIC / "index.html"
        return FileResponse(file) if file.is_file() else outcome(404, "The page was not built.")

    # ---------------------------------------------------------------------------------- sign-in

    async def launch(self, request: Request) -> Response:
        """Answers a launch from the EHR, or one that stands alone: on to the authorisation server."""
        try:
            iss = _single(request, "iss")
            if iss is None:
                raise CallError(
                    "Open the timeline from a patient's chart: the launch names no iss.", status=400
                )
            launch = _single(request, "launch")
            return self._off(await _in_thread(request, partial(self._page.set_out, iss, launch)))
        except CallError as error:
            return _said(error)

    async def write(self, request: Request) -> Response:
        """Answers the way to grant the right to store a reading."""
        try:
            found = self._session(request)
            return self._off(await _in_thread(request, partial(self._page.ask_to_write, found)))
        except CallError as error:
            return _said(error)

    async def callback(self, request: Request) -> Response:
        """Answers a sign-in that comes back: on to the page, with a new session."""
        try:
            state, code, error, iss = (_single(request, name) for name in ("state", "code", "error", "iss"))
            browser = request.cookies.get(self.flow_cookie)
            come_back = partial(self._page.come_back, state, code, error, iss, browser)
            found = await _in_thread(request, come_back)
        except CallError as refused:
            return self._without(_said(refused), self.flow_cookie)
        answer = RedirectResponse("./", 303)
        self._set(answer, self.cookie, found.id, found.until - self._page.desk.clock())
        return self._without(answer, self.flow_cookie)

    async def session(self, request: Request) -> Response:
        """Answers what the page needs to know of its session; 401 where there is none."""
        found = self._session(request)
        return _json(
            {
                "csrf": found.csrf,
                "selected": list(found.selected),
                "expiresIn": round(found.until - self._page.desk.clock()),
                "writes": found.writes,
                "pending": found.pending,
                "demo": self._demo,
            }
        )

    async def logout(self, request: Request) -> Response:
        """Ends the session."""
        found = self._session(request)
        self._check_own(request, found)
        self._page.desk.sessions.take(found.id)
        return self._without(Response(status_code=204), self.cookie)

    # ---------------------------------------------------------------------------------- data

    def _answering(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            found = self._session(request)
            self._check_own(request, found)
            check_content_type(request)
            sent = parse(await body_of(request, MOST_BODY))
            return _json(await _in_thread(request, partial(work, self._page, found, sent)))

        return answer

    def _session(self, request: Request) -> Session:
        found = self._page.desk.sessions.get(request.cookies.get(self.cookie))
        if found is None:
            raise CallError(
                "There is no session, or it is over: open the timeline from the patient's chart.",
                status=401,
                code="login",
            )
        return found

    def _check_own(self, request: Request, session: Session) -> None:
        """Refuses (403) what another site's page sends with our cookie."""
        sent = request.headers.get(CSRF_HEADER, "")
        own = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        if not own or not compare_digest(sent.encode(), session.csrf.encode()):
            raise CallError("The request did not come from the page.", status=403, code="forbidden")

    # ---------------------------------------------------------------------------------- cookies

    def _off(self, out: SetOut) -> Response:
        answer = RedirectResponse(out.address, 303)
        self._set(answer, self.flow_cookie, out.browser, FLOW_SECONDS)
        return answer

    def _set(self, answer: Response, name: str, value: str, seconds: float) -> None:
        answer.set_cookie(name, value, max_age=max(int(seconds), 0), **self._kind())

    def _without(self, answer: Response, name: str) -> Response:
        answer.delete_cookie(name, **self._kind())
        return answer

    def _kind(self) -> dict[str, Any]:
        """SameSite Lax, unless an EHR shows the page in a frame: there only None is sent."""
        framed = self._framed and self._secure
        kind: dict[str, Any] = {"path": "/", "secure": self._secure, "httponly": True}
        return {**kind, "samesite": "none" if framed else "lax"}


def _single(request: Request, name: str) -> str | None:
    """Returns a parameter of the address, None without one; CallError (400) for two or an odd one."""
    values = request.query_params.getlist(name)
    if len(values) > 1 or any(not _OPAQUE.fullmatch(value) for value in values):
        raise CallError(f"The parameter {name} is not usable.", code="value")
    return values[0] if values else None


def _said(error: CallError) -> Response:
    """A refusal as a page, for a person whose browser was sent here."""
    text = html.escape(str(error))
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Vestige</title>'
        f"<h1>The lesion timeline could not be opened</h1><p>{text}</p>"
    )
    return HTMLResponse(page, error.status)


def _text(sent: Any, name: str) -> str:
    found = _optional(sent, name)
    if found is None:
        raise CallError(f"{name} is missing.", code="required")
    return found


def _optional(sent: Any, name: str) -> str | None:
    value = sent.get(name) if isinstance(sent, dict) else None
    if value is not None and not isinstance(value, str):
        raise CallError(f"{name} must be text.", code="value")
    return value


def _texts(sent: Any, name: str) -> list[str]:
    value = sent.get(name) if isinstance(sent, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise CallError(f"{name} must be a list of texts.", code="value")
    return value


def _json(document: Any) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")


async def _in_thread(request: Request, work: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(request.app.state.pool, copy_context().run, work)
