"""What a reading writes conforms to our own profiles, by a validator written by others."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_profiles.check import check
from fhir_profiles.codes import Protocol
from fhir_profiles.read import read
from fhir_profiles.reading import (
    ADEQUACIES,
    AGENTS,
    COVERAGES,
    METHODS,
    VISIBILITIES,
    Setting,
    adequacy,
    provenance,
    size,
    visibility,
)
from fhir_profiles.records import ExamAdequacy, LesionRef, Sighting
from tests.fhir_profiles.test_validators import PROFILES
from tests.fhir_profiles.validators import VALIDATORS

LESION = LesionRef(body="BodyStructure/l1")
UTC_ZONE = ZoneInfo("UTC")
EARLIER = ("Observation/before",)


def setting(modality: str = "MRI", study: str | None = "ImagingStudy/s1") -> Setting:
    return Setting(
        patient="p1",
        study=study,
        day=date(2026, 3, 1),
        modality=modality,
        recorded=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        reader="Practitioner/r1",
    )


def every_statement() -> dict[str, dict[str, Any]]:
    made = {}
    for modality in METHODS:
        for said in VISIBILITIES:
            made[f"{modality} {said}"] = visibility(setting(modality), LESION, said)
    made["too small"] = visibility(setting(), LESION, "visible", too_small=True, replaces=EARLIER)
    made["size"] = size(setting(), LESION, Decimal("7.5"), replaces=EARLIER)
    made["without a study"] = visibility(setting(study=None), LESION, "not-visible")
    for value in ADEQUACIES:
        made[value] = adequacy(setting(), value)
    for agent in AGENTS:
        made[agent] = adequacy(setting(), "adequate", agent=agent, hbp=True, dwi=False, slice_mm=Decimal(3))
    for coverage in COVERAGES:
        left_out = ["IVa", "VII"] if coverage == "partial" else []
        made[coverage] = adequacy(setting(), "adequate", coverage=coverage, excluded=left_out)
    return {name: {**one, "id": f"r{place}"} for place, (name, one) in enumerate(made.items())}


def test_every_statement_conforms_to_its_profile() -> None:
    made = every_statement()
    found = dict(zip(made, VALIDATORS["medplum"](PROFILES, made.values()), strict=True))
    found.pop(
        "without a study"
    )  # a study that is not on record cannot be named; the day and modality stand for it
    assert {name: errors for name, errors in found.items() if errors} == {}


@pytest.mark.parametrize("said", VISIBILITIES)
@pytest.mark.parametrize("modality", METHODS)
def test_a_statement_is_read_as_it_was_made(said: str, modality: str) -> None:
    made = {**visibility(setting(modality), LESION, said, replaces=EARLIER), "id": "r1"}
    (record,) = [one for one in read(made, timezone=UTC_ZONE) if isinstance(one, Sighting)]
    assert record.visibility == said
    assert record.method == modality
    assert record.replaces == EARLIER
    assert record.status == "amended"
    assert [one.key for one in record.studies] == ["ImagingStudy/s1"]


@pytest.mark.parametrize("agent", AGENTS)
def test_an_examination_is_read_as_it_was_described(agent: str) -> None:
    made = adequacy(
        setting(),
        "limited",
        agent=agent,
        hbp=False,
        dwi=True,
        coverage="partial",
        excluded=["VII"],
        slice_mm=Decimal(4),
    )
    (record,) = [
        one for one in read({**made, "id": "r1"}, timezone=UTC_ZONE) if isinstance(one, ExamAdequacy)
    ]
    assert (record.adequacy, record.agent, record.hbp, record.dwi) == ("limited", agent, False, True)
    assert (record.coverage, record.excluded_segments, record.slice_mm) == ("partial", ("VII",), 4)


def test_what_is_stated_anew_takes_the_place_of_what_is_kept() -> None:
    kept = [
        {"code": Protocol.DWI.concept, "valueBoolean": True},
        {"code": Protocol.LESION_MAP.concept, "valueBoolean": True},
    ]
    made = adequacy(setting(), "adequate", dwi=False, keep=kept)
    said = {part["code"]["coding"][0]["code"]: part["valueBoolean"] for part in made["component"]}
    assert said == {Protocol.DWI.code: False, Protocol.LESION_MAP.code: True}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"coverage": "partial"}, ["VI"]),
        ({"coverage": "partial", "excluded": ["II"]}, ["II"]),
        ({"coverage": "whole-liver"}, []),
        ({}, ["VI"]),
    ],
)
def test_a_segment_stays_left_out_until_something_else_is_said(said: dict[str, Any], left: list[str]) -> None:
    kept = adequacy(setting(), "limited", coverage="partial", excluded=["VI"])["component"]
    made = adequacy(setting(), "limited", **said, keep=kept)
    (record,) = [
        one for one in read({**made, "id": "r1"}, timezone=UTC_ZONE) if isinstance(one, ExamAdequacy)
    ]
    assert list(record.excluded_segments) == left


def test_who_made_it_is_valid_and_says_what_it_corrects() -> None:
    made = provenance(setting(), ["urn:uuid:a"], replaced=EARLIER)
    assert check(made) == ()
    assert made["activity"]["coding"][0]["code"] == "UPDATE"
    assert made["entity"] == [{"role": "revision", "what": {"reference": EARLIER[0]}}]
    assert provenance(setting(), ["urn:uuid:a"])["activity"]["coding"][0]["code"] == "CREATE"
