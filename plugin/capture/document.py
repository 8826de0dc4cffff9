"""The capture file: its format, version 1, as docs/capture.md describes it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from plugin.chart import Chart, Gap, GapReason
from plugin.chart import Read as ChartRead
from plugin.errors import InputError
from plugin.probe.recording import Reading, Readings
from plugin.settings import Settings

FORMAT = "vestige-capture"
VERSION = 1
SECTIONS = ("site", "cards", "codes", "rules", "fhir")
_MOST_BYTES = 256 * 1024 * 1024


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """The hook call, without its token."""

    hook: str
    patient: str
    context: dict[str, Any]
    prefetch: dict[str, Any] | None = None
    fhirServer: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One link that was read, with its resource, or the reason why there was none."""

    link: str
    resource: dict[str, Any] | None = None
    reason: str | None = None
    detail: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A chart as it was read: for a capture of files, or of a call whose reading ran out of time."""

    resources: list[dict[str, Any]]
    drafts: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    reads: list[dict[str, Any]]
    draftTokens: list[str]
    selections: list[str]
    base: str | None = None


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """The rule pack that decided."""

    id: str
    version: str
    revision: str


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """One capture; `start` says where a replay begins: with the pages that were read, or with the chart."""

    format: str
    version: int
    vestige: str
    pseudonymised: bool
    today: date
    start: Literal["pages", "chart"]
    pack: Pack
    settings: dict[str, Any]
    call: Call
    pages: list[Page]
    chart: Told | None
    dialect: str | None
    decision: dict[str, Any]


def read_capture(path: Path) -> Capture:
    """Returns the capture of a file; raises InputError for anything else, and for another version."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: is larger than {_MOST_BYTES} bytes")
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        head = msgspec.json.decode(body)
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise InputError(f"{path}: is no capture")
        if head.get("version") != VERSION:
            raise InputError(f"{path}: is a capture of version {head.get('version')}; this reads {VERSION}")
        return msgspec.convert(head, Capture)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is no capture: {error}") from error


def write_capture(path: Path, capture: Capture) -> None:
    """Writes a capture, readable by its owner only; raises InputError where it cannot."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(capture), indent=1) + b"\n")
    except FileExistsError:
        raise InputError(f"{path}: exists; give another file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


def canonical(decision: dict[str, Any]) -> bytes:
    """Returns a decision as bytes that are equal for equal decisions."""
    return msgspec.json.encode(decision, order="sorted")


def settings_of(settings: Settings) -> dict[str, Any]:
    """Returns the settings that a decision depends on; nothing of keys, clients and stores."""
    whole: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=str)
    kept: dict[str, Any] = {name: whole[name] for name in SECTIONS}
    kept["rules"] = {name: value for name, value in kept["rules"].items() if name != "pack"}
    kept["fhir"] = {name: value for name, value in kept["fhir"].items() if name != "servers"}
    return kept


def settings_from(kept: dict[str, Any]) -> Settings:
    """Returns the settings of a capture; raises InputError where they cannot be used here."""
    unknown = sorted(set(kept) - set(SECTIONS))
    if unknown:
        raise InputError(f"the capture holds settings that this version does not know: {', '.join(unknown)}")
    try:
        return msgspec.convert(kept, Settings)
    except msgspec.MsgspecError as error:
        raise InputError(f"the settings of the capture cannot be used: {error}") from error


def pages_of(readings: Readings) -> list[Page]:
    """Returns what was read, each link once and in order of its name: the order of reading is chance."""
    found = {
        one.link: Page(
            link=one.link,
            resource=None if one.resource is None else dict(one.resource),
            reason=None if one.reason is None else one.reason.value,
            detail=one.detail,
        )
        for one in readings
    }
    return [found[link] for link in sorted(found)]


def readings_from(pages: list[Page]) -> Readings:
    """Returns the readings that a replaying client answers from."""
    return Readings(
        tuple(
            Reading(
                link=one.link,
                resource=one.resource,
                reason=None if one.reason is None else GapReason(one.reason),
                detail=one.detail,
            )
            for one in pages
        )
    )


def told_of(chart: Chart) -> Told:
    """Returns a chart as a capture holds it."""
    return Told(
        resources=[dict(one) for one in chart.resources],
        drafts=[dict(one) for one in chart.drafts],
        gaps=[
            {
                "resource": one.resource,
                "reason": one.reason.value,
                "detail": one.detail,
                "decisive": one.decisive,
                "query": one.query,
            }
            for one in chart.gaps
        ],
        reads=[{"query": one.query, "source": one.source, "count": one.count} for one in chart.reads],
        draftTokens=list(chart.draft_tokens),
        selections=list(chart.selections),
        base=chart.base,
    )


def chart_from(told: Told, call: Call) -> Chart:
    """Returns the chart that a capture holds; raises InputError for a gap it does not know."""
    try:
        gaps = tuple(Gap(**{**one, "reason": GapReason(one["reason"])}) for one in told.gaps)
        reads = tuple(ChartRead(**one) for one in told.reads)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"the chart of the capture cannot be used: {error}") from error
    return Chart(
        patient_id=call.patient,
        resources=tuple(told.resources),
        drafts=tuple(told.drafts),
        gaps=gaps,
        base=told.base,
        hook=call.hook or None,
        draft_tokens=tuple(told.draftTokens),
        selections=tuple(told.selections),
        reads=reads,
    )
