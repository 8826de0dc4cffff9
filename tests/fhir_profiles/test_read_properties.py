"""Laws of the reader over generated content: it never raises, never falls back on its guard, and units do not matter."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles import samples
from fhir_profiles.codes import every_code
from fhir_profiles.read import read, unbundle
from fhir_profiles.records import Rejected, Sighting
from tests.fhir_profiles.resources import BERLIN, mm, one, records, size
from tests.require import examples

TYPES = (
    "Observation", "BodyStructure", "ImagingStudy", "DiagnosticReport", "MedicationAdministration",
    "MedicationStatement", "MedicationRequest", "Procedure", "Encounter", "ServiceRequest", "Appointment",
    "CarePlan", "Patient", "Condition", "AllergyIntolerance", "Device", "Basic",
)  # fmt: skip
KEYS = (
    "id", "meta", "status", "code", "coding", "system", "value", "valueQuantity", "valueCodeableConcept", "component",
    "focus", "partOf", "reference", "identifier", "type", "contained", "extension", "url", "subject", "effectiveDateTime",
    "effectivePeriod", "started", "series", "modality", "bodySite", "medicationCodeableConcept", "medicationReference",
    "activity", "detail", "text", "unit", "hasMember", "method", "dataAbsentReason", "referenceRange", "high", "start",
)  # fmt: skip
CODES = tuple({(code.system, code.code) for code in every_code()})
coding = st.sampled_from(sorted(CODES)).map(lambda pair: {"coding": [{"system": pair[0], "code": pair[1]}]})
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | coding | st.sampled_from(
    ["2026-10-01", "2026-13-40", "final", "completed", "active", "BodyStructure/l1", "#x", "mm", "cm", "1e400"]
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)
resources = st.builds(
    lambda kind, code, body: {"resourceType": kind, "id": "x", "code": code} | body,
    st.sampled_from(TYPES),
    coding,
    st.dictionaries(st.sampled_from([key for key in KEYS if key not in {"id", "code"}]), trees, max_size=8),
)


def unguarded(found: tuple[Any, ...]) -> bool:
    """True when no record comes from the reader's last guard."""
    return not any(isinstance(record, Rejected) and record.reason == "unreadable" for record in found)


@settings(max_examples=100, deadline=None)
@given(resources)
def test_garbage_never_raises_and_never_reaches_the_guard(resource: dict[str, Any]) -> None:
    assert unguarded(records(resource))


@settings(max_examples=60, deadline=None)
@given(trees)
def test_what_is_not_even_a_resource(value: Any) -> None:
    found = read(value, timezone=BERLIN)
    assert all(isinstance(record, Rejected) for record in found)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_sample_resource_never_raises(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(samples.names()))
    entry = data.draw(st.sampled_from(samples.sample(name).bundle["entry"]))
    resource = json.loads(json.dumps(entry["resource"]))
    resource[data.draw(st.sampled_from(sorted(resource)))] = data.draw(trees)
    assert unguarded(read(resource, timezone=BERLIN))


@settings(max_examples=100, deadline=None)
@given(st.decimals(min_value="0.1", max_value="300", places=1))
def test_millimetres_and_centimetres_are_one_size(length: Decimal) -> None:
    in_mm, in_cm = one(size(mm(str(length))), Sighting), one(size(mm(str(length / 10), "cm")), Sighting)
    assert in_mm.mm == in_cm.mm == length
    assert in_mm == in_cm


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(samples.names()), st.randoms(use_true_random=False))
def test_the_order_of_elements_does_not_matter(name: str, random: Any) -> None:
    resource = random.choice(samples.sample(name).bundle["entry"])["resource"]
    keys = list(resource)
    random.shuffle(keys)
    assert records({key: resource[key] for key in keys}) == records(resource)


def test_instances_written_elsewhere_are_read() -> None:
    understood = 0
    for path in examples():
        given = json.loads(path.read_text(encoding="utf-8"))
        for resource in unbundle(given) if given["resourceType"] == "Bundle" else (given,):
            found = read(resource, timezone=BERLIN)
            assert unguarded(found), path
            understood += len(found)
    assert understood > 0
