"""The only module that loads OpenTelemetry: spans out over OTLP, the trace of the EHR taken over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span as Traced
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugin.errors import CallError
from plugin.settings_traces import Traces
from plugin.spans import Span, Value
from plugin.version import VERSION

TRACEPARENT = "traceparent"
EXPORT_SECONDS = 5.0
FLUSH_MILLISECONDS = 3000
_PLAIN = ("/", "/openapi.json")
_UNTRACED = ("/healthz", "/readyz", "/metrics")


def otlp(endpoint: str, headers: Mapping[str, str]) -> SpanExporter:
    """Returns what sends spans to a collector."""
    return OTLPSpanExporter(endpoint=endpoint, headers=dict(headers), timeout=EXPORT_SECONDS)


class Telemetry:
    """Takes the spans of this process and hands them to an exporter, in a thread of its own."""

    def __init__(self, settings: Traces, exporter: SpanExporter) -> None:
        self._propagate = settings.propagate
        self._format = TraceContextTextMapPropagator()
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.share)),
            resource=Resource({"service.name": "vestige", "service.version": VERSION}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("vestige", VERSION)

    def span(self, name: str, values: Mapping[str, Value]) -> AbstractContextManager[Span]:
        """Returns a step that lasts as long as the block, within the step around it."""
        return self._span(name, values)

    def outgoing(self) -> Mapping[str, str]:
        """Returns the header that tells a FHIR server of the trace, where the site wants that."""
        headers: dict[str, str] = {}
        if self._propagate:
            self._format.inject(headers)
        return {name: value for name, value in headers.items() if name == TRACEPARENT}

    def wrapped(self, app: ASGIApp) -> ASGIApp:
        """Returns an application whose requests are traced."""
        return _Requests(app, self)

    def flush(self) -> None:
        """Hands over what has ended so far."""
        self._provider.force_flush(FLUSH_MILLISECONDS)

    def close(self) -> None:
        """Hands over what has ended, as far as time allows, and ends."""
        self.flush()
        self._provider.shutdown()

    @contextmanager
    def request(self, method: str, route: str, parent: str | None) -> Iterator[Traced]:
        """Yields the span of a request, within the trace that the client names by a `traceparent` header.

        Its `tracestate` is left out: it is free text of others, and would be exported with every span.
        """
        context = self._format.extract({TRACEPARENT: parent} if parent is not None else {})
        values = {"http.request.method": method, "http.route": route}
        with self._tracer.start_as_current_span(
            f"{method} {route}",
            context,
            SpanKind.SERVER,
            values,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    @contextmanager
    def _span(self, name: str, values: Mapping[str, Value]) -> Iterator[Span]:
        # Neither the text nor the trace of an exception: they may quote what was read.
        with self._tracer.start_as_current_span(
            name, attributes=_named(values), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Told(span)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                if not isinstance(error, CallError):
                    span.set_status(Status(StatusCode.ERROR))
                raise


class _Told:
    def __init__(self, span: Traced) -> None:
        self._span = span

    def tell(self, **values: Value) -> None:
        self._span.set_attributes(_named(values))


class _Requests:
    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app, self._telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        parents = Headers(scope=scope).getlist(TRACEPARENT)
        parent = parents[0] if len(parents) == 1 else None
        with self._telemetry.request(method_of(scope["method"]), route_of(scope["path"]), parent) as span:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            await self._app(scope, receive, watched)


def method_of(method: str) -> str:
    """Returns a method of HTTP that is known here, or `_OTHER`: a client may write anything."""
    return method if method in ("GET", "HEAD", "POST", "OPTIONS") else "_OTHER"


def route_of(path: str) -> str:
    """Returns which of our addresses a path is, never the path itself: a client may write anything."""
    match path.strip("/").split("/"):
        case ["cds-services"]:
            return "/cds-services"
        case ["cds-services", _]:
            return "/cds-services/{service}"
        case ["cds-services", _, "feedback"]:
            return "/cds-services/{service}/feedback"
        case ["timeline", *_]:
            return "/timeline"
    return path if path in _PLAIN else "other"


def _named(values: Mapping[str, Value]) -> dict[str, Value]:
    return {f"vestige.{name}": value for name, value in values.items()}
