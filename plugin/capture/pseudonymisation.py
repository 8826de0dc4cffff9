"""A whole capture under pseudonyms: call, pages, chart and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from plugin.capture.document import Call, Capture, Page, Told
from plugin.capture.pseudonym import BASE, Pseudonyms
from plugin.pull.queries import QUERIES

_PREFETCH = frozenset(query.key for query in QUERIES)


def pseudonymised(capture: Capture, days: int | None = None) -> Capture:
    """Returns the capture of nobody: its decision still is the old one, to be made anew by the caller."""
    base = capture.call.fhirServer or (capture.chart.base if capture.chart else None)
    names = Pseudonyms(base, capture.call.patient, days)
    names.keep_systems(_systems(capture.settings))
    return msgspec.structs.replace(
        capture,
        pseudonymised=True,
        today=names.day(capture.today),
        settings=_settings(capture.settings),
        call=_call(capture.call, names),
        pages=sorted((_page(one, names) for one in capture.pages), key=lambda one: one.link),
        chart=None if capture.chart is None else _chart(capture.chart, names),
    )


def _call(call: Call, names: Pseudonyms) -> Call:
    return Call(
        hook=call.hook,
        patient=names.own(call.patient),
        context=names.value(call.context),
        prefetch=None
        if call.prefetch is None
        else {key: names.value(one) for key, one in call.prefetch.items() if key in _PREFETCH},
        fhirServer=None if call.fhirServer is None else BASE,
    )


def _page(page: Page, names: Pseudonyms) -> Page:
    return Page(
        link=names.link(page.link),
        resource=None if page.resource is None else names.value(page.resource),
        reason=page.reason,
        detail=page.detail,
    )


def _chart(chart: Told, names: Pseudonyms) -> Told:
    return Told(
        resources=[names.value(one) for one in chart.resources],
        drafts=[names.value(one) for one in chart.drafts],
        gaps=[{**one, "detail": names.text(str(one.get("detail", "")))} for one in chart.gaps],
        reads=chart.reads,
        draftTokens=[names.reference(one) for one in chart.draftTokens],
        selections=[names.reference(one) for one in chart.selections],
        base=None if chart.base is None else BASE,
    )


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without the site's name and addresses; its parameters and codes decide and stay."""
    bare = {**settings, "site": {**settings.get("site", {}), "name": ""}}
    if "links" in settings.get("cards", {}):
        bare["cards"] = {**settings["cards"], "links": []}
    return bare


def _systems(settings: Mapping[str, Any]) -> frozenset[str]:
    """Returns every code system that the settings name."""
    found: set[str] = set()
    waiting: list[Any] = [settings.get("codes", {})]
    for one in waiting:
        if isinstance(one, Mapping):
            found |= {value for name, value in one.items() if name == "system" and isinstance(value, str)}
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
    return frozenset(found)
