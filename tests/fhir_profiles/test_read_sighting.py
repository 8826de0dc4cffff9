"""What an Observation says of one lesion: the four values, sizes and their faults, links, dialects."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.codes import (
    DCM,
    DICOM_UID,
    Feature,
    FeatureValue,
    Identifier,
    Measure,
    Method,
    Size,
    Topic,
    Visibility,
)
from fhir_profiles.read import with_selections
from fhir_profiles.records import PathologyNodule, Rejected, Sighting
from tests.fhir_profiles.resources import (
    BASE,
    mm,
    observation,
    one,
    records,
    refused,
    size,
    snomed,
    visibility,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Visibility.PRESENT, "visible"),
        (Visibility.DETECTED, "visible"),
        (Visibility.VISIBLE_LOCAL, "visible"),
        (Visibility.NOT_DETECTED, "not-visible"),
        (Visibility.NOT_VISIBLE_LOCAL, "not-visible"),
        (Visibility.INDETERMINATE, "indeterminate"),
        (Visibility.NOT_ASSESSED_LOCAL, "not-assessed"),
    ],
)
def test_visibility(value: Visibility, expected: str) -> None:
    sighting = one(visibility(value), Sighting)
    assert (sighting.visibility, sighting.explicit) == (expected, True)
    assert sighting.lesion.body == "BodyStructure/l1"
    assert sighting.studies[0].key == "ImagingStudy/s1"
    assert (sighting.method, sighting.day.first) == ("MRI", date(2026, 10, 1))


def test_absent_for_a_reason_is_not_assessed() -> None:
    resource = visibility(None, dataAbsentReason=snomed("1"))
    assert one(resource, Sighting).visibility == "not-assessed"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (visibility(None), "no-value"),
        (visibility(None, valueString="not seen"), "value-not-accepted"),
        (visibility(None, valueBoolean=False), "value-not-accepted"),
        (visibility(None, valueCodeableConcept=snomed("272519000")), "value-not-accepted"),
        (visibility(None, valueCodeableConcept={"text": "not detected"}), "value-not-accepted"),
        (visibility(Visibility.NOT_DETECTED, dataAbsentReason=snomed("1")), "value-not-accepted"),
        (
            visibility(
                None,
                valueCodeableConcept={
                    "coding": [Visibility.PRESENT.coding, Visibility.NOT_DETECTED.coding],
                },
            ),
            "value-not-accepted",
        ),
    ],
    ids=["nothing", "text", "boolean", "claims-absence", "text-only-concept", "value-and-reason", "both"],
)
def test_no_negative_claim_is_guessed(resource: dict[str, Any], reason: str) -> None:
    assert refused(resource) == reason


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (mm(14), "14"),
        (mm(1.4, "cm"), "14"),
        (mm("1.45", "cm"), "14.5"),
        ({"value": 9, "unit": "mm"}, "9"),
        ({"value": 9, "code": "mm"}, "9"),
        ({"value": 2, "unit": "centimeter"}, "20"),
    ],
)
def test_size(quantity: dict[str, Any], expected: str) -> None:
    sighting = one(size(quantity), Sighting)
    assert sighting.mm == Decimal(expected)
    assert (sighting.visibility, sighting.explicit) == ("visible", False)


@pytest.mark.parametrize(
    ("quantity", "why"),
    [
        ({"value": 14}, "unit"),
        (mm(14, "in"), "unit"),
        ({"value": 1.2, "unit": "centimeter", "code": "mm"}, "unit"),
        ({"value": 1.2, "unit": "Centimetres", "code": "mm"}, "unit"),
        ({"value": 14, "unit": "cm", "code": "mm", "system": "http://unitsofmeasure.org"}, "unit"),
        (mm(301), "implausible"),
        (mm(31, "cm"), "implausible"),
        (mm(9) | {"comparator": "ad"}, "comparator"),
    ],
)
def test_a_bad_size_never_undoes_the_sighting(quantity: dict[str, Any], why: str) -> None:
    sighting = one(size(quantity), Sighting)
    assert (sighting.mm, sighting.size_rejected, sighting.visibility) == (None, why, "visible")


def test_zero_is_no_claim_at_all() -> None:
    sighting = one(size(mm(0)), Sighting)
    assert sighting.zero_size
    assert sighting.visibility is None
    assert sighting.mm is None


@pytest.mark.parametrize("quantity", [mm(-3), mm("many"), {"unit": "mm"}])
def test_a_number_that_is_none_says_nothing(quantity: dict[str, Any]) -> None:
    sighting = one(size(quantity), Sighting)
    assert (sighting.visibility, sighting.mm) == (None, None)
    assert sighting.size_rejected in {"negative", "no-number"}


@pytest.mark.parametrize(
    ("value", "visibility", "zero", "why"),
    [
        ("1,2", "visible", False, "no-number"),
        ("ca. 12", "visible", False, "no-number"),
        ("0,0", None, True, None),
        ("-1,2", None, False, "negative"),
        ("n/a", None, False, "no-number"),
        (True, None, False, "no-number"),
        ({"odd": 1}, None, False, "no-number"),
    ],
)
def test_a_value_that_is_no_number_may_still_be_a_size(
    value: Any, visibility: str | None, zero: bool, why: str | None
) -> None:
    sighting = one(size(mm(1, "cm") | {"value": value}), Sighting)
    assert (sighting.mm, sighting.visibility) == (None, visibility)
    assert (sighting.zero_size, sighting.size_rejected) == (zero, why)


def test_comparators_are_kept() -> None:
    sighting = one(size(mm(5) | {"comparator": "<"}), Sighting)
    assert (sighting.mm, sighting.size_comparator) == (Decimal(5), "<")


def test_text_is_shown_and_never_counted() -> None:
    sighting = one(size(None, valueString="1.2 x 0.8 cm"), Sighting)
    assert (sighting.size_text, sighting.mm, sighting.visibility) == ("1.2 x 0.8 cm", None, None)


def test_too_small_to_measure_is_visible() -> None:
    resource = size(None, component=[{"code": Size.TTSM.concept, "valueBoolean": True}])
    sighting = one(resource, Sighting)
    assert (sighting.ttsm, sighting.visibility, sighting.mm) == (True, "visible", None)


def test_two_different_longest_diameters_are_no_size() -> None:
    parts = [{"code": Size.LONGEST.concept, "valueQuantity": mm(value)} for value in (12, 15)]
    sighting = one(size(None, component=parts), Sighting)
    assert (sighting.mm, sighting.size_rejected, sighting.visibility) == (None, "several", "visible")


@pytest.mark.parametrize("code", [Size.TUMOUR_SIZE, Size.LONGEST, Size.LONG_AXIS])
def test_sizes_as_observations_of_their_own(code: Size) -> None:
    sighting = one(observation(code, valueQuantity=mm(17)), Sighting)
    assert (sighting.mm, sighting.visibility) == (Decimal(17), "visible")


def test_ranges_and_bare_integers_are_visible_without_a_size() -> None:
    ranged = size(
        None, component=[{"code": Size.LONGEST.concept, "valueRange": {"low": mm(5), "high": mm(8)}}]
    )
    assert one(ranged, Sighting).visibility == "visible"
    assert one(ranged, Sighting).size_rejected == "range"
    bare = size(None, component=[{"code": Size.LONGEST.concept, "valueInteger": 5}])
    assert one(bare, Sighting).size_rejected == "unit"


def test_not_seen_and_measured_in_one_observation_is_both() -> None:
    parts = [{"code": Size.LONGEST.concept, "valueQuantity": mm(6)}]
    found = records(visibility(Visibility.NOT_DETECTED, component=parts))
    assert [record.visibility for record in found if isinstance(record, Sighting)] == [
        "not-visible",
        "visible",
    ]
    assert [record.mm for record in found if isinstance(record, Sighting)] == [None, Decimal(6)]


@pytest.mark.parametrize(
    ("code", "value", "field", "expected"),
    [
        (Feature.REMNANT, FeatureValue.CALCIFIED, "remnant", "calcified"),
        (Feature.REMNANT, FeatureValue.ABLATION_ZONE, "remnant", "ablation-zone"),
        (Feature.CONSPICUITY, FeatureValue.INCREASED, "conspicuity", "increased"),
        (Feature.RIM, FeatureValue.THICK, "rim", "thick"),
        (Feature.HBP_SIGNAL, FeatureValue.HYPER, "hbp_signal", "hyper"),
    ],
)
def test_features_as_components_and_on_their_own(
    code: Feature, value: FeatureValue, field: str, expected: str
) -> None:
    part = {"code": code.concept, "valueCodeableConcept": value.concept}
    assert getattr(one(visibility(Visibility.PRESENT, component=[part]), Sighting), field) == expected
    alone = one(observation(code, valueCodeableConcept=value.concept), Sighting)
    assert getattr(alone, field) == expected
    assert alone.visibility is None


def test_numbered_and_yes_no_features() -> None:
    parts = [
        {"code": Feature.MORPHOLOGY_GROUP.concept, "valueInteger": 2},
        {"code": Feature.RIM_WIDTH.concept, "valueQuantity": mm(0.3, "cm")},
        {"code": Feature.PET_AVID.concept, "valueBoolean": False},
        {"code": Feature.NEW_LESION.concept, "valueCodeableConcept": FeatureValue.NEW.concept},
        {"code": Size.TTSM.concept, "valueBoolean": False},
        {"code": Feature.CALCIFICATION.concept, "valueCodeableConcept": {"text": "punctate"}},
    ]
    sighting = one(visibility(Visibility.PRESENT, component=parts), Sighting)
    assert (sighting.morph_group, sighting.rim_mm, sighting.pet_avid) == (2, Decimal(3), False)
    assert (sighting.new_statement, sighting.ttsm) == ("new", False)
    assert sighting.features == (("112030", "punctate"),)


def test_a_feature_outside_its_set_says_nothing() -> None:
    part = {"code": Feature.CONSPICUITY.concept, "valueCodeableConcept": FeatureValue.THICK.concept}
    group = {"code": Feature.MORPHOLOGY_GROUP.concept, "valueInteger": 4}
    sighting = one(visibility(Visibility.PRESENT, component=[part, group]), Sighting)
    assert (sighting.conspicuity, sighting.morph_group) == (None, None)


@pytest.mark.parametrize(
    ("code", "quantity", "field", "expected"),
    [
        (Measure.ATTENUATION, mm(55, "[hnsf'U]"), "hu", "55"),
        (Measure.ADC, mm(1350, "um2/s"), "adc", "1350"),
        (Measure.ADC, mm("1.35", "10*-3.mm2/s"), "adc", "1350"),
        (Measure.ADC_MONO, mm("0.00135", "mm2/s"), "adc", "1350"),
        (Measure.ADC, mm(1350, "10-6.mm2/s"), "adc", "1350"),
        (Measure.SUV, mm(4.2, "g/ml{SUVbw}"), "suv", "4.2"),
        (Measure.SUL, mm(3.1, "g/ml{SUVlbm}"), "sul", "3.1"),
    ],
)
def test_measures(code: Measure, quantity: dict[str, Any], field: str, expected: str) -> None:
    sighting = one(observation(code, valueQuantity=quantity), Sighting)
    assert getattr(sighting, field) == Decimal(expected)
    assert sighting.visibility is None


@pytest.mark.parametrize(
    ("code", "field"),
    [
        (Measure.ADC, "adc"),
        (Measure.ADC_MONO, "adc"),
        (Measure.ATTENUATION, "hu"),
        (Measure.SUV, "suv"),
        (Measure.SUL, "sul"),
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        {"valueQuantity": {"value": 1.25}},
        {"valueQuantity": mm(1.25, "mm")},
        {"valueQuantity": mm(1.25, "mm2")},
        {"valueQuantity": {"value": 1.25, "system": "http://unitsofmeasure.org", "code": ""}},
        {"valueInteger": 55},
        {"valueString": "about 1.25"},
    ],
)
def test_a_measure_without_its_unit_is_named_and_has_no_value(
    code: Measure, field: str, value: dict[str, Any]
) -> None:
    found = one(observation(code, **value), Sighting)
    assert found.unusable == (field,)
    assert getattr(found, field) is None
    assert (found.visibility, found.mm) == (None, None)


def test_a_bound_of_a_measure_is_no_value() -> None:
    quantity = mm(1350, "um2/s") | {"comparator": "<"}
    found = one(observation(Measure.ADC, valueQuantity=quantity), Sighting)
    assert (found.adc, found.unusable) == (None, ("adc",))


def test_a_measure_with_neither_value_nor_unit_says_nothing() -> None:
    assert refused(observation(Measure.ADC, dataAbsentReason=snomed("1"))) == "no-value"


SERIES_UID = {
    "type": {"coding": [{"system": DCM, "code": "112002"}]},
    "system": DICOM_UID,
    "value": "urn:oid:1.2.3.4",
}
UID = {"type": Identifier.TRACKING_UID.concept, "system": DICOM_UID, "value": "urn:oid:2.25.1"}
BODY = {
    "resourceType": "BodyStructure",
    "id": "x",
    "identifier": [UID, {"type": Identifier.LABEL.concept, "value": "L3"}],
    "location": snomed("277960005"),
}


@pytest.mark.parametrize(
    ("fields", "body", "uid", "label", "segment"),
    [
        ({"focus": [{"reference": f"{BASE}/BodyStructure/l1/_history/2"}]}, "BodyStructure/l1", None, None, None),
        ({"focus": [{"identifier": UID}]}, None, "2.25.1", None, None),
        ({"focus": [{"identifier": {"system": DICOM_UID, "value": "2.25.1"}}]}, None, "2.25.1", None, None),
        (
            {"focus": [{"type": "BodyStructure", "identifier": {"type": Identifier.LABEL.concept, "value": "L3"}}],
             "bodySite": snomed("277960005")},
            None, None, "L3", "VI",
        ),
        ({"focus": [{"reference": "#x"}], "contained": [BODY]}, None, "2.25.1", "L3", "VI"),
        ({"focus": [], "bodyStructure": {"reference": "BodyStructure/l1"}}, "BodyStructure/l1", None, None, None),
        (
            {"focus": [], "bodySite": {"extension": [{
                "url": "http://hl7.org/fhir/StructureDefinition/bodySite",
                "valueReference": {"reference": "BodyStructure/l1"},
            }]}},
            "BodyStructure/l1", None, None, None,
        ),
        (
            {"focus": [], "component": [
                {"code": {"coding": [{"system": DCM, "code": "112040"}]}, "valueString": "2.25.7"},
                {"code": {"coding": [{"system": DCM, "code": "112039"}]}, "valueString": "L7"},
            ]},
            None, "2.25.7", "L7", None,
        ),
    ],
    ids=["absolute", "logical", "bare-uid", "label", "contained", "r5", "extension", "tracking-components"],
)  # fmt: skip
def test_the_lesion_is_found_in_every_dialect(
    fields: dict[str, Any], body: str | None, uid: str | None, label: str | None, segment: str | None
) -> None:
    lesion = one(visibility(**fields), Sighting, base=BASE).lesion
    assert (lesion.body, lesion.uid, lesion.label, lesion.segment) == (body, uid, label, segment)


@pytest.mark.parametrize(
    "fields",
    [
        {"focus": []},
        {"focus": [{"display": "L3"}]},
        {"focus": [{"reference": "Patient/p1"}]},
        {"focus": [{"reference": "BodyStructure/a"}, {"reference": "BodyStructure/b"}]},
        {"focus": [{"reference": "#gone"}]},
        {"focus": [{"identifier": SERIES_UID}]},
        {"focus": [{"identifier": {**SERIES_UID, "type": {"text": "Series"}}}]},
    ],
)
def test_a_lesion_that_is_not_named_stays_unmatched(fields: dict[str, Any]) -> None:
    assert one(visibility(**fields), Sighting).lesion is None


@pytest.mark.parametrize(
    ("fields", "key", "uid"),
    [
        ({"partOf": [], "derivedFrom": [{"reference": "ImagingStudy/s2"}]}, "ImagingStudy/s2", None),
        ({"partOf": [{"identifier": {"type": Identifier.STUDY_UID.concept, "value": "urn:oid:1.2.3"}}]}, None, "1.2.3"),
        (
            {"partOf": [{"reference": "#st"}],
             "contained": [{"resourceType": "ImagingStudy", "id": "st",
                            "identifier": [SERIES_UID, {"system": DICOM_UID, "value": "urn:oid:1.2.3"}]}]},
            None, "1.2.3",
        ),
    ],
)  # fmt: skip
def test_the_study_is_found_in_every_dialect(
    fields: dict[str, Any], key: str | None, uid: str | None
) -> None:
    (study,) = one(visibility(**fields), Sighting).studies
    assert (study.key, study.uid) == (key, uid)


def test_a_selection_of_images_names_its_study() -> None:
    selection = {
        "resourceType": "ImagingSelection",
        "id": "sel",
        "studyUid": "urn:oid:1.2.3",
        "derivedFrom": [{"reference": "ImagingStudy/s7"}],
    }
    fields = {"partOf": [], "derivedFrom": [{"reference": "#sel"}], "contained": [selection]}
    (study,) = one(visibility(**fields), Sighting).studies
    assert (study.key, study.uid) == ("ImagingStudy/s7", "1.2.3")


SELECTION = {
    "resourceType": "ImagingSelection",
    "id": "sel",
    "status": "available",
    "derivedFrom": [{"reference": "ImagingStudy/s7"}],
}


def test_a_selection_of_its_own_names_the_study() -> None:
    links = [{"reference": "Observation/x"}, {"reference": f"{BASE}/ImagingSelection/sel"}]
    given = visibility(partOf=[], derivedFrom=links)
    assert one(given, Sighting).studies == ()
    resolved, *others = with_selections([given, SELECTION, {**SELECTION, "id": "sel2"}], BASE)
    assert [study.key for study in one(dict(resolved), Sighting).studies] == ["ImagingStudy/s7"]
    assert [other["id"] for other in others] == ["sel", "sel2"]
    assert "contained" not in given


@pytest.mark.parametrize(
    "selections",
    [
        [{**SELECTION, "status": "entered-in-error"}],
        [SELECTION, {**SELECTION, "derivedFrom": [{"reference": "ImagingStudy/s8"}]}],
        [{**SELECTION, "id": "another"}],
        ["no object"],
    ],
)
def test_a_selection_that_is_not_sure_names_none(selections: list[Any]) -> None:
    given = visibility(partOf=[], derivedFrom=[{"reference": "ImagingSelection/sel"}])
    assert with_selections([given, *selections])[0] == given


def test_an_unlinked_observation_keeps_its_day_and_modality() -> None:
    sighting = one(visibility(partOf=[]), Sighting)
    assert (sighting.studies, sighting.method) == ((), "MRI")


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (Method.CT.concept, "CT"),
        (Method.MR_DICOM.concept, "MRI"),
        (Method.PET_CT_FDG.concept, "PET"),
        (Method.IOUS.concept, "IOUS"),
        ({"coding": [Method.US.coding, Method.IOUS_LIVER.coding]}, "IOUS"),
        ({"coding": [Method.IOUS.coding, Method.CEIOUS.coding]}, "CEIOUS"),
        ({"coding": [Method.CT.coding, Method.MRI.coding]}, None),
        ({"text": "MRI"}, None),
    ],
)
def test_modality(method: dict[str, Any], expected: str | None) -> None:
    assert one(visibility(method=method), Sighting).method == expected


def test_the_ultrasound_of_an_operation_is_part_of_the_procedure() -> None:
    resource = visibility(method=Method.CEIOUS.concept, partOf=[{"reference": "Procedure/op"}])
    assert one(resource, Sighting).studies[0].key == "Procedure/op"
    assert one(visibility(partOf=[{"reference": "Procedure/op"}]), Sighting).studies == ()


def test_groups_name_their_members() -> None:
    members = [{"reference": "Observation/a"}, {"reference": "Observation/b"}]
    group = one(observation(Topic.TIMEPOINT, hasMember=members), Sighting)
    assert group.members == ("Observation/a", "Observation/b")
    assert group.visibility is None
    by_category = observation(Topic.ECOG, hasMember=members, category=[Topic.MEASUREMENT_GROUP.concept])
    by_category["code"] = {"coding": [{"system": DCM, "code": "121071"}]}
    assert one(by_category, Sighting).members == group.members


def test_pathology_sizes_are_no_sightings() -> None:
    nodule = one(size(mm(12), focus=[], specimen={"reference": "Specimen/1"}), PathologyNodule)
    assert nodule.mm == Decimal(12)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_void_statuses(status: str) -> None:
    assert refused(visibility(status=status)) == status


@pytest.mark.parametrize(
    ("status", "flagged"), [("preliminary", True), ("registered", True), ("amended", False)]
)
def test_statuses_are_told(status: str, flagged: bool) -> None:
    sighting = one(visibility(status=status), Sighting)
    assert sighting.status == status
    assert ("preliminary" in sighting.flags) is flagged


def test_a_missing_status_is_flagged() -> None:
    resource = visibility()
    del resource["status"]
    assert "no-status" in one(resource, Sighting).flags


def test_subsets_versions_and_replacements_are_told() -> None:
    resource = visibility(
        meta={"versionId": "4", "lastUpdated": "2026-10-02T00:00:00Z", "tag": [{"code": "SUBSETTED"}]},
        extension=[
            {
                "url": "http://hl7.org/fhir/StructureDefinition/observation-replaces",
                "valueReference": {"reference": "Observation/old"},
            }
        ],
    )
    sighting = one(resource, Sighting)
    assert sighting.source == "Observation/o1/_history/4"
    assert sighting.key == "Observation/o1"
    assert sighting.flags == ("subsetted",)
    assert sighting.replaces == ("Observation/old",)


def in_component(value: Visibility, own: Visibility | None = None) -> dict[str, Any]:
    part = {"code": Topic.VISIBILITY.concept, "valueCodeableConcept": value.concept}
    return visibility(own, component=[part])


@pytest.mark.parametrize("value", [Visibility.PRESENT, Visibility.NOT_DETECTED, Visibility.INDETERMINATE])
def test_visibility_in_a_component(value: Visibility) -> None:
    sighting = one(in_component(value), Sighting)
    assert (sighting.visibility, sighting.explicit) == (one(visibility(value), Sighting).visibility, True)
    assert one(in_component(value, value), Sighting).visibility == sighting.visibility


def test_visibility_and_component_that_differ_are_refused() -> None:
    assert refused(in_component(Visibility.PRESENT, Visibility.NOT_DETECTED)) == "value-not-accepted"


def test_not_seen_in_a_component_beside_a_size_is_both() -> None:
    part = {"code": Topic.VISIBILITY.concept, "valueCodeableConcept": Visibility.NOT_DETECTED.concept}
    length = {"code": Size.LONGEST.concept, "valueQuantity": mm(6)}
    found = records(size(None, component=[part, length]))
    assert [each.visibility for each in found] == ["not-visible", "visible"]


def test_an_unknown_code_that_may_tell_of_a_lesion_is_refused_by_name() -> None:
    unknown = size(mm(14)) | {"code": {"text": "Nodule"}, "component": [], "valueQuantity": mm(14)}
    (found,) = records(unknown)
    assert isinstance(found, Rejected)
    assert (found.reason, found.lesions[0].body, found.day.first) == (
        "code-not-known",
        "BodyStructure/l1",
        date(2026, 10, 1),
    )
    assert records(unknown | {"valueQuantity": mm(14, "mL")}) == ()
    assert records(unknown | {"focus": []}) == ()


def test_an_unknown_modifier_is_never_overlooked() -> None:
    assert (
        refused(visibility(modifierExtension=[{"url": "https://x.example/negated"}])) == "modifier-extension"
    )


def test_issued_stands_in_for_a_missing_day_only() -> None:
    resource = visibility(issued="2026-10-03T08:00:00+02:00")
    del resource["effectiveDateTime"]
    sighting = one(resource, Sighting)
    assert (sighting.day.first, sighting.flags) == (date(2026, 10, 3), ("day-from-issued",))
    unreadable = one(visibility(issued="2026-10-03T08:00:00+02:00", effectiveDateTime="last week"), Sighting)
    assert (unreadable.day, unreadable.flags) == (None, ("bad-date",))


def test_narrative_findings_are_told_and_not_read() -> None:
    narrative = {
        "resourceType": "Observation",
        "id": "n1",
        "status": "final",
        "category": [{"coding": [{"code": "imaging"}]}],
        "code": {"text": "Finding"},
        "valueString": "No lesion seen.",
    }
    assert refused(narrative) == "text-only"


def test_other_observations_give_nothing() -> None:
    assert (
        records(
            observation(Topic.ECOG) | {"code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}}
        )
        == ()
    )


@pytest.mark.parametrize(
    "resource", [{}, {"resourceType": 7}, {"resourceType": "Observation", "code": Size.TUMOUR_SIZE.concept}]
)
def test_what_is_hardly_a_resource(resource: dict[str, Any]) -> None:
    (record,) = records(resource)
    assert isinstance(record, Rejected)
    assert record.reason in {"no-type", "no-id"}
