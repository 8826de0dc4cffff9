"""A site's own codes of procedures and orders, read as what the settings say they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fhir_profiles.meaning import MEANINGS, pair_of, with_meanings
from plugin.chart import Chart
from plugin.settings_source import suggestion


def meant(chart: Chart, meanings: Mapping[str, str]) -> Chart:
    """Returns the chart with the meaning of every mapped code beside it; the same chart without a map.

    `meanings` are the names of `MEANINGS` by "system|code", as `codes.meanings` of the settings has them.
    """
    if not meanings:
        return chart
    known = {pair: MEANINGS[name] for code, name in meanings.items() if (pair := pair_of(code)) is not None}
    return replace(
        chart, resources=with_meanings(chart.resources, known), drafts=with_meanings(chart.drafts, known)
    )


def refusal(code: str, name: str) -> str | None:
    """Returns why one line of the map cannot be used; None for a good one."""
    if pair_of(code) is None:
        return f'{code!r} must be a system and a code: "system|code"'
    if name not in MEANINGS:
        return f"{code!r}: unknown meaning {name!r}{suggestion(name, MEANINGS)}"
    return None
