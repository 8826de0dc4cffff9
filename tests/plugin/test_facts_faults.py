"""Broken resources cost themselves and nothing else: never an exception, never a fact that is not declared."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.read import subject_of, unbundle
from fhir_profiles.samples import sample
from plugin.chart import Chart
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import build, events, landmarks
from rules.admission import Admission
from rules.language import load_pack
from tests.plugin.history import UTC
from tests.require import examples

PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")
ADMISSION = Admission(PACK)
JUNK = st.sampled_from(
    [
        None,
        "",
        "x",
        0,
        -1,
        1e300,
        True,
        [],
        {},
        [None],
        {"coding": "x"},
        [{"reference": 7}],
        "2026-13-45",
        "9999",
    ]
)
SAMPLES = [sample(name) for name in ("ct-only-watch-and-wait", "ceious-negative-deep-site")]


def understood(resources: list[Any], patient: str, today: Any) -> None:
    timeline = build(Chart(patient_id=patient, resources=tuple(resources)), today=today, timezone=UTC)
    ADMISSION.admit(facts_of(timeline, today=today, settings=Settings()))
    for lesion in timeline.lesions:
        landmarks(timeline, lesion.id)
        events(timeline, lesion.id)


def spoil(value: Any, draw: Any) -> Any:
    """The same JSON with one element somewhere inside replaced by junk."""
    if isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: draw(JUNK) if draw(st.booleans()) else spoil(value[key], draw)}
    if isinstance(value, list) and value:
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], spoil(value[index], draw), *value[index + 1 :]]
    return draw(JUNK)


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=60, deadline=None)
def test_spoiled_resources_never_break_the_whole(told: Any, data: Any) -> None:
    resources = copy.deepcopy(list(unbundle(told.bundle)))
    patient = resources[0]["id"]
    for _ in range(8):
        index = data.draw(st.integers(1, len(resources) - 1))
        resources[index] = spoil(resources[index], data.draw)
    understood(resources, patient, told.anchor)


def test_examples_of_other_projects_are_understood() -> None:
    for file in examples():
        content = json.loads(file.read_text(encoding="utf-8"))
        resources = list(unbundle(content)) if content.get("resourceType") == "Bundle" else [content]
        subjects = {str(subject_of(each)).rsplit("/", 1)[-1] for each in resources if subject_of(each)}
        for patient in subjects or {"nobody"}:
            understood(resources, patient, date(2026, 10, 10))
