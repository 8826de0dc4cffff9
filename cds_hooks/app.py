"""The ASGI application: routes, and the boundary at which every fault becomes an OperationOutcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import copy_context
from functools import partial
from typing import NamedTuple, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks import log
from cds_hooks.about import HEADERS
from cds_hooks.answer import Answerer
from cds_hooks.desk import Desk, Reply, Turn
from cds_hooks.intake import body_of, check_content_type
from cds_hooks.loopback import LoopbackNames
from cds_hooks.metrics import CONTENT_TYPE
from cds_hooks.outcome import of_call_error, of_http_error, of_store_error, outcome
from cds_hooks.places import Places
from cds_hooks.services import Service
from cds_hooks.trust import OPEN, Proof
from cds_hooks.usecase import UseCase
from plugin.errors import CallError, StoreError
from plugin.settings import Settings

# Calls have threads of their own (cds_hooks.places); these are for the timeline page, and for what must be
# answered under full load, too: discovery, readiness.
PAGE_THREADS = 16
DESK_THREADS = 4
# A client whose keys do not come holds some of them for seconds.
PROVING_THREADS = 16
# An answer that is being recorded when its deadline passes is waited for: a line is written to a file.
RECORDING_SECONDS = 1.0
T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(settings: Settings, answerer: Answerer | None = None) -> Starlette:
    """Returns the service for these settings; raises SettingsError where they do not allow one.

    `answerer` takes the place of the use case where the protocol is looked at alone.
    """
    desk = Desk(settings, answerer or UseCase(settings))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with workers(desk) as found:
            lend(app, found)
            yield
        desk.gate.close()
        desk.answerer.close()

    return app_of(desk, lifespan)


def app_of(
    desk: Desk, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None
) -> Starlette:
    """Returns the application of a desk; without `lifespan` it must be lent its workers."""
    settings = desk.settings
    app = Starlette(
        routes=[*routes(), *_timeline(desk)],
        middleware=[*_cors(settings), *_loopback(settings), Middleware(Boundary, desk=desk)],
        exception_handlers={
            CallError: of_call_error,
            StoreError: of_store_error,
            HTTPException: of_http_error,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.desk = desk
    return app


class Workers(NamedTuple):
    """The threads of a process, and the places for its calls; they outlive a change of settings."""

    pool: ThreadPoolExecutor
    small: ThreadPoolExecutor
    proving: ThreadPoolExecutor
    places: Places


@contextmanager
def workers(desk: Desk) -> Iterator[Workers]:
    """Yields threads and places as the settings say, and ends them: work that has begun is waited for."""
    with (
        ThreadPoolExecutor(PAGE_THREADS, thread_name_prefix="vestige-page") as pool,
        ThreadPoolExecutor(DESK_THREADS, thread_name_prefix="vestige") as small,
        ThreadPoolExecutor(PROVING_THREADS, thread_name_prefix="vestige-proof") as proving,
    ):
        refused = partial(desk.metrics.count, "vestige_overload_total")
        places = Places(desk.settings.service, refused, desk.answerer.turns)
        yield Workers(pool, small, proving, places)
        for one in (pool, small, proving):
            one.shutdown(wait=False, cancel_futures=True)
        places.close()


def lend(app: Starlette, found: Workers) -> None:
    """Gives an application the workers that its routes ask."""
    app.state.pool, app.state.small, app.state.proving, app.state.places = found


def _timeline(desk: Desk) -> list[BaseRoute]:
    """The timeline page where the settings enable it; it brings libraries that nothing else needs."""
    if not desk.settings.page.enabled or not isinstance(desk.answerer, UseCase):
        return []
    from cds_hooks.timeline_page.page import Page
    from cds_hooks.timeline_page.routes import timeline_routes

    before = desk.page
    desk.page = Page(desk.settings, desk.answerer, desk.base, before)
    return timeline_routes(desk.page, desk.settings, desk.base)


def routes() -> list[Route]:
    """Returns every route, each with and without a trailing slash."""
    table: list[tuple[str, Endpoint, tuple[str, ...]]] = [
        ("/cds-services", discover, ("GET", "HEAD")),
        ("/cds-services/{service}", call, ("POST",)),
        ("/cds-services/{service}/feedback", feedback, ("POST",)),
        ("/openapi.json", openapi, ("GET", "HEAD")),
        ("/healthz", health, ("GET", "HEAD")),
        ("/readyz", ready, ("GET", "HEAD")),
        ("/metrics", metrics, ("GET", "HEAD")),
    ]
    made = [
        Route(path + slash, _with_options(endpoint, methods), methods=[*methods, "OPTIONS"])
        for path, endpoint, methods in table
        for slash in ("", "/")
    ]
    return [Route("/", _with_options(front, ("GET", "HEAD")), methods=["GET", "HEAD", "OPTIONS"]), *made]


async def front(request: Request) -> Response:
    """Answers the page at the service's own address, for people."""
    desk: Desk = request.app.state.desk
    return HTMLResponse(desk.about, headers=HEADERS)


