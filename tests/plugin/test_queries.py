"""The templates we publish keep to what every known client serves."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest
import yaml

from fhir_profiles.codes import Cea, Size, Topic
from plugin.chart import GapReason
from plugin.pull import BY_KEY, PREFETCH, QUERIES, Query
from plugin.pull.queries import path

FACTS = yaml.safe_load((Path(__file__).parents[2] / "rules" / "crlm" / "facts.yaml").read_text())["kinds"]
TEMPLATES = sorted({text for query in QUERIES for text in (query.template, *query.alternatives)})
# Search parameters of FHIR R4 that Epic, Oracle Health, HAPI and SMART sandboxes serve with `patient`.
PARAMETERS = {
    "Observation": {"patient", "category", "code"},
    "DiagnosticReport": {"patient", "category"},
    "MedicationRequest": {"patient", "intent"},
    "Appointment": {"patient", "date"},
    "CarePlan": {"patient", "category"},
    "Condition": {"patient", "category"},
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_keeps_to_the_safe_subset(template: str) -> None:
    assert template.count("{{context.patientId}}") == 1
    assert template.count("{{") == template.count("}}") == 1
    assert not template.startswith(("/", "http"))
    kind, _, query = template.partition("?")
    if not query:
        assert template == "Patient/{{context.patientId}}"
        return
    assert re.fullmatch("[A-Z][A-Za-z]+", kind)
    names = [part.split("=", 1)[0] for part in query.split("&")]
    assert names[0] == "patient"
    assert len(names) == len(set(names))
    assert set(names) <= PARAMETERS.get(kind, {"patient"})
    assert not any(
        sign in template for sign in ("$", "_include", "_has", "_count", "_sort", "today(", "%", " ", ":in")
    )
    assert len(path(template, "x" * 200)) < 2000


def test_keys_are_unique_and_plain() -> None:
    assert len(BY_KEY) == len(QUERIES) == len(PREFETCH)
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", key) for key in PREFETCH)


def test_every_query_feeds_a_kind_of_fact_that_exists() -> None:
    kinds = {name for name, kind in FACTS.items() if kind.get("input")}
    for query in QUERIES:
        assert query.feeds
        assert set(query.feeds) <= kinds, query.key


def test_every_kind_of_fact_from_the_record_is_fed() -> None:
    kinds = {name for name, kind in FACTS.items() if kind.get("input")} - {"site", "gap"}
    kinds -= {"override"}  # what clinicians answered to us: from our own store
    assert kinds == {kind for query in QUERIES for kind in query.feeds}


def test_the_reasons_of_a_gap_are_those_the_rules_know() -> None:
    known = FACTS["gap"]["properties"]["reason"]["values"]
    # What was read and is doubtful in itself is no gap of a search.
    assert [reason.value for reason in GapReason] == [one for one in known if one != "doubtful"]


def test_what_decides_is_lesions_studies_and_findings() -> None:
    assert {query.resource for query in QUERIES if query.decisive} == {
        "Observation",
        "BodyStructure",
        "ImagingStudy",
    }


def test_the_codes_asked_for_are_those_that_are_read() -> None:
    asked = {
        query.key: dict(parse_qsl(query.template.partition("?")[2])).get("code", "").split(",")
        for query in QUERIES
    }
    assert set(asked["markers"]) == {f"{code.system}|{code.code}" for code in Cea}
    for code in (Size.TUMOUR_SIZE, Topic.VISIBILITY, Topic.ADEQUACY, Topic.DISPOSITION):
        assert f"{code.system}|{code.code}" in asked["findings"]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.key)
def test_a_path_survives_the_encoding(query: Query) -> None:
    sent = path(query.template, "a.b-C1")
    assert re.fullmatch(r"[\x21-\x7e]+", sent)
    assert "|" not in sent
    assert "{" not in sent
    assert unquote_plus(sent) == query.template.replace("{{context.patientId}}", "a.b-C1")
    assert not urlsplit(sent).netloc


def test_an_odd_patient_id_cannot_leave_its_place() -> None:
    odd = "a&category=x/../?b#c"
    assert parse_qsl(path("ImagingStudy?patient={{context.patientId}}", odd).partition("?")[2]) == [
        ("patient", odd)
    ]
    assert path("Patient/{{context.patientId}}", odd).count("/") == 1
