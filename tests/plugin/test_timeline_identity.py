"""Lesion identity: the ladder of tracking UID, BodyStructure, label with segment, and what stays unknown."""

from typing import Any

import pytest

from fhir_profiles.codes import DCM, DICOM_UID, Attribute, Feature, FeatureValue, Organ, Site
from plugin.timeline import Timeline, events
from tests.plugin.history import History, coded, of_kind, one, segment, tracked


def seen(timeline: Timeline) -> dict[str, list[str | None]]:
    """Visibilities by the label of the lesion."""
    labels = {lesion.id: lesion.label for lesion in timeline.lesions}
    found: dict[str, list[str | None]] = {label: [] for label in labels.values()}
    for each in timeline.sightings:
        found[labels[each.lesion]].append(each.visibility)
    return found


def unmatched(timeline: Timeline) -> int:
    return sum(study.unmatched for study in timeline.studies)


def test_a_body_structure_is_matched_by_reference() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"))
    timeline = h.timeline()
    assert seen(timeline) == {"L1": ["visible"]}
    assert timeline.lesions[0].id == f"BodyStructure/{lesion['id']}"
    assert timeline.lesions[0].segment == "VI"


def test_a_focus_identifier_matches_the_tracking_uid_of_a_body_structure() -> None:
    h = History()
    h.lesion("L1", "VI", "2.25.1")
    h.seen(tracked("2.25.1"), h.study("2026-01-05", "CT"), "not-visible")
    assert seen(h.timeline()) == {"L1": ["not-visible"]}


def test_body_structures_with_one_tracking_uid_are_one_lesion() -> None:
    h = History()
    first = h.lesion("L1", "VI", "2.25.1")
    second = h.lesion("L1", "VI", "2.25.1")
    h.seen(first, h.study("2026-01-05", "CT"))
    h.seen(second, h.study("2026-04-05", "CT"), "not-visible")
    timeline = h.timeline()
    assert seen(timeline) == {"L1": ["visible", "not-visible"]}
    assert not timeline.lesions[0].tainted


def test_lesions_of_one_series_are_not_one_lesion() -> None:
    h = History()
    series = {"coding": [{"system": DCM, "code": "112002"}]}
    first, second = (
        h.add(
            "BodyStructure",
            identifier=[{"type": series, "system": DICOM_UID, "value": "urn:oid:1.2.3"}],
            location=Site.LIVER.concept,
        )
        for _ in range(2)
    )
    before, now = h.study("2026-01-05", "CT"), h.study("2026-04-05", "MRI")
    h.seen(first, before)
    h.seen(second, before)
    h.seen(first, now, "not-visible")
    h.seen(second, now)
    found = [(each.lesion, each.visibility) for each in h.timeline().sightings]
    assert len({lesion for lesion, _ in found}) == 2
    assert (f"BodyStructure/{second['id']}", "not-visible") not in found


def test_a_lesion_known_by_focus_identifier_alone_is_tracked() -> None:
    h = History()
    h.seen(tracked("2.25.9"), h.study("2026-01-05", "CT"))
    h.seen(tracked("2.25.9"), h.study("2026-04-05", "CT"), "not-visible")
    timeline = h.timeline()
    assert [lesion.id for lesion in timeline.lesions] == ["uid:2.25.9"]
    assert [each.visibility for each in timeline.sightings] == ["visible", "not-visible"]


def test_label_and_segment_together_match() -> None:
    h = History()
    h.lesion("L1", "VI", "2.25.1")
    h.seen(tracked(label="L1"), h.study("2026-01-05", "CT"), **segment("VI"))
    assert seen(h.timeline()) == {"L1": ["visible"]}


def test_a_different_uid_beside_the_same_body_structure_is_the_same_lesion() -> None:
    h = History()
    lesion = h.lesion("L1", "VI", "2.25.1")
    h.seen(tracked("2.25.77"), h.study("2026-01-05", "CT"))
    assert len(h.timeline().lesions) == 2
    both = {"reference": f"BodyStructure/{lesion['id']}", **tracked("2.25.77")}
    h.seen(both, h.study("2026-02-05", "CT"))
    assert seen(h.timeline()) == {"L1": ["visible", "visible"]}


@pytest.mark.parametrize(
    "focus",
    [None, tracked(label="L1"), tracked(label="L9")],
    ids=["no lesion", "label without segment", "unknown label"],
)
def test_without_identity_an_observation_is_unmatched(focus: dict[str, Any] | None) -> None:
    h = History()
    h.lesion("L1", "VI")
    study = h.study("2026-04-05", "MRI")
    h.seen(focus, study, "not-visible")
    timeline = h.timeline()
    assert seen(timeline) == {"L1": []}
    assert unmatched(timeline) == 1
    assert one(h.facts(), "silence")["unmatched"] == 1


