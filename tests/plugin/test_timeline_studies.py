"""Studies: what belongs to one examination, its class, its day, whether it is final and of the liver."""

from datetime import date

import pytest

from fhir_profiles.codes import Contrast, ImagingElsewhere, Method, Operation, Protocol, ProtocolValue, Site
from plugin.timeline import Study
from tests.plugin.history import History, coded, of_kind, one, part, segment, to

PELVIS = {"series": [{"uid": "2.25.5", "modality": {"code": "MR"}, "bodySite": Site.PELVIS.coding}]}


def only(h: History) -> Study:
    (study,) = h.timeline().studies
    return study


def test_report_adequacy_and_findings_make_one_study() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.good_mri("2026-03-01")
    report = h.report(study)
    h.seen(lesion, study, mm=9)
    found = only(h)
    assert (found.id, found.modality, found.final, found.liver) == (
        f"ImagingStudy/{study['id']}",
        "MRI",
        True,
        True,
    )
    assert {f"ImagingStudy/{study['id']}", f"DiagnosticReport/{report['id']}"} < set(found.sources)
    assert found.label == "MRI 2026-03-01"


def test_a_report_names_the_study_of_its_results() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-03-01", "CT")
    finding = h.seen(lesion, None, method="CT", day="2026-03-02")
    h.report(study, result=[to(finding)])
    (sighting,) = h.timeline().sightings
    assert sighting.study == f"ImagingStudy/{study['id']}"
    assert sighting.day is not None
    assert sighting.day.first == date(2026, 3, 1)


def test_an_unlinked_finding_joins_the_only_study_of_its_day_and_class() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-03-01", "CT")
    h.study("2026-03-01", "MRI")
    h.seen(lesion, None, method="CT", day="2026-03-01")
    (sighting,) = h.timeline().sightings
    assert sighting.study == f"ImagingStudy/{study['id']}"


def test_an_unlinked_finding_of_another_day_makes_a_study_of_its_own() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.study("2026-03-01", "CT")
    h.seen(lesion, None, method="CT", day="2026-03-09")
    made = [study for study in h.timeline().studies if study.synthetic]
    assert [(study.id, study.modality, study.final) for study in made] == [("exam:2026-03-09:CT", "CT", True)]


def test_two_studies_of_one_day_and_class_are_not_guessed_between() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.study("2026-03-01", "CT")
    h.study("2026-03-01", "CT")
    h.seen(lesion, None, method="CT", day="2026-03-01")
    (sighting,) = h.timeline().sightings
    assert sighting.study == "exam:2026-03-01:CT"


@pytest.mark.parametrize(
    ("reports", "final"),
    [((), None), (("preliminary",), False), (("final",), True), (("preliminary", "final"), True)],
)
def test_final_by_report(reports: tuple[str, ...], final: bool | None) -> None:
    h = History()
    study = h.study("2026-03-01", "MRI")
    for status in reports:
        h.report(study, status)
    assert only(h).final is final


def test_a_preliminary_finding_is_not_used_but_its_study_took_place() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-03-01", "MRI")
    finding = h.seen(lesion, study, "not-visible", status="preliminary")
    timeline = h.timeline()
    assert timeline.sightings == ()
    assert only(h).final is False
    assert [(n.source, n.reason) for n in timeline.notes] == [(f"Observation/{finding['id']}", "not-final")]
    assert not of_kind(h.facts(), "silence")


def test_a_study_of_another_region_is_not_of_the_liver_unless_it_describes_a_lesion() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-03-01", "MRI", **PELVIS)
    h.report(study)
    assert only(h).liver is False
    assert not of_kind(h.facts(), "silence")
    h.seen(lesion, study)
    assert only(h).liver is True


def test_a_report_of_the_chest_places_a_study_elsewhere_unless_another_report_is_open() -> None:
    h = History()
    study = h.study("2026-10-01", "CT")
    assert (only(h).liver, only(h).covers) == (True, False)
    h.report(study)["code"] = ImagingElsewhere.CT_CHEST.concept
    assert (only(h).liver, only(h).covers) == (False, False)
    h.report(study)
    assert (only(h).liver, only(h).covers) == (True, False)
    h.seen(h.lesion("L1", "VI"), study)
    assert (only(h).liver, only(h).covers) == (True, True)


