"""Patient, conditions, lesions, reasons against MRI, and Bundles."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles.codes import DCM, DICOM_UID, ICD10, Contrast, Diagnosis, Identifier, Organ, Site
from fhir_profiles.read import subject_of, token, unbundle
from fhir_profiles.records import ConditionRecord, LesionRecord, PatientFact, PatientRecord
from tests.fhir_profiles.resources import BASE, concept, one, records, refused, snomed, visibility


def test_patient() -> None:
    given = {"resourceType": "Patient", "id": "p1", "birthDate": "1961-03", "name": [{"family": "Sample"}]}
    found = one(given, PatientRecord)
    assert (found.birth.first, found.birth.last, found.deceased) == (
        date(1961, 3, 1),
        date(1961, 3, 31),
        None,
    )
    assert one(given | {"deceasedDateTime": "2026-01-01"}, PatientRecord).deceased is True
    assert one(given | {"deceasedBoolean": False}, PatientRecord).deceased is False
    assert "Sample" not in repr(found)


def condition(code: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c1", "code": code, "onsetDateTime": "2026-04-13"} | fields


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Diagnosis.LIVER_METASTASES.concept, "liver-metastases"),
        (concept(ICD10, "C78.7"), "liver-metastases"),
        (concept("http://hl7.org/fhir/sid/icd-10-cm", "C787"), "liver-metastases"),
        (concept("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "C18.9"), "colorectal-primary"),
        (concept(ICD10, "C20"), "colorectal-primary"),
        (concept(ICD10, "C78.0"), "extrahepatic-metastases"),
        (concept(ICD10, "C79.5"), "extrahepatic-metastases"),
        (concept(ICD10, "C22.0"), "other-primary"),
        (concept(ICD10, "C50.9"), "other-primary"),
        (concept(ICD10, "K76.0"), "steatosis"),
        (concept(ICD10, "K74.6"), "cirrhosis"),
        (Diagnosis.SOS.concept, "sos"),
        (Diagnosis.PACEMAKER.concept, "device"),
    ],
)
def test_conditions(code: dict[str, Any], kind: str) -> None:
    found = one(condition(code), ConditionRecord)
    assert (found.kind, found.day.first) == (kind, date(2026, 4, 13))


@pytest.mark.parametrize(
    "code", [concept(ICD10, "E78.5"), concept(ICD10, "C77.2"), {"text": "liver metastases"}]
)
def test_conditions_that_say_nothing_here(code: dict[str, Any]) -> None:
    assert records(condition(code)) == ()


@pytest.mark.parametrize(
    ("fields", "active", "certain"),
    [
        ({}, None, None),
        ({"clinicalStatus": {"coding": [{"code": "active"}]}}, True, None),
        ({"clinicalStatus": {"coding": [{"code": "resolved"}]}}, False, None),
        (
            {"clinicalStatus": {"coding": [{"code": "active"}]}, "abatementDateTime": "2026-06-01"},
            False,
            None,
        ),
        ({"verificationStatus": {"coding": [{"code": "confirmed"}]}}, None, True),
        ({"verificationStatus": {"coding": [{"code": "provisional"}]}}, None, False),
    ],
)
def test_activity_and_certainty(fields: dict[str, Any], active: bool | None, certain: bool | None) -> None:
    found = one(condition(Diagnosis.LIVER_METASTASES.concept, **fields), ConditionRecord)
    assert (found.active, found.certain) == (active, certain)


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_refuted_conditions(status: str) -> None:
    given = condition(Diagnosis.LIVER_METASTASES.concept, verificationStatus={"coding": [{"code": status}]})
    assert refused(given) == status


def body(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "BodyStructure",
        "id": "l1",
        "identifier": [
            {"type": Identifier.TRACKING_UID.concept, "system": DICOM_UID, "value": "urn:oid:2.25.1"},
            {"type": Identifier.LABEL.concept, "value": "L3"},
        ],
        "location": Site.VI.concept,
        "patient": {"reference": "Patient/p1"},
    } | fields


def test_lesions() -> None:
    found = one(body(active=False), LesionRecord)
    assert (found.ref.body, found.ref.uid, found.ref.label, found.ref.segment) == (
        "BodyStructure/l1", "2.25.1", "L3", "VI",
    )  # fmt: skip
    assert (found.liver, found.active, found.subject) == (True, False, "Patient/p1")


@pytest.mark.parametrize(
    ("kind", "uid"),
    [
        (None, "1.2.3"),
        ({"coding": [{"system": DCM, "code": "112040"}]}, "1.2.3"),
        ({"coding": [{"system": DCM, "code": "112002"}]}, None),
        ({"coding": [{"system": DCM, "code": "110180"}]}, None),
        ({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]}, None),
        ({"text": "Series Instance UID"}, None),
    ],
)
def test_a_uid_of_something_else_is_no_lesion(kind: dict[str, Any] | None, uid: str | None) -> None:
    given = {"type": kind, "system": DICOM_UID, "value": "urn:oid:1.2.3"}
    if kind is None:
        del given["type"]
    assert one(body(identifier=[given]), LesionRecord).ref.uid == uid


@pytest.mark.parametrize(
    ("fields", "segment", "liver"),
    [
        ({"location": Site.IVB.concept}, "IVb", True),
        ({"location": Site.LIVER.concept}, "liver", True),
        ({"location": {"coding": [Site.LIVER.coding, Site.VII.coding]}}, "VII", True),
        ({"location": {"coding": [Site.VI.coding, Site.VII.coding]}}, None, True),
        ({"location": Site.BREAST.concept}, None, False),
        *(({"location": organ.concept}, None, False) for organ in Organ),
        ({"location": {"coding": [Organ.COLON.coding, Site.LIVER.coding]}}, "liver", True),
        ({"location": {"coding": [Organ.COLON.coding, snomed("123")]}}, None, False),
        ({"location": Site.ABDOMEN.concept}, None, None),
        ({"location": snomed("123")}, None, None),
        ({"location": None, "includedStructure": [{"structure": Site.VIII.concept}]}, "VIII", True),
    ],
)
def test_where_a_lesion_is(fields: dict[str, Any], segment: str | None, liver: bool | None) -> None:
    found = one(body(**fields), LesionRecord)
    assert (found.ref.segment, found.liver) == (segment, liver)


def test_two_labels_are_no_label() -> None:
    labels = [{"type": Identifier.LABEL.concept, "value": value} for value in ("L3", "L4")]
    found = one(body(identifier=labels), LesionRecord)
    assert (found.ref.label, found.labels) == (None, ("L3", "L4"))


def test_a_part_names_the_lesion_it_split_off() -> None:
    url = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-split-from"
    whole = {"url": url, "valueReference": {"reference": "BodyStructure/l1"}}
    found = one(body(extension=[whole]), LesionRecord)
    assert (found.split_from.body, found.merged_into) == ("BodyStructure/l1", None)
    other = {"url": url, "valueReference": {"reference": "BodyStructure/l2"}}
    assert one(body(extension=[whole, other]), LesionRecord).split_from is None


def test_mergers_and_nature() -> None:
    canonical = "https://vestige.example/fhir/StructureDefinition"
    extensions = [
        {"url": f"{canonical}/crlm-lesion-reference", "valueReference": {"reference": "BodyStructure/l2"}},
        {
            "url": f"{canonical}/crlm-lesion-nature",
            "valueCodeableConcept": {
                "coding": [{"system": f"{canonical[:-20]}/CodeSystem/crlm", "code": "benign"}]
            },
        },
    ]
    found = one(body(extension=extensions), LesionRecord)
    assert found.merged_into.body == "BodyStructure/l2"
    assert found.split_from is None
    assert found.nature == "benign"


def test_reasons_against_mri() -> None:
    allergy = {"resourceType": "AllergyIntolerance", "id": "a1", "code": Contrast.GADOXETATE.concept}
    assert one(allergy, PatientFact).value == "contrast-allergy"
    assert records(allergy | {"code": {"text": "latex"}}) == ()
    refuted = allergy | {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert refused(refuted) == "refuted"
    device = {"resourceType": "Device", "id": "d1", "type": Diagnosis.PACEMAKER.concept}
    assert one(device, PatientFact).value == "device"
    assert records(device | {"type": {"text": "coil"}}) == ()


def test_subjects_and_tokens() -> None:
    assert subject_of(visibility()) == "Patient/p1"
    assert subject_of({"resourceType": "Patient", "id": "p9"}) == "Patient/p9"
    assert (
        subject_of(visibility(subject={"reference": f"{BASE}/Patient/p1/_history/2"}), BASE) == "Patient/p1"
    )
    foreign = visibility(subject={"reference": "https://other.example/Patient/p1"})
    assert subject_of(foreign, BASE) == "https://other.example/Patient/p1"
    inner = visibility(subject={"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}])
    assert subject_of(inner) == "Patient/p"
    assert subject_of({"resourceType": "Observation"}) is None
    assert token(visibility(meta={"versionId": "2"})) == "Observation/o1/_history/2"
    assert token({"resourceType": "Observation"}) == "Observation/?"


def test_bundles_resolve_their_own_references() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:aa", "resource": body(id=None)},
            {"fullUrl": "urn:uuid:bb", "resource": visibility(focus=[{"reference": "urn:uuid:aa"}])},
            {"resource": {"resourceType": "OperationOutcome"}},
            {"search": {"mode": "outcome"}, "resource": visibility()},
            {"response": {"status": "201"}},
            {"resource": {"resourceType": "Bundle", "entry": [{"resource": visibility(id="o2")}]}},
            "nonsense",
        ],
    }
    lesion, seen, nested = unbundle(bundle)
    assert (lesion["id"], seen["focus"][0]["reference"]) == ("aa", "BodyStructure/aa")
    assert nested["id"] == "o2"
    assert unbundle({"entry": None}) == ()