def test_the_same_label_in_another_segment_is_unmatched() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"))
    h.seen(tracked(label="L1"), h.study("2026-04-05", "CT"), "not-visible", **segment("VII"))
    timeline = h.timeline()
    assert seen(timeline) == {"L1": ["visible"]}
    assert unmatched(timeline) == 1


def test_one_label_in_two_segments_without_body_structure_makes_both_unknown() -> None:
    h = History()
    study = h.study("2026-01-05", "CT")
    h.seen(tracked(label="L1"), study, **segment("VI"))
    h.seen(tracked(label="L1"), study, **segment("VII"))
    timeline = h.timeline()
    assert [lesion.tainted for lesion in timeline.lesions] == [True, True]
    assert not timeline.sightings
    assert unmatched(timeline) == 2


def test_label_and_segment_alone_track_a_lesion() -> None:
    h = History()
    h.seen(tracked(label="L1"), h.study("2026-01-05", "CT"), **segment("VI"))
    h.seen(tracked(label="l1 "), h.study("2026-04-05", "CT"), "not-visible", **segment("VI"))
    timeline = h.timeline()
    assert [lesion.segment for lesion in timeline.lesions] == ["VI"]
    assert [each.visibility for each in timeline.sightings] == ["visible", "not-visible"]


def test_one_label_on_two_body_structures_makes_both_unknown() -> None:
    h = History()
    first, second = h.lesion("L1", "VI", "2.25.1"), h.lesion("L1", "VII", "2.25.2")
    study = h.study("2026-01-05", "CT")
    h.seen(first, study)
    h.seen(second, study, "not-visible")
    timeline = h.timeline()
    assert [lesion.tainted for lesion in timeline.lesions] == [True, True]
    assert not timeline.sightings
    assert unmatched(timeline) == 2


def test_two_lesions_that_share_a_tracking_uid_are_both_unknown() -> None:
    h = History()
    first, second = h.lesion("L1", "VI", "2.25.1"), h.lesion("L2", "VII", "2.25.1")
    third = h.lesion("L3", "II", "2.25.3")
    study = h.study("2026-01-05", "CT")
    for lesion in (first, second, third):
        h.seen(lesion, study)
    timeline = h.timeline()
    assert seen(timeline) == {"L1": [], "L2": [], "L3": ["visible"]}
    assert unmatched(timeline) == 2


def test_uid_and_reference_that_contradict_are_unmatched() -> None:
    h = History()
    first = h.lesion("L1", "VI", "2.25.1")
    h.lesion("L2", "VII", "2.25.2")
    focus = {"reference": f"BodyStructure/{first['id']}", **tracked("2.25.2")}
    h.seen(focus, h.study("2026-01-05", "CT"), "not-visible")
    timeline = h.timeline()
    assert seen(timeline) == {"L1": [], "L2": []}
    assert unmatched(timeline) == 1


def test_segment_four_holds_its_parts_when_body_structures_are_joined() -> None:
    h = History()
    h.lesion("L1", "IV", "2.25.1")
    h.lesion("L1", "IVa", "2.25.1")
    timeline = h.timeline()
    assert [lesion.tainted for lesion in timeline.lesions] == [False]


def test_a_body_structure_that_was_not_loaded_still_identifies() -> None:
    h = History()
    focus = {"reference": "BodyStructure/elsewhere"}
    h.seen(focus, h.study("2026-01-05", "CT"))
    h.seen(focus, h.study("2026-04-05", "CT"), "not-visible")
    assert [each.lesion for each in h.timeline().sightings] == ["BodyStructure/elsewhere"] * 2


@pytest.mark.parametrize("organ", list(Organ))
def test_a_primary_or_a_lesion_of_another_organ_is_never_tracked(organ: Organ) -> None:
    h = History()
    primary = h.lesion("P1", None, location=organ.concept)
    h.lesion("L1", "VI")
    study = h.study("2026-01-05", "CT")
    h.seen(primary, study, "visible", mm=40)
    timeline = h.timeline()
    assert seen(timeline) == {"L1": []}
    assert unmatched(timeline) == 0


@pytest.mark.parametrize("by", ["body structure", "tracking UID"])
def test_the_body_site_of_a_size_tells_that_it_is_no_liver_lesion(by: str) -> None:
    h = History()
    lesion = h.lesion("P1", None) if by == "body structure" else tracked("2.25.9")
    study = h.study("2026-01-05", "CT")
    h.size(lesion, study, 40, bodySite=Organ.RECTUM.concept)
    h.seen(lesion, study, "visible")
    timeline = h.timeline()
    assert timeline.lesions == ()
    assert unmatched(timeline) == 0


@pytest.mark.parametrize("site", [None, {"text": "somewhere"}, Site.ABDOMEN.concept])
def test_a_lesion_of_no_known_place_that_is_described_stays_tracked(site: dict[str, Any] | None) -> None:
    h = History()
    lesion = h.lesion("L1", None, **({"location": site} if site else {}))
    h.seen(lesion, h.study("2026-01-05", "CT"), "visible", mm=12)
    assert seen(h.timeline()) == {"L1": ["visible"]}


