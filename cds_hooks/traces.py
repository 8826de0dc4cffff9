"""Traces of this process: switched on by the settings, and otherwise not there at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from plugin import spans
from plugin.errors import SettingsError
from plugin.settings_traces import Traces, headers_of

Wrap = Callable[[ASGIApp], ASGIApp]


@contextmanager
def tracing(settings: Traces) -> Iterator[Wrap]:
    """Yields what has an application traced until the block ends; raises SettingsError without the packages.

    OpenTelemetry is loaded here and nowhere else, and only with `traces.endpoint`.
    """
    if settings.endpoint is None:
        yield lambda app: app
        return
    try:
        from cds_hooks.telemetry import Telemetry, otlp
    except ImportError as error:
        raise SettingsError(
            "traces.endpoint: OpenTelemetry is not installed; pip install vestige[otel]"
        ) from error
    headers = {} if settings.headers is None else headers_of(settings.headers)
    telemetry = Telemetry(settings, otlp(settings.endpoint, headers))
    spans.use(telemetry)
    try:
        yield telemetry.wrapped
    finally:
        spans.use(None)
        telemetry.close()
