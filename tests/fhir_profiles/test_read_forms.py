"""The short ways of the reader against the long ones: the form in which JSON arrives changes no record.

Most of a chart is plain: objects and lists of the JSON parser, concepts of one coding, references of one text. The
reader takes those in fewer steps, and must say of them what it says of the same content in any other form.
"""

import json
import re
from calendar import monthrange
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles import samples
from fhir_profiles.codes import Site
from fhir_profiles.read.element import codings, day
from fhir_profiles.records import DayRange, LesionRef, Sighting
from tests.bench.reading_bench import patient
from tests.fhir_profiles.resources import BASE, BERLIN, mm, observation, one, records, size, visibility

SAMPLES = [entry["resource"] for name in samples.names() for entry in samples.sample(name).bundle["entry"]]
ALL = [*SAMPLES, *patient(60)]
CONCEPTS = ("code", "method", "bodySite", "valueCodeableConcept", "medicationCodeableConcept")
ZONES = (BERLIN, ZoneInfo("UTC"), ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/New_York"))


def as_mappings(value: Any) -> Any:
    """The same with no dict and no list in it."""
    if isinstance(value, dict):
        return MappingProxyType({key: as_mappings(item) for key, item in value.items()})
    return tuple(as_mappings(item) for item in value) if isinstance(value, list) else value


def concepts_in_lists(value: Any) -> Any:
    """The same with every concept as the only one of a list, which is how some servers send them."""
    if isinstance(value, list):
        return [concepts_in_lists(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {key: concepts_in_lists(item) for key, item in value.items()}
    return {key: [item] if key in CONCEPTS and isinstance(item, dict) else item for key, item in told.items()}


def with_codings_twice(value: Any) -> Any:
    """The same with every coding given twice."""
    if isinstance(value, list):
        return [with_codings_twice(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {key: with_codings_twice(item) for key, item in value.items()}
    return {
        key: item * 2 if key == "coding" and isinstance(item, list) else item for key, item in told.items()
    }


def with_displayed_references(value: Any) -> Any:
    """The same with a display beside every reference, and a type beside those that say which."""
    if isinstance(value, list):
        return [with_displayed_references(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {key: with_displayed_references(item) for key, item in value.items()}
    kind, _, own = str(told.get("reference", "")).partition("/")
    if kind.isalpha() and own:
        told |= {"display": "made up", "type": kind}
    return told


def with_blanks(value: Any) -> Any:
    """The same with blanks around every code, system, reference and date."""
    if isinstance(value, list):
        return [with_blanks(item) for item in value]
    if not isinstance(value, dict):
        return value
    padded = ("code", "system", "reference", "effectiveDateTime", "started")
    return {
        key: f" {item} " if key in padded and isinstance(item, str) else with_blanks(item)
        for key, item in value.items()
    }


@pytest.mark.parametrize(
    "form", [as_mappings, concepts_in_lists, with_codings_twice, with_displayed_references, with_blanks]
)
def test_the_form_changes_no_record(form: Any) -> None:
    said = 0
    for resource in ALL:
        found = records(resource)
        assert records(form(json.loads(json.dumps(resource)))) == found, resource
        said += len(found)
    assert said > 300


def test_what_is_rare_beside_what_is_common() -> None:
    """Fields that few Observations have are read beside those that all have."""
    common = size(mm("12.5")) | {"bodySite": Site.VI.concept}
    rare = common | {
        "meta": {"versionId": "3", "lastUpdated": "2026-10-02T08:00:00Z", "tag": [{"code": "SUBSETTED"}]},
        "identifier": [{"system": "urn:made-up", "value": "7"}],
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/replaces",
                "valueReference": {"reference": f"{BASE}/Observation/o0"},
            }
        ],
        "hasMember": [{"reference": "Observation/o2"}],
    }
    plain, full = one(common, Sighting), one(rare, Sighting)
    assert full.source == "Observation/o1/_history/3"
    assert (full.version, full.updated) == ("3", "2026-10-02T08:00:00Z")
    assert full.identifiers == ("urn:made-up|7",)
    assert full.replaces == ("Observation/o0",)
    assert full.members == ("Observation/o2",)
    assert full.flags == ("subsetted",)
    for name in ("lesion", "studies", "method", "region", "visibility", "mm", "day", "status", "subject"):
        assert getattr(full, name) == getattr(plain, name), name
    assert plain.lesion == LesionRef(body="BodyStructure/l1", segment="VI")


@pytest.mark.parametrize("comparator", [None, "<", "<=", ">", ">="])
def test_a_bound_stays_with_its_size(comparator: str | None) -> None:
    quantity = mm("8") | ({"comparator": comparator} if comparator else {})
    assert one(size(quantity), Sighting).size_comparator == comparator


def test_one_reference_gives_one_lesion_whatever_patient_was_read_before() -> None:
    here = visibility(focus=[{"reference": "BodyStructure/l1"}])
    elsewhere = here | {"bodySite": Site.II.concept}
    foreign = visibility(focus=[{"reference": "https://other.example/fhir/BodyStructure/l1"}])
    for _ in range(2):
        assert one(here, Sighting).lesion == LesionRef(body="BodyStructure/l1")
        assert one(elsewhere, Sighting).lesion == LesionRef(body="BodyStructure/l1", segment="II")
        assert one(foreign, Sighting, base=BASE).lesion == LesionRef(body=foreign["focus"][0]["reference"])
        assert one(foreign, Sighting).lesion == LesionRef(body="BodyStructure/l1")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.sampled_from(["code", "method", "bodySite", "focus", "partOf", "subject", "component"]),
)
def test_nothing_is_kept_of_a_resource_that_was_read(resource: dict[str, Any], name: str) -> None:
    """What is remembered of codes and references is not changed by what is read in between."""
    before = records(resource)
    records(resource | {name: observation(Site.LIVER)[name] if name in ("code", "focus") else None})
    assert records(resource) == before


# ------------------------------------------------------------------------------------------------ days

WRITTEN = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](.+))?)?)?$", re.ASCII)