def test_one_statement_inside_the_liver_keeps_a_lesion_tracked() -> None:
    h = History()
    lesion = h.lesion("L1", None)
    study = h.study("2026-01-05", "CT")
    h.size(lesion, study, 12, bodySite=Organ.COLON.concept)
    h.size(lesion, study, 12, bodySite=Site.LIVER_BILIARY.concept)
    assert seen(h.timeline()) == {"L1": ["visible"]}


def test_a_structure_outside_the_liver_that_is_seen_inside_it_counts_as_unmatched() -> None:
    h = History()
    h.lesion("L1", "VI")
    primary = h.lesion("P1", None, location=Organ.COLON.concept)
    h.seen(primary, h.study("2026-01-05", "CT"), "visible", **segment("VI"))
    timeline = h.timeline()
    assert seen(timeline) == {"L1": []}
    assert unmatched(timeline) == 1


def test_structures_of_another_organ_are_no_liver_lesions() -> None:
    h = History()
    chest = {"location": {"coding": [{"system": "http://snomed.info/sct", "code": "816094009"}]}}
    lung = h.lesion("P1", None, "2.25.8", **chest)
    study = h.study("2026-01-05", "CT")
    h.seen(lung, study)
    timeline = h.timeline()
    assert timeline.lesions == ()
    assert unmatched(timeline) == 0


def test_a_benign_finding_without_identity_does_not_count() -> None:
    h = History()
    h.lesion("L1", "VI")
    study = h.study("2026-01-05", "MRI")
    h.seen(None, study, "visible", parts=[coded(Feature.NATURE, FeatureValue.BENIGN)])
    assert unmatched(h.timeline()) == 0


SPLIT = "https://vestige.example/fhir/StructureDefinition/crlm-lesion-split-from"


def split(*seen_later: str | None) -> History:
    """L1 in the baseline, then its parts L1a and L1b, each with what the restaging says of it."""
    h = History()
    whole = h.lesion("L1", "VI")
    reference = {"reference": f"BodyStructure/{whole['id']}"}
    parts = [
        h.lesion(label, "VI", extension=[{"url": SPLIT, "valueReference": reference}])
        for label in ("L1a", "L1b")
    ]
    baseline, restaging = h.study("2026-01-05", "CT"), h.study("2026-04-05", "CT")
    h.seen(whole, baseline, mm=30)
    h.dose("2026-01-10")
    for part, visibility in zip(parts, seen_later, strict=True):
        if visibility is not None:
            h.seen(part, restaging, visibility, mm=9 if visibility == "visible" else None)
    h.report(restaging)
    return h


def test_a_whole_is_seen_where_a_part_is_and_a_part_is_not_new() -> None:
    h = split("visible", "not-visible")
    timeline = h.timeline()
    assert seen(timeline) == {
        "L1": ["visible", "visible"],
        "L1a": ["visible", "visible"],
        "L1b": ["visible", "not-visible"],
    }
    sizes = {(each.lesion, each.study): each.mm for each in timeline.sightings if each.id.endswith("/split")}
    assert len(sizes) == 3
    assert set(sizes.values()) == {None}
    assert of_kind(h.facts(), "size_pair") == []
    relations = [note for note in timeline.notes if note.reason == "split-from"]
    assert len(relations) == 2
    for lesion in timeline.lesions:
        assert ("split", "2026-04-05") in [(each.text, str(each.day)) for each in events(timeline, lesion.id)]


@pytest.mark.parametrize("later", [("not-visible", "not-visible"), (None, None), ("not-assessed", None)])
def test_a_whole_is_never_gone_because_its_parts_are(later: tuple[str | None, ...]) -> None:
    h = split(*later)
    whole = next(lesion for lesion in h.timeline().lesions if lesion.label == "L1")
    assert [each.visibility for each in h.timeline().of_lesion(whole.id)] == ["visible"]
    assert [each["exam"] for each in of_kind(h.facts(), "silence") if each["lesion"] == whole.id]


def test_a_merged_lesion_is_seen_where_the_other_one_is() -> None:
    h = History()
    first, second = h.lesion("L1", "VI"), h.lesion("L2", "VI")
    baseline, restaging = h.study("2026-01-05", "CT"), h.study("2026-04-05", "CT")
    h.seen(first, baseline, mm=12)
    h.seen(second, baseline, mm=14)
    h.dose("2026-01-10")
    h.seen(second, restaging, mm=30)
    reference = {"reference": f"BodyStructure/{second['id']}"}
    h.attribute(first, "2026-04-05", {"code": Attribute.MERGED_INTO.concept, "valueReference": reference})
    timeline = h.timeline()
    assert seen(timeline) == {"L1": ["visible", "visible"], "L2": ["visible", "visible"]}
    facts = h.facts()
    assert not of_kind(facts, "silence")
    assert [pair["lesion"] for pair in of_kind(facts, "size_pair")] == [f"BodyStructure/{second['id']}"]
