"""Studies, reports and what a reader says of an examination."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.codes import (
    DCM,
    Contrast,
    Imaging,
    ImagingElsewhere,
    Method,
    Organ,
    Protocol,
    ProtocolValue,
    Site,
    Topic,
)
from fhir_profiles.records import Exam, ExamAdequacy, Report
from tests.fhir_profiles.resources import mm, observation, one, records, refused, snomed


def study(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "ImagingStudy",
        "id": "s1",
        "status": "available",
        "subject": {"reference": "Patient/p1"},
        "started": "2026-10-01T09:30:00+02:00",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
    } | fields


def coding(code: str) -> dict[str, str]:
    return {"system": DCM, "code": code}


@pytest.mark.parametrize(
    ("fields", "classes"),
    [
        ({"modality": [coding("MR")]}, ("MRI",)),
        ({"modality": [{"coding": [coding("MR")]}]}, ("MRI",)),
        ({"modality": [coding("PT"), coding("CT")]}, ("PET", "CT")),
        ({"series": [{"modality": coding("CT")}, {"modality": coding("SR")}]}, ("CT",)),
        ({"modality": [coding("US")], "procedureCode": [Method.IOUS_LIVER.concept]}, ("IOUS",)),
        ({"modality": [coding("US")], "procedureCode": [Method.CEIOUS.concept]}, ("CEIOUS",)),
        ({"procedureCode": [Method.PET_CT_FDG.concept]}, ("PET", "CT")),
        ({"procedureCode": [Imaging.MR_LIVER_WO_W.concept]}, ("MRI",)),
        ({}, ()),
    ],
)
def test_classes(fields: dict[str, Any], classes: tuple[str, ...]) -> None:
    exam = one(study(**fields), Exam)
    assert exam.classes == classes
    assert (exam.study.key, exam.study.uid, exam.day.first) == ("ImagingStudy/s1", "1.2.3", date(2026, 10, 1))


@pytest.mark.parametrize(
    ("sites", "region"),
    [
        ([Site.LIVER.coding], "liver"),
        ([Site.VII.coding], "liver"),
        ([Site.CHEST_ABDOMEN_PELVIS.coding], "abdomen"),
        ([{"concept": {"coding": [Site.WHOLE_BODY.coding]}}], "whole-body"),
        ([Site.PELVIS.coding], "other"),
        ([Site.THORAX.coding], "other"),
        ([Organ.COLON.coding], None),  # images of the colon may hold the liver
        ([Organ.LUNG.coding, Site.PELVIS.coding], None),
        ([Site.PELVIS.coding, Site.LIVER.coding], "liver"),
        ([Site.PELVIS.coding, snomed("123")], None),
        ([Site.PELVIS.coding, None], None),
        ([snomed("123")], None),
        ([], None),
    ],
)
def test_an_unknown_region_is_never_another_region(sites: list[Any], region: str | None) -> None:
    series = [{"bodySite": site} if site else {} for site in sites]
    assert one(study(series=series), Exam).region == region


CHEST = ImagingElsewhere.CT_CHEST.concept
LOCAL = {"coding": [{"system": "urn:local", "code": "CTTH"}]}


@pytest.mark.parametrize(
    ("fields", "region"),
    [
        ({"procedureCode": [CHEST]}, "other"),
        ({"procedure": [{"concept": CHEST}]}, "other"),
        ({"procedureCode": [{"coding": [*LOCAL["coding"], *CHEST["coding"]]}]}, "other"),
        ({"procedureCode": [CHEST, LOCAL]}, None),  # one of several parts, the other is not known
        ({"procedureCode": [CHEST, Imaging.CT_LIVER.concept]}, "liver"),
        ({"procedureCode": [CHEST], "series": [{"bodySite": Site.CHEST_ABDOMEN.coding}]}, "abdomen"),
        ({"procedureCode": [CHEST], "series": [{"bodySite": snomed("123")}]}, None),
        ({"procedureCode": [LOCAL]}, None),
    ],
)
def test_the_procedure_tells_the_region_where_no_site_does(
    fields: dict[str, Any], region: str | None
) -> None:
    assert one(study(**fields), Exam).region == region


@pytest.mark.parametrize("code", list(ImagingElsewhere))
def test_a_report_on_another_part_of_the_body(code: ImagingElsewhere) -> None:
    linked = [{"reference": "ImagingStudy/s1"}]
    assert one(report(code=code.concept, imagingStudy=linked), Report).region == "other"
    assert one(report(code=LOCAL, imagingStudy=linked), Report).region is None


def test_a_study_without_a_day_or_with_a_bad_one() -> None:
    assert one(study(started="yesterday"), Exam).flags == ("bad-date",)
    undated = study()
    del undated["started"]
    assert (one(undated, Exam).day, one(undated, Exam).flags) == (None, ("no-date",))


def test_a_cancelled_study_is_no_study() -> None:
    assert refused(study(status="cancelled")) == "cancelled"


def report(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": Imaging.MR_LIVER_W.concept,
        "effectiveDateTime": "2026-10-01",
    } | fields


@pytest.mark.parametrize("link", ["imagingStudy", "study"])
def test_reports_link_studies_and_results(link: str) -> None:
    given = report(
        **{link: [{"reference": "ImagingStudy/s1"}]}, result=[{"reference": "Observation/o1/_history/2"}]
    )
    found = one(given, Report)
    assert [linked.key for linked in found.studies] == ["ImagingStudy/s1"]
    assert found.results == ("Observation/o1",)
    assert (found.method, found.region, found.imaging) == ("MRI", "liver", True)


def test_addenda_and_other_reports() -> None:
    addendum = report(
        extension=[
            {
                "url": "http://hl7.org/fhir/StructureDefinition/diagnosticReport-addendumOf",
                "valueReference": {"reference": "DiagnosticReport/r0"},
            }
        ]
    )
    assert one(addendum, Report).replaces == ("DiagnosticReport/r0",)
    assert records(report(code={"text": "Complete blood count"})) == ()
    assert refused(report(status="entered-in-error")) == "entered-in-error"


def adequacy(*parts: tuple[Protocol, dict[str, Any]], **fields: Any) -> dict[str, Any]:
    given = [{"code": code.concept, **value} for code, value in parts]
    value = {"valueCodeableConcept": ProtocolValue.ADEQUATE.concept}
    return observation(Topic.ADEQUACY, **(value | {"component": given} | fields))


def coded(value: Any) -> dict[str, Any]:
    return {"valueCodeableConcept": value.concept}


@pytest.mark.parametrize(
    ("part", "value", "field", "expected"),
    [
        (Protocol.AGENT, coded(Contrast.GADOXETATE), "agent", "gadoxetate"),
        (Protocol.AGENT, coded(Contrast.GADOTERATE), "agent", "other"),
        (Protocol.AGENT, coded(Contrast.NONE), "agent", "none"),
        (Protocol.HBP, {"valueBoolean": True}, "hbp", True),
        (Protocol.HBP, coded(ProtocolValue.NO), "hbp", False),
        (Protocol.HBP_DELAYED, coded(ProtocolValue.YES), "hbp_delayed", True),
        (Protocol.HBP_QUALITY, coded(ProtocolValue.POOR), "hbp_quality", "poor"),
        (Protocol.DWI, {"valueBoolean": False}, "dwi", False),
        (Protocol.MAX_B, {"valueQuantity": mm(800, "s/mm2")}, "max_b", 800),
        (Protocol.MAX_B, {"valueInteger": 400}, "max_b", 400),
        (Protocol.MAX_B, {"valueQuantity": mm(800, "mm")}, "max_b", None),
        (Protocol.SLICE, {"valueQuantity": mm(0.3, "cm")}, "slice_mm", Decimal(3)),
        (Protocol.SLICE, {"valueQuantity": mm(21)}, "slice_mm", None),
        (Protocol.COVERAGE, coded(ProtocolValue.PARTIAL), "coverage", "partial"),
        (Protocol.COVERED, coded(Site.VI), "covered_segments", ("VI",)),
        (Protocol.EXCLUDED, coded(Site.IVA), "excluded_segments", ("IVa",)),
        (Protocol.ARTEFACT, coded(ProtocolValue.NONE), "artefact", "none"),
        (Protocol.ARTEFACT, coded(ProtocolValue.MOTION), "artefact", "present"),
        (Protocol.ARTEFACT_SEGMENT, coded(Site.II), "artefact_segments", ("II",)),
        (Protocol.RETICULATION, coded(ProtocolValue.DIFFUSE), "reticulation", "diffuse"),
        (Protocol.LESION_MAP, {"valueBoolean": True}, "lesion_map", True),
    ],
)
def test_protocol(part: Protocol, value: dict[str, Any], field: str, expected: Any) -> None:
    found = one(adequacy((part, value)), ExamAdequacy)
    assert getattr(found, field) == expected
    assert found.adequacy == "adequate"
    assert found.studies[0].key == "ImagingStudy/s1"


def test_an_artefact_with_a_place_is_present_and_places_add_up() -> None:
    places = [(Protocol.ARTEFACT_SEGMENT, coded(site)) for site in (Site.II, Site.III)]
    found = one(adequacy(*places), ExamAdequacy)
    assert (found.artefact, found.artefact_segments) == ("present", ("II", "III"))


def test_what_is_not_said_is_unknown() -> None:
    found = one(adequacy(), ExamAdequacy)
    fields = (
        "agent",
        "hbp",
        "dwi",
        "hbp_quality",
        "max_b",
        "slice_mm",
        "coverage",
        "artefact",
        "reticulation",
    )
    assert [getattr(found, field) for field in fields] == [None] * len(fields)


def test_an_adequacy_that_says_nothing_is_refused() -> None:
    assert refused(adequacy(valueCodeableConcept={"text": "fine"})) == "value-not-accepted"
    protocol_only = adequacy((Protocol.HBP, {"valueBoolean": True}), valueCodeableConcept={"text": "fine"})
    assert one(protocol_only, ExamAdequacy).adequacy is None
