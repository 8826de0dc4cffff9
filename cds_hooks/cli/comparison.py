"""The patients that two rule packs are compared over: the synthetic ones, or those of files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from fhir_profiles import samples
from plugin.facts import facts_of
from plugin.pull.files import chart_from_files
from plugin.settings import Settings
from plugin.timeline import Timeline, build
from rules.facts import Fact
from rules.language import Pack


def timelines_of(files: Sequence[Path], today: date, settings: Settings) -> dict[str, Timeline]:
    """Returns the timelines of some patients, one a file, by the names of the files."""
    return {
        str(file): build(chart_from_files([file], None), today=today, timezone=settings.site.zone)
        for file in files
    }


def synthetic(settings: Settings) -> dict[str, Timeline]:
    """Returns the timelines of the synthetic patients by name, each on its own day."""
    made: dict[str, Timeline] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in samples.names():
            one = samples.sample(name)
            path = Path(folder) / f"{name}.json"
            path.write_bytes(msgspec.json.encode(one.bundle))
            chart = chart_from_files([path], one.hook)
            made[name] = build(chart, today=one.anchor, timezone=settings.site.zone)
    return made


def facts_for(
    pack: Pack, timelines: Mapping[str, Timeline], settings: Settings
) -> dict[str, tuple[Fact, ...]]:
    """Returns the facts of every patient, made with the times that this pack sets."""
    parameters = {name: parameter.value for name, parameter in pack.parameters.items()}
    return {
        name: facts_of(timeline, today=timeline.today, settings=settings, parameters=parameters)
        for name, timeline in timelines.items()
    }