def test_pet_ct_is_pet_and_also_ct_where_its_ct_part_has_a_statement() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-03-01", "PET")
    h.seen(lesion, study, "not-visible")
    assert [(s.id, s.modality) for s in h.timeline().studies] == [(f"ImagingStudy/{study['id']}", "PET")]
    h.seen(lesion, study, "visible", mm=8, method="CT")
    timeline = h.timeline()
    assert {(s.study, s.modality, s.visibility) for s in timeline.sightings} == {
        (f"ImagingStudy/{study['id']}", "PET", "not-visible"),
        (f"ImagingStudy/{study['id']}#CT", "CT", "visible"),
    }
    assert sorted(str(s.modality) for s in timeline.studies) == ["CT", "PET"]


@pytest.mark.parametrize("kind", ["IOUS", "CEIOUS"])
def test_intraoperative_ultrasound_by_method(kind: str) -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-03-01", "US"), "not-visible", method=kind)
    assert only(h).modality == kind


def test_with_and_without_contrast_in_one_operation_are_two_studies() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-03-01", "US")
    h.seen(lesion, study, "visible", method="IOUS")
    h.seen(lesion, study, "not-visible", method="CEIOUS")
    assert sorted(str(s.modality) for s in h.timeline().studies) == ["CEIOUS", "IOUS"]


def test_an_operation_stands_for_its_ultrasound() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    operation = h.treat("2026-03-01", lesion)
    h.seen(lesion, None, "visible", method="IOUS", day="2026-03-01", partOf=[to(operation)])
    found = only(h)
    assert (found.id, found.modality, found.synthetic) == (f"Procedure/{operation['id']}", "IOUS", False)


def test_a_method_that_contradicts_the_study_has_no_class() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    study = h.study("2026-03-01", "MRI")
    h.seen(lesion, study, "not-visible", method="CT")
    fact = one(h.facts(), "sighting")
    assert "class" not in fact
    assert fact["exam"] == f"ImagingStudy/{study['id']}#unknown"


def test_studies_with_one_instance_uid_are_one() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    identifier = [{"system": "urn:dicom:uid", "value": "urn:oid:2.25.99"}]
    h.study("2026-03-01", "CT", identifier=identifier)
    h.study("2026-03-01", "CT", identifier=identifier)
    other = {"identifier": identifier[0], "type": "ImagingStudy"}
    h.seen(lesion, None, "visible", day="2026-03-01", method="CT", derivedFrom=[other])
    assert only(h).modality == "CT"


def test_of_two_named_studies_the_one_of_the_same_day_counts() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    before, now = h.study("2026-01-05", "CT"), h.study("2026-04-05", "CT")
    h.seen(lesion, None, "not-visible", day="2026-04-05", derivedFrom=[to(before), to(now)])
    (sighting,) = h.timeline().sightings
    assert sighting.study == f"ImagingStudy/{now['id']}"


def test_a_reference_and_a_uid_of_two_studies_do_not_join_them() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    identifier = {"system": "urn:dicom:uid", "value": "urn:oid:2.25.99"}
    h.study("2026-01-05", "CT", identifier=[identifier])
    now = h.study("2026-04-05", "CT")
    both = {**to(now), "identifier": identifier}
    h.seen(lesion, None, "not-visible", day="2026-04-05", derivedFrom=[both])
    timeline = h.timeline()
    assert len(timeline.studies) == 2
    assert [each.study for each in timeline.sightings] == [f"ImagingStudy/{now['id']}"]


def test_the_worse_of_two_quality_statements_counts() -> None:
    h = History()
    study = h.study("2026-03-01", "MRI")
    sizes = [part(Protocol.SLICE, valueQuantity={"value": mm, "unit": "mm", "code": "mm"}) for mm in (3, 7)]
    h.adequacy(study, ProtocolValue.ADEQUATE, sizes[0], part(Protocol.DWI, valueBoolean=True))
    h.adequacy(study, ProtocolValue.LIMITED, sizes[1], part(Protocol.DWI, valueBoolean=False))
    exam = one(h.facts(), "exam")
    assert (exam["readerAdequacy"], exam["sliceMm"], exam["dwi"]) == ("limited", 7, "no")