def plainly(given: str, zone: ZoneInfo) -> DayRange | None:
    """The day, taken apart by one expression."""
    match = WRITTEN.match(given.strip())
    if match is None:
        return None
    year, month, dayno, time = match.groups()
    try:
        if month is None:
            return DayRange(date(int(year), 1, 1), date(int(year), 12, 31))
        if dayno is None:
            last = monthrange(int(year), int(month))[1]
            return DayRange(date(int(year), int(month), 1), date(int(year), int(month), last))
        exact = date(int(year), int(month), int(dayno))
        if time is not None:
            stamp = datetime.fromisoformat(f"{exact.isoformat()}T{time}")
            if stamp.tzinfo is not None and stamp.utcoffset() == UTC.utcoffset(None):
                exact = stamp.astimezone(zone).date()
    except (ValueError, OverflowError):
        return None
    return DayRange(exact, exact)


dates = st.sampled_from(
    ["2026-10-01", "2026-02-29", "2024-02-29", "2026-10", "2026", "2026-13", "2026-W01-1", "20261001", "2026-274", "0000-01-01"]
)  # fmt: skip
times = st.sampled_from(
    ["", "T", "T23:30:00Z", " 23:30", "T23:30:00.5Z", "T10:00:00-00:00", "T00:10:00+02:00", "T24:00", "T1000Z", "\n10:00", "T10:00\nZ"]
)  # fmt: skip
mutated = st.builds(
    lambda text, at, put, cut: text[: at % (len(text) + 1)] + put + text[at % (len(text) + 1) + cut :],
    st.builds(str.__add__, dates, times),
    st.integers(0, 40),
    st.sampled_from(["", "0", "1", "9", "-", ":", "T", "Z", " ", "+", "\n", "\u0665", "\u00b2", "\ud800"]),
    st.integers(0, 2),
)


@settings(max_examples=400, deadline=None)
@given(mutated | st.text(max_size=12), st.sampled_from(ZONES))
def test_days_are_those_of_the_plain_expression(written: str, zone: ZoneInfo) -> None:
    assert day(written, zone) == plainly(written, zone)


def test_a_coding_that_hides_another_is_not_taken_for_its_own() -> None:
    known = Site.LIVER.coding
    assert codings({"coding": [known]}) == ((Site.LIVER.system, Site.LIVER.code),)
    nested = {"coding": [known | {"coding": [Site.II.coding]}]}
    assert codings(nested) == ((Site.II.system, Site.II.code),)
    beside = {"coding": [known], "concept": {"coding": [Site.II.coding]}}
    assert set(codings(beside)) == {
        (Site.LIVER.system, Site.LIVER.code),
        (Site.II.system, Site.II.code),
    }
