"""Doses, operations, reviews, and carcinoembryonic antigen."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.codes import ATC, RXNORM, Cea, Contrast, Drug, Intent, Operation, Site, Topic
from fhir_profiles.read import with_medications
from fhir_profiles.records import (
    ContrastDose,
    Dose,
    Embolisation,
    LabResult,
    MdtReview,
    Plan,
    Rejected,
    Treatment,
)
from tests.fhir_profiles.resources import BASE, concept, mm, observation, one, records, refused

TARGET = "http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure"


def dose(drug: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationAdministration",
        "id": "d1",
        "status": "completed",
        "medicationCodeableConcept": drug or Drug.OXALIPLATIN.concept,
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-06-01",
    } | fields


@pytest.mark.parametrize(
    ("system", "code", "agent"),
    [
        (RXNORM, "32592", "oxaliplatin"),
        (RXNORM, "194000", "fluoropyrimidine"),
        (ATC, "L01XX19", "irinotecan"),
        (ATC, "L01CE02", "irinotecan"),
        (ATC, "l01xc07", "bevacizumab"),
        (ATC, "L01FG01", "bevacizumab"),
        (ATC, "L01FG02", "ramucirumab"),
        (ATC, "L01XX44", "aflibercept"),
        (ATC, "L01EX05", "regorafenib"),
        (ATC, "L01FE02", "panitumumab"),
        (ATC, "L01FF02", "ici"),
        (ATC, "L01FF07", "ici"),
        (ATC, "L01FX04", "ici"),
        (ATC, "L01XC11", "ici"),
        (ATC, "L01AA01", "other"),
        ("http://fhir.de/CodeSystem/bfarm/atc", "L01XA03", "oxaliplatin"),
    ],
)
def test_agents(system: str, code: str, agent: str) -> None:
    assert one(dose(concept(system, code)), Dose).agent == agent


@pytest.mark.parametrize(
    ("drug", "name"),
    [
        ({"coding": [{"system": RXNORM, "code": "32592", "display": "oxaliplatin"}]}, "oxaliplatin"),
        (
            {"coding": [{"system": RXNORM, "code": "32592", "display": "x"}], "text": "Oxaliplatin 85"},
            "Oxaliplatin 85",
        ),
        (
            {"coding": [{"system": RXNORM, "code": "32592", "display": " "}, {"code": "1", "display": "b"}]},
            "b",
        ),
        ({"coding": [{"system": RXNORM, "code": "32592"}]}, None),
    ],
)
def test_a_dose_has_the_name_that_is_written_else_the_display(drug: dict[str, Any], name: str | None) -> None:
    assert one(dose(drug), Dose).name == name


@pytest.mark.parametrize("drug", [concept(RXNORM, "161"), concept(ATC, "N02BE01"), {"text": "oxaliplatin"}])
def test_other_medicines_are_no_doses(drug: dict[str, Any]) -> None:
    assert records(dose(drug)) == ()


def test_an_agent_without_a_class_counts_where_it_is_declared_anticancer() -> None:
    profile = {
        "profile": [
            "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-cancer-related-medication-administration"
        ]
    }
    assert one(dose(concept(RXNORM, "999"), meta=profile), Dose).agent == "other"


@pytest.mark.parametrize("status", ["not-done", "stopped", "on-hold", "unknown"])
def test_only_what_was_given_is_a_dose(status: str) -> None:
    assert refused(dose(status=status)) == "not-given"


def test_an_infusion_over_two_days_keeps_its_range_and_long_intake_its_ends() -> None:
    infusion = dose(effectivePeriod={"start": "2026-06-01", "end": "2026-06-03"})
    del infusion["effectiveDateTime"]
    found = one(infusion, Dose)
    assert (found.day.first, found.day.last, found.continuous) == (date(2026, 6, 1), date(2026, 6, 3), False)
    assert found.infusion
    assert not one(dose(), Dose).infusion
    taken = {
        "resourceType": "MedicationStatement",
        "id": "m1",
        "status": "completed",
        "medicationCodeableConcept": Drug.CAPECITABINE.concept,
        "effectivePeriod": {"start": "2026-05-01", "end": "2026-07-10"},
    }
    first, last = records(taken)
    assert isinstance(first, Dose)
    assert isinstance(last, Dose)
    assert [first.day, last.day] != [None, None]
    assert (first.kind, first.continuous, last.continuous) == ("statement", True, True)


@pytest.mark.parametrize(
    ("period", "days"),
    [
        (
            {"start": "2026-05-01", "end": "2026"},
            [("2026-05-01", "2026-05-01"), ("2026-05-01", "2026-12-31")],
        ),
        (
            {"start": "2026-05", "end": "2026-07-10"},
            [("2026-05-01", "2026-05-31"), ("2026-07-10", "2026-07-10")],
        ),
        (
            {"start": "2026-05", "end": "2026-05"},
            [("2026-05-01", "2026-05-31"), ("2026-05-01", "2026-05-31")],
        ),
        ({"end": "2026-05"}, [("2026-05-01", "2026-05-31")]),
    ],
)
def test_an_end_of_a_period_is_as_exact_as_it_is_written(
    period: dict[str, str], days: list[tuple[str, str]]
) -> None:
    given = dose(effectivePeriod=period)
    del given["effectiveDateTime"]
    found = records(given)
    assert [(str(each.day.first), str(each.day.last)) for each in found if isinstance(each, Dose)] == days
    assert not any(each.infusion for each in found if isinstance(each, Dose))


def test_a_dose_without_a_readable_day_has_none() -> None:
    assert one(dose(effectiveDateTime="in June"), Dose).day is None


def test_contained_and_external_medications() -> None:
    inner = {"resourceType": "Medication", "id": "m", "code": Drug.IRINOTECAN.concept}
    reference = {"medicationReference": {"reference": "#m"}, "contained": [inner]}
    given = dose(**reference)
    del given["medicationCodeableConcept"]
    assert one(given, Dose).agent == "irinotecan"
    outside = dose(medicationReference={"reference": "Medication/m"})
    del outside["medicationCodeableConcept"]
    assert refused(outside) == "medication-not-resolved"
    resolved = with_medications([outside, inner])[0]
    assert one(dict(resolved), Dose).agent == "irinotecan"


@pytest.mark.parametrize("reference", ["Medication/m", f"{BASE}/Medication/m", "Medication/m/_history/2"])
def test_a_medication_of_r5_is_resolved(reference: str) -> None:
    inner = {"resourceType": "Medication", "id": "m", "code": Drug.IRINOTECAN.concept}
    other = {"resourceType": "Medication", "id": "medication", "code": Drug.OXALIPLATIN.concept}
    given = dose(medication={"reference": {"reference": reference}}, contained=[other])
    given["occurenceDateTime"] = given.pop("effectiveDateTime")
    del given["medicationCodeableConcept"]
    assert refused(given) == "medication-not-resolved"
    resolved = with_medications([given, inner], BASE)[0]
    assert one(dict(resolved), Dose).agent == "irinotecan"
    assert with_medications([given, {**inner, "id": "another"}], BASE)[0] == given


def test_cycle_intent_and_hepatic_artery() -> None:
    canonical = "https://vestige.example/fhir/StructureDefinition"
    given = dose(
        extension=[
            {"url": f"{canonical}/crlm-cycle", "valuePositiveInt": 3},
            {"url": f"{canonical}/crlm-intent", "valueCodeableConcept": Intent.CONVERSION.concept},
        ],
        dosage=[{"route": Topic.HAI.concept}],
    )
    found = one(given, Dose)
    assert (found.cycle, found.intent, found.hepatic_artery, found.agent) == (3, "conversion", True, "other")


def test_contrast_given() -> None:
    assert one(dose(Contrast.GADOXETATE.concept), ContrastDose).agent == "gadoxetate"


def test_medication_requests() -> None:
    request = {
        "resourceType": "MedicationRequest",
        "id": "q1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": Drug.BEVACIZUMAB.concept,
        "authoredOn": "2026-10-10",
        "dosageInstruction": [{"timing": {"event": ["2026-10-12"]}}],
    }
    plan = one(request, Plan)
    assert (plan.type, plan.agents, plan.live) == ("chemotherapy", ("bevacizumab",), True)
    assert plan.day.first == date(2026, 10, 12)
    assert one(request | {"doNotPerform": True}, Plan).type == "stop-chemotherapy"
    assert records(request | {"medicationCodeableConcept": concept(RXNORM, "161")}) == ()


def procedure(code: Operation, **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "id": "x1",
        "status": "completed",
        "code": code.concept,
        "performedDateTime": "2026-11-16",
    } | fields


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Operation.LIVER_EXCISION, "resected"),
        (Operation.SEGMENT_RESECTION, "resected"),
        (Operation.ABLATION_PERCUTANEOUS, "ablated"),
        (Operation.OTHER_LOCAL, "other"),
    ],
)
def test_treatments_with_and_without_target(code: Operation, kind: str) -> None:
    target = [{"url": TARGET, "valueReference": {"reference": "BodyStructure/l1"}}]
    found = one(procedure(code, extension=target, bodySite=[Site.VI.concept]), Treatment)
    assert (found.type, found.completed, found.segments) == (kind, True, ("VI",))
    assert [lesion.body for lesion in found.lesions] == ["BodyStructure/l1"]
    assert one(procedure(code), Treatment).lesions == ()


@pytest.mark.parametrize(
    ("status", "completed", "running"), [("in-progress", False, True), ("not-done", False, False)]
)
def test_an_operation_that_is_not_completed_is_no_treatment(
    status: str, completed: bool, running: bool
) -> None:
    found = one(procedure(Operation.HEPATECTOMY, status=status), Treatment)
    assert (found.completed, found.in_progress) == (completed, running)


def test_other_procedures() -> None:
    assert one(procedure(Operation.EMBOLISATION), Embolisation).day.first == date(2026, 11, 16)
    assert one(procedure(Operation.MDT_REVIEW), MdtReview).day.exact
    cycle = one(procedure(Operation.CHEMOTHERAPY), Dose)
    assert (cycle.kind, cycle.agent) == ("cycle", "other")
    assert refused(procedure(Operation.CHEMOTHERAPY, status="not-done")) == "not-done"
    assert records(procedure(Operation.MARKER)) == ()
    biopsy = procedure(Operation.MARKER) | {"code": concept("http://snomed.info/sct", "86259008")}
    assert records(biopsy) == ()


def cea(value: dict[str, Any] | None, code: Cea = Cea.MASS, **fields: Any) -> dict[str, Any]:
    given = {"valueQuantity": value} if value is not None else {}
    return observation(code, **given, **fields)


@pytest.mark.parametrize(
    ("quantity", "code", "family", "unit"),
    [
        (mm(14, "ng/mL"), Cea.MASS, "mass", "ng/mL"),
        (mm(14, "ug/L"), Cea.MASS_IMMUNOASSAY, "mass", "ng/mL"),
        ({"value": 14, "unit": "\u00b5g/L"}, Cea.MASS, "mass", "ng/mL"),
        ({"value": 14, "unit": "\u03bcg/l"}, Cea.MASS, "mass", "ng/mL"),
        ({"value": 14, "unit": "NG/ML"}, Cea.MASS, "mass", "ng/mL"),
        (mm(4, "k[IU]/L"), Cea.ARBITRARY, "arbitrary", "U/mL"),
        (mm(70, "pmol/L"), Cea.MOLAR, "molar", "pmol/L"),
    ],
)
def test_antigen(quantity: dict[str, Any], code: Cea, family: str, unit: str) -> None:
    found = one(cea(quantity, code), LabResult)
    assert (found.family, found.unit, found.rejected) == (family, unit, None)
    assert found.value == Decimal(str(quantity["value"]))


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (cea(None), "no-value"),
        (cea(mm(14, "U/mL")), "unit"),
        (cea({"value": 14}), "unit"),
        (cea(mm(14, "pg/mL")), "unit"),
        (cea(None, valueString="14 ng/mL"), "no-quantity"),
        (cea(mm(-1, "ng/mL")), "no-number"),
        (cea(mm(14, "ng/mL") | {"comparator": "~"}), "comparator"),
    ],
)
def test_antigen_that_cannot_be_counted(resource: dict[str, Any], why: str) -> None:
    found = one(resource, LabResult)
    assert (found.value, found.rejected) == (None, why)


def test_limits_are_the_laboratorys_own() -> None:
    ranges = [
        {"high": mm(5, "ng/mL"), "type": {"coding": [{"code": "normal"}]}},
        {"high": mm(3, "ng/mL"), "type": {"coding": [{"code": "treatment"}]}},
        {"high": mm(5000, "pg/mL")},
    ]
    found = one(
        cea(mm("14.0", "ng/mL"), referenceRange=ranges, performer=[{"reference": "Organization/lab"}]),
        LabResult,
    )
    assert (found.uln, found.performer) == (Decimal(5), "Organization/lab")
    assert one(cea(mm(14, "ng/mL")), LabResult).uln is None
    other = [{"high": mm(5, "ng/mL")}]
    assert one(cea(mm(14, "ug/L"), referenceRange=other), LabResult).uln == Decimal(5)
    below = one(cea(mm(2, "ng/mL") | {"comparator": "<"}), LabResult)
    assert (below.value, below.comparator) == (Decimal(2), "<")


def test_entered_in_error_antigen() -> None:
    (record,) = records(cea(mm(14, "ng/mL"), status="entered-in-error"))
    assert isinstance(record, Rejected)
