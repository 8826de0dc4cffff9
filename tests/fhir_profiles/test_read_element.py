"""Days, numbers, units and references, in every form they arrive in."""

from datetime import date
from decimal import Decimal

import pytest

from fhir_profiles.read.element import codings, day, number, period, timed, unit_of
from fhir_profiles.read.reference import normalise
from tests.fhir_profiles.resources import BASE, BERLIN


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2026-10-01", date(2026, 10, 1), date(2026, 10, 1)),
        ("2026-05", date(2026, 5, 1), date(2026, 5, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-10-01T23:30:00+02:00", date(2026, 10, 1), date(2026, 10, 1)),
        ("2026-10-01T23:30:00-08:00", date(2026, 10, 1), date(2026, 10, 1)),
        ("2026-10-01T22:30:00Z", date(2026, 10, 2), date(2026, 10, 2)),
        ("2026-12-01T22:30:00.123Z", date(2026, 12, 1), date(2026, 12, 1)),
        ("2026-10-01T10:00:00", date(2026, 10, 1), date(2026, 10, 1)),
    ],
)
def test_days(written: str, first: date, last: date) -> None:
    found = day(written, BERLIN)
    assert found is not None
    assert (found.first, found.last) == (first, last)


@pytest.mark.parametrize(
    "written",
    [
        "2026-13-01",
        "2026-02-30",
        "",
        "soon",
        "20261001",
        "\uff12\uff10\uff12\uff16-10-01",
        20261001,
        None,
        {},
        "0000",
    ],
)
def test_what_is_not_a_date(written: object) -> None:
    assert day(written, BERLIN) is None


def test_periods() -> None:
    both = period({"start": "2026-05-01", "end": "2026-06"}, BERLIN)
    assert both is not None
    assert (both.first, both.last) == (date(2026, 5, 1), date(2026, 6, 30))
    open_ended = period({"start": "2026-05-01"}, BERLIN)
    assert open_ended is not None
    assert open_ended.exact
    assert period({"start": "2026-05-02", "end": "2026-05-01"}, BERLIN) is None
    assert period({}, BERLIN) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"effectiveDateTime": "2026-05-04"},
        {"effectiveInstant": "2026-05-04T10:00:00+02:00"},
        {"effectivePeriod": {"start": "2026-05-04"}},
        {"effectiveTiming": {"event": ["2026-05-06", "2026-05-04"]}},
        {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2026-05-04"}}}},
    ],
)
def test_every_form_of_a_choice_of_time(fields: dict[str, object]) -> None:
    found = timed(fields, "effective", BERLIN)
    assert found is not None
    assert found.first == date(2026, 5, 4)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (12, "12"),
        (1.2, "1.2"),
        (0.1, "0.1"),
        (Decimal("14.50"), "14.50"),
        ("7", "7"),
        (" 7.5 ", "7.5"),
        ("-1e-2", "-0.01"),
        (True, None),
        ("NaN", None),
        ("1_2", None),
        ("\u0661\u0662", None),
        ("14,5", None),
        ("12 mm", None),
    ],
)
def test_numbers_stay_as_written(given: object, expected: str | None) -> None:
    found = number(given)
    assert found == (Decimal(expected) if expected is not None else None)
    assert number(float("inf")) is None
    assert number("1e999999") is None


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ({"system": "http://unitsofmeasure.org", "code": "cm"}, "cm"),
        ({"system": "urn:oid:2.16.840.1.113883.6.8", "code": "mm"}, "mm"),
        ({"unit": "cm"}, "cm"),
        ({"code": "mm"}, "mm"),
        ({"system": "http://snomed.info/sct", "code": "258673006", "unit": "mm"}, "mm"),
        ({"system": "http://unitsofmeasure.org", "code": "cm", "unit": "mm"}, None),
        ({"code": "mm", "unit": "centimeter"}, None),
        ({"code": "cm", "unit": "inches"}, None),
        ({"code": "mm", "unit": "Millimetres"}, "mm"),
        ({"code": "mm", "unit": "pixels"}, "mm"),
        ({}, None),
    ],
)
def test_units(quantity: dict[str, object], unit: str | None) -> None:
    assert unit_of(quantity) == unit


@pytest.mark.parametrize(
    ("reference", "base", "expected"),
    [
        ("Patient/1", BASE, "Patient/1"),
        ("Patient/1/_history/3", BASE, "Patient/1"),
        (f"{BASE}/Patient/1", BASE, "Patient/1"),
        (f"{BASE}/Patient/1/_history/2", BASE + "/", "Patient/1"),
        ("https://other.example/fhir/Patient/1", BASE, "https://other.example/fhir/Patient/1"),
        ("https://other.example/fhir/Patient/1", None, "Patient/1"),
        ("urn:uuid:0001", BASE, "urn:uuid:0001"),
        ("#inner", BASE, "#inner"),
        ("", BASE, None),
        (7, BASE, None),
    ],
)
def test_references(reference: object, base: str | None, expected: str | None) -> None:
    assert normalise(reference, base) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"system": "urn:oid:2.16.840.1.113883.6.96", "code": "1"},
        {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]},
        [{"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}],
        {"concept": {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}},
    ],
)
def test_codings_of_every_shape(value: object) -> None:
    assert list(codings(value)) == [("http://snomed.info/sct", "1")]