@pytest.mark.parametrize(
    ("code", "better", "worse", "name"),
    [
        (Protocol.COVERAGE, ProtocolValue.WHOLE_LIVER, ProtocolValue.PARTIAL, "coverage"),
        (Protocol.ARTEFACT, ProtocolValue.NONE, ProtocolValue.PRESENT, "artefact"),
        (Protocol.RETICULATION, ProtocolValue.NONE, ProtocolValue.DIFFUSE, "hbpReticulation"),
        (Protocol.HBP_QUALITY, ProtocolValue.GOOD, ProtocolValue.POOR, "hbpQuality"),
    ],
)
def test_the_worse_property_counts(
    code: Protocol, better: ProtocolValue, worse: ProtocolValue, name: str
) -> None:
    h = History()
    study = h.study("2026-03-01", "MRI")
    for value in (better, worse):
        h.adequacy(study, ProtocolValue.ADEQUATE, coded(code, value))
    assert one(h.facts(), "exam")[name] == worse.code


def test_two_agents_leave_the_agent_open() -> None:
    h = History()
    study = h.study("2026-03-01", "MRI")
    for agent in (Contrast.GADOXETATE, Contrast.GADOBUTROL):
        h.adequacy(study, ProtocolValue.ADEQUATE, coded(Protocol.AGENT, agent))
    assert "agent" not in one(h.facts(), "exam")


def test_contrast_given_that_day_fills_in_the_agent_of_the_only_mri() -> None:
    h = History()
    h.adequacy(h.study("2026-03-01", "MRI"))
    h.add(
        "MedicationAdministration",
        status="completed",
        medicationCodeableConcept=Contrast.GADOXETATE.concept,
        effectiveDateTime="2026-03-01",
    )
    assert one(h.facts(), "exam")["agent"] == "gadoxetate"
    assert not of_kind(h.facts(), "dose")


def test_artefact_coverage_and_reticulation_at_the_site() -> None:
    h = History()
    inside, outside = h.lesion("L1", "IVa"), h.lesion("L2", "VI")
    nowhere = h.lesion("L3", None)
    study = h.study("2026-03-01", "MRI")
    site = {"valueCodeableConcept": Site.IV.concept}
    h.adequacy(
        study,
        ProtocolValue.LIMITED,
        coded(Protocol.ARTEFACT, ProtocolValue.MOTION),
        part(Protocol.ARTEFACT_SEGMENT, **site),
        coded(Protocol.COVERAGE, ProtocolValue.PARTIAL),
        part(Protocol.EXCLUDED, **site),
        coded(Protocol.RETICULATION, ProtocolValue.SEGMENTS),
        part(Protocol.RETICULATION_SEGMENT, **site),
    )
    for lesion in (inside, outside, nowhere):
        h.seen(lesion, study, "not-visible")
    facts = h.facts()

    def at(lesion: dict[str, str]) -> tuple[str | None, ...]:
        fact = one(facts, "sighting", lesion=f"BodyStructure/{lesion['id']}")
        return tuple(fact.get(name) for name in ("artefactAtSite", "coveredSite", "reticulationAtSite"))

    assert at(inside) == ("yes", "no", "yes")
    assert at(outside) == ("no", "yes", "no")
    assert at(nowhere) == ("yes", None, "yes")  # where it lies is not known: the caution stays
    assert one(facts, "exam")["artefactPlaced"] == "yes"


def test_a_cancelled_study_is_listed_and_not_used() -> None:
    h = History()
    study = h.study("2026-03-01", "MRI", status="cancelled")
    timeline = h.timeline()
    assert timeline.studies == ()
    assert [(r.source, r.reason) for r in timeline.rejected] == [(f"ImagingStudy/{study['id']}", "cancelled")]


def test_a_pathology_report_is_no_study() -> None:
    h = History()
    h.add("DiagnosticReport", status="final", code={"text": "histology"}, effectiveDateTime="2026-03-01")
    assert h.timeline().studies == ()


def test_a_report_without_study_is_one_when_it_is_of_imaging() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    finding = h.seen(lesion, None, "not-visible", day="2026-03-01", **segment("VI"))
    report = h.add(
        "DiagnosticReport",
        status="final",
        code=Method.MRI_LIVER.concept,
        effectiveDateTime="2026-03-01",
        result=[to(finding)],
    )
    found = only(h)
    assert (found.id, found.modality, found.synthetic) == (f"DiagnosticReport/{report['id']}", "MRI", False)


def test_an_operation_without_ultrasound_is_no_study() -> None:
    h = History()
    h.treat("2026-03-01", kind=Operation.HEPATECTOMY)
    assert h.timeline().studies == ()
