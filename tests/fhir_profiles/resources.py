"""Small FHIR resources for the reader's tests."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from fhir_profiles.codes import SCT, Coded, Method, Size, Topic, Visibility
from fhir_profiles.read import read
from fhir_profiles.records import Record, Rejected

BERLIN = ZoneInfo("Europe/Berlin")
BASE = "https://ehr.example/fhir"
UCUM = "http://unitsofmeasure.org"


def one(resource: dict[str, Any], kind: type, **options: Any) -> Any:
    """The single record of the expected kind."""
    (record,) = read(resource, timezone=BERLIN, **options)
    assert isinstance(record, kind), record
    return record


def refused(resource: Any) -> str:
    """The reason of the single rejection."""
    (record,) = read(resource, timezone=BERLIN)
    assert isinstance(record, Rejected), record
    return record.reason


def records(resource: dict[str, Any], **options: Any) -> tuple[Record, ...]:
    return read(resource, timezone=BERLIN, **options)


def observation(code: Coded, /, **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": code.concept,
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-10-01",
        "focus": [{"reference": "BodyStructure/l1"}],
        "partOf": [{"reference": "ImagingStudy/s1"}],
        "method": Method.MRI.concept,
    } | fields


def visibility(value: Coded | None = Visibility.NOT_DETECTED, **fields: Any) -> dict[str, Any]:
    given = {"valueCodeableConcept": value.concept} if value is not None else {}
    return observation(Topic.VISIBILITY, **(given | fields))


def size(quantity: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    parts = [{"code": Size.LONGEST.concept, "valueQuantity": quantity}] if quantity is not None else []
    return observation(Size.TUMOUR_SIZE, **{"component": parts} | fields)


def mm(value: Any, unit: str = "mm") -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def snomed(code: str) -> dict[str, Any]:
    return concept(SCT, code)
