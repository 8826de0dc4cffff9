"""The settings of traces: where they go, how many of the calls, and whether FHIR servers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from plugin.errors import SettingsError


class Traces(Struct, frozen=True, kw_only=True):
    """OpenTelemetry traces; off without an `endpoint`, the address of a collector that takes OTLP over HTTP.

    `headers` is a file with one `Name: value` a line, sent to the collector: its secrets. `share` of the
    calls are traced, where the EHR did not decide that by its own trace. `propagate` sends the trace's
    identifiers on to FHIR servers.
    """

    endpoint: str | None = None
    headers: Path | None = None
    share: Annotated[float, Meta(ge=0, le=1)] = 1.0
    propagate: bool = False


def check_traces(traces: Traces) -> None:
    """Passes settings of traces that can work; raises SettingsError where one of them cannot."""
    if traces.endpoint is not None:
        try:
            parts = urlsplit(traces.endpoint)
            port = parts.port
        except ValueError as error:
            raise SettingsError("traces.endpoint: is no address") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or port == 0:
            # The address is not repeated: it may hold a password.
            raise SettingsError(
                "traces.endpoint: must be an http or https address without user, such as "
                "http://127.0.0.1:4318/v1/traces"
            )
    if traces.headers is not None:
        headers_of(traces.headers)


def headers_of(file: Path) -> dict[str, str]:
    """Returns the headers of a file; raises SettingsError where a line is none, and never repeats it."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"traces.headers: {file} cannot be read") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon or not name.strip() or not value.strip() or not (name + value).isprintable():
            raise SettingsError(f"traces.headers: {file}, line {number}: write it as Name: value")
        found[name.strip()] = value.strip()
    return found