async def discover(request: Request) -> Response:
    """Answers `GET /cds-services`; the document is rendered once, so this costs next to nothing."""
    desk: Desk = request.app.state.desk
    if not desk.settings.service.open:
        proof = await _proven(request, desk, ("",))
        await _in_thread(request, partial(desk.admit, proof))
    document = desk.discovery
    headers = {"ETag": document.etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") in (document.etag, "*"):
        return Response(status_code=304, headers=headers)
    return Response(document.body, headers=headers, media_type="application/json")


async def call(request: Request) -> Response:
    """Answers `POST /cds-services/{id}`: cards, or an OperationOutcome; late is a card that says so."""
    desk: Desk = request.app.state.desk
    places: Places = request.app.state.places
    service = _service(request)
    check_content_type(request)
    turn = Turn()
    try:
        began = time.monotonic()
        proof = await _proven(request, desk, (f"/{service.id}",))
        spent = time.monotonic() - began
        with places.receiving():
            body = await body_of(request, desk.settings.service.max_body)
        work = partial(desk.call, service, body, proof, time.monotonic() - spent, turn)
        reply = await _in_time(places.submit(work), desk.settings.service.hook_deadline - spent, turn)
    except TimeoutError:
        reply = desk.late(service)
    except (CallError, StoreError) as error:
        status = error.status if isinstance(error, CallError) else 503
        desk.metrics.count("vestige_calls_total", service=service.id, status=str(status))
        raise
    return Response(reply.body, media_type="application/json", headers={"Cache-Control": "no-store"})


async def feedback(request: Request) -> Response:
    """Answers `POST /cds-services/{id}/feedback`: 200 with no body once every item is stored."""
    desk: Desk = request.app.state.desk
    places: Places = request.app.state.places
    service = _service(request)
    check_content_type(request)
    proof = await _proven(request, desk, (f"/{service.id}/feedback", f"/{service.id}"))
    with places.receiving():
        body = await body_of(request, desk.settings.service.max_body)
    await places.submit(partial(desk.feedback, service, body, proof))
    return Response(status_code=200)


async def openapi(request: Request) -> Response:
    """Answers the OpenAPI document of what is served; it holds nothing of any patient and needs no token."""
    desk: Desk = request.app.state.desk
    document = await _in_thread(request, lambda: desk.openapi)
    return Response(document, headers={"Cache-Control": "no-cache"}, media_type="application/json")


async def health(_request: Request) -> Response:
    """Answers that the process runs."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """Answers 200 when hook calls can be answered and feedback stored, else 503 and what is missing."""
    desk: Desk = request.app.state.desk
    missing = await _in_thread(request, desk.missing)
    if missing is not None:
        return outcome(503, missing)
    # An alarm is no reason to take the service away, and every reason to look: the other engine answers.
    since = None if desk.last_alarm is None else round(time.time() - desk.last_alarm)
    both = desk.answerer.both_engines
    recording = desk.answerer.recording
    state = {
        "status": "ready",
        "rulePack": desk.revision,
        "bothEngines": both,
        "engineAlarm": since is not None,
    }
    if recording is not None:
        state = {**state, "recordsWaiting": recording.waiting, "databaseAway": recording.away}
    state = {**state, **desk.reloads.state()}
    return JSONResponse(state if since is None else {**state, "secondsSinceAlarm": since})


async def metrics(request: Request) -> Response:
    """Answers the counters in the Prometheus text format."""
    desk: Desk = request.app.state.desk
    desk.metrics.set_load(request.app.state.places.load)
    return Response(desk.metrics_text(), media_type=CONTENT_TYPE)


class Boundary:
    """The outermost layer inside CORS: a fault becomes status 500 with an error id, never empty cards."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on and answers for its faults."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            log.log.info("client went away before its request was complete")
        except Exception as error:  # noqa: BLE001 - the one place where a fault becomes an answer; it is logged
            error_id = log.fault(error, "request")
            self._desk.metrics.count("vestige_faults_total")
            if not started:
                text = (
                    f"Vestige could not answer because of a fault; error id {error_id} finds it in the log."
                )
                await outcome(500, text)(scope, receive, send)


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.service.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.service.cors_origins,
            allow_methods=("GET", "POST", "OPTIONS"),
            allow_headers=("authorization", "content-type"),
        )
    ]


def _loopback(settings: Settings) -> list[Middleware]:
    return [Middleware(LoopbackNames)] if settings.service.open else []


def _with_options(endpoint: Endpoint, methods: tuple[str, ...]) -> Endpoint:
    """Answers OPTIONS that is no CORS preflight with the methods of the address."""

    async def served(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(sorted({*methods, "OPTIONS"}))})
        return await endpoint(request)

    return served


def _service(request: Request) -> Service:
    desk: Desk = request.app.state.desk
    service = desk.services.get(request.path_params["service"])
    if service is None:
        raise CallError(
            "No service has this id; GET /cds-services lists the services.", status=404, code="not-found"
        )
    return service


async def _proven(request: Request, desk: Desk, paths: Sequence[str]) -> Proof:
    """Returns what the headers prove of the caller, before a byte of the body is waited for.

    Nobody without a proof takes room for a body or a place among the calls, or gets a card. Raises CallError:
    401, and 503 where the keys of the client do not come in time.
    """
    if desk.settings.service.open:
        return OPEN
    work = partial(desk.prove, request.headers.getlist("authorization"), paths)
    asked = asyncio.get_running_loop().run_in_executor(request.app.state.proving, copy_context().run, work)
    try:
        return await asyncio.wait_for(asked, desk.settings.service.hook_deadline)
    except TimeoutError:
        raise CallError(
            "The caller could not be authenticated in time.", status=503, code="timeout"
        ) from None


async def _in_time(answered: asyncio.Future[Reply], seconds: float, turn: Turn) -> Reply:
    """Returns the answer, or raises TimeoutError where its deadline passes before it is being recorded."""
    done, _ = await asyncio.wait({answered}, timeout=seconds)
    if not done and turn.take():
        # Nobody waits for it any more: what it raises is not asked for.
        answered.cancel()
        raise TimeoutError
    return await asyncio.wait_for(answered, None if done else RECORDING_SECONDS)


def _in_thread(request: Request, work: Callable[[], T]) -> asyncio.Future[T]:
    return asyncio.get_running_loop().run_in_executor(request.app.state.small, copy_context().run, work)
