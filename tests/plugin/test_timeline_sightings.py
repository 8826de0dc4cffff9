"""Sightings: statements of one study on one lesion put together, sizes, days, corrections."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles.codes import Feature, FeatureValue, Size, Topic
from tests.plugin.history import TODAY, History, coded, of_kind, one, part, quantity, to

REPLACES = "http://hl7.org/fhir/StructureDefinition/observation-replaces"


def start(kind: str = "MRI") -> tuple[History, dict[str, Any], dict[str, Any]]:
    h = History()
    return h, h.lesion("L1", "VI"), h.study("2026-03-01", kind)


def visibilities(h: History) -> list[str | None]:
    return [each.visibility for each in h.timeline().sightings]


def test_size_visibility_and_feature_make_one_sighting() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "visible", mm=9)
    h.observation(
        Topic.FEATURE,
        "2026-03-01",
        focus=[to(lesion)],
        derivedFrom=[to(study)],
        component=[coded(Feature.CONSPICUITY, FeatureValue.INCREASED)],
    )
    fact = one(h.facts(), "sighting")
    assert (fact["visibility"], fact["mm"], fact["conspicuity"]) == ("visible", 9, "increased")
    assert len(h.timeline().sightings[0].sources) == 3


def test_a_size_alone_is_visible() -> None:
    h, lesion, study = start()
    h.size(lesion, study, 4)
    assert visibilities(h) == ["visible"]


def test_visible_and_not_visible_in_one_study_stay_two_sightings() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "visible")
    h.seen(lesion, study, "not-visible")
    assert visibilities(h) == ["not-visible", "visible"]
    assert len({each.id for each in h.timeline().sightings}) == 2


def test_not_visible_with_a_size_contradicts_itself() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "not-visible", mm=6)
    assert visibilities(h) == ["not-visible", "visible"]


def test_not_visible_with_a_size_in_the_same_observation_contradicts_itself() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "not-visible", parts=[part(Size.LONGEST, valueQuantity=quantity(6, "mm"))])
    found = {each.visibility: each.mm for each in h.timeline().sightings}
    assert found == {"visible": 6, "not-visible": None}


def test_a_size_does_not_overrule_the_readers_word_that_it_is_unclear() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "indeterminate", mm=6)
    fact = one(h.facts(), "sighting")
    assert (fact["visibility"], fact["mm"]) == ("indeterminate", 6)


def test_not_assessed_with_a_size_contradicts_itself() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "not-assessed", parts=[part(Size.LONGEST, valueQuantity=quantity(6, "mm"))])
    assert {each.visibility for each in h.timeline().sightings} == {"visible", "not-assessed"}
    assert not of_kind(h.facts(), "silence")


def test_zero_alone_is_no_claim_and_leaves_the_study_silent() -> None:
    h, lesion, study = start()
    h.size(lesion, study, 0)
    fact = one(h.facts(), "sighting")
    assert fact["zeroSize"] == "yes"
    assert "visibility" not in fact
    assert "mm" not in fact
    assert one(h.facts(), "silence")["exam"] == fact["exam"]


def test_zero_beside_not_visible_is_dropped() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "not-visible", mm=0)
    fact = one(h.facts(), "sighting")
    assert fact["visibility"] == "not-visible"
    assert "zeroSize" not in fact
    assert not of_kind(h.facts(), "silence")


def test_a_refused_unit_leaves_the_lesion_visible() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "visible", mm=9, unit="kg")
    fact = one(h.facts(), "sighting")
    assert (fact["visibility"], fact["unitRejected"]) == ("visible", "yes")
    assert "mm" not in fact


@pytest.mark.parametrize(("value", "unit"), [(12, "mm"), ("1.2", "cm")])
def test_centimetres_and_millimetres(value: Any, unit: str) -> None:
    h, lesion, study = start()
    h.size(lesion, study, value, unit=unit)
    assert one(h.facts(), "sighting")["mm"] == 12


def test_different_sizes_give_the_larger_one_and_a_note() -> None:
    h, lesion, study = start()
    h.size(lesion, study, 9)
    h.size(lesion, study, 11)
    assert one(h.facts(), "sighting")["mm"] == 11
    assert {note.reason for note in h.timeline().notes} == {"sizes-differ"}


def test_at_least_is_no_size_and_at_most_is_a_bound() -> None:
    h, lesion, study = start()
    h.size(lesion, study, 10, comparator=">")
    assert "mm" not in one(h.facts(), "sighting")
    h, lesion, study = start()
    h.size(lesion, study, 5, comparator="<")
    assert one(h.facts(), "sighting")["mm"] == 5
    assert not h.timeline().sightings[0].exact


def test_features_that_differ_are_unknown() -> None:
    h, lesion, study = start()
    for value in (FeatureValue.THIN, FeatureValue.THICK):
        h.seen(lesion, study, "visible", parts=[coded(Feature.RIM, value)])
    assert "rim" not in one(h.facts(), "sighting")


def test_not_assessed_is_a_sighting_and_a_silence() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "not-assessed")
    assert visibilities(h) == ["not-assessed"]
    assert one(h.facts(), "silence")["lesion"] == f"BodyStructure/{lesion['id']}"


def test_a_final_study_without_a_word_on_a_lesion_is_silent() -> None:
    h, lesion, study = start()
    h.report(study)
    silence = one(h.facts(), "silence")
    assert (silence["class"], silence["day"], silence["unmatched"]) == ("MRI", date(2026, 3, 1), 0)
    assert "readerAdequacy" not in silence


def test_a_replaced_observation_is_not_used() -> None:
    h, lesion, study = start()
    wrong = h.seen(lesion, study, "not-visible")
    h.seen(lesion, study, "visible", extension=[{"url": REPLACES, "valueReference": to(wrong)}])
    assert visibilities(h) == ["visible"]
    assert [(n.source, n.reason) for n in h.timeline().notes] == [(f"Observation/{wrong['id']}", "replaced")]


def test_a_preliminary_correction_replaces_nothing() -> None:
    h, lesion, study = start()
    first = h.seen(lesion, study, "visible")
    extension = [{"url": REPLACES, "valueReference": to(first)}]
    h.seen(lesion, study, "not-visible", status="preliminary", extension=extension)
    assert visibilities(h) == ["visible"]


def test_two_that_replace_each_other_both_stay() -> None:
    h, lesion, study = start()
    first = h.seen(lesion, study, "visible", own="a")
    second = h.seen(lesion, study, "not-visible", own="b")
    first["extension"] = [{"url": REPLACES, "valueReference": to(second)}]
    second["extension"] = [{"url": REPLACES, "valueReference": to(first)}]
    assert visibilities(h) == ["not-visible", "visible"]


def test_the_newest_version_of_a_resource_counts() -> None:
    h, lesion, study = start()
    old = h.seen(lesion, study, "not-visible", own="x", meta={"versionId": "9"})
    new = {**old, "meta": {"versionId": "10"}, "status": "amended"}
    new["valueCodeableConcept"] = {"coding": [{"system": "http://snomed.info/sct", "code": "52101004"}]}
    h.resources += [new, old]
    assert visibilities(h) == ["visible"]
    assert h.timeline().sightings[0].sources == ("Observation/x/_history/10",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"lastUpdated": "2026-03-02T10:00:00+02:00"}, {"lastUpdated": "2026-03-02T09:30:00Z"}),
        (
            {"versionId": "a", "lastUpdated": "2026-03-02T10:00:00Z"},
            {"versionId": "b", "lastUpdated": "2026-03-03"},
        ),
    ],
)
def test_versions_are_ranked_by_their_last_change(old: dict[str, str], new: dict[str, str]) -> None:
    h, lesion, study = start()
    first = h.seen(lesion, study, "not-visible", own="x", meta=new)
    visible = {"coding": [{"system": "http://snomed.info/sct", "code": "52101004"}]}
    h.resources.append({**first, "meta": old, "valueCodeableConcept": visible})
    assert visibilities(h) == ["not-visible"]


def test_a_version_without_a_time_is_not_ranked_below_one_that_has_it() -> None:
    h, lesion, study = start()
    first = h.seen(lesion, study, "not-visible", own="x", meta={"lastUpdated": "2026-03-02T10:00:00Z"})
    visible = {"coding": [{"system": "http://snomed.info/sct", "code": "52101004"}]}
    h.resources.append({**first, "meta": {}, "valueCodeableConcept": visible})
    assert sorted(visibilities(h)) == ["not-visible", "visible"]


def test_a_version_entered_in_error_takes_the_statement_away() -> None:
    h, lesion, study = start()
    old = h.seen(lesion, study, "not-visible", own="x", meta={"versionId": "1"})
    h.resources.append({**old, "meta": {"versionId": "2"}, "status": "entered-in-error"})
    timeline = h.timeline()
    assert timeline.sightings == ()
    assert [r.reason for r in timeline.rejected] == ["entered-in-error"]


def test_versions_that_cannot_be_ranked_contradict_each_other() -> None:
    h, lesion, study = start()
    one_version = h.seen(lesion, study, "not-visible", own="x")
    other = {**one_version}
    other["valueCodeableConcept"] = {"coding": [{"system": "http://snomed.info/sct", "code": "52101004"}]}
    h.resources.append(other)
    assert visibilities(h) == ["not-visible", "visible"]


def test_duplicates_collapse() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "visible", mm=9)
    h.resources += [dict(resource) for resource in h.resources]
    assert len(of_kind(h.facts(), "sighting")) == 1
    assert len(of_kind(h.facts(), "exam")) == 1


@pytest.mark.parametrize(
    ("visibility", "day"), [("visible", date(2026, 5, 31)), ("not-visible", date(2026, 5, 1))]
)
def test_an_imprecise_day_counts_late_for_visible_and_early_for_the_rest(visibility: str, day: date) -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-05", "CT"), visibility)
    assert one(h.facts(), "sighting")["day"] == day


def test_an_imprecise_day_ends_today() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026", "CT"), "visible")
    assert one(h.facts(), "sighting")["day"] == TODAY


def test_an_exact_finding_makes_an_imprecise_study_exact() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-05", "CT"), "visible", day="2026-05-12")
    assert one(h.facts(), "exam")["day"] == date(2026, 5, 12)


def test_the_study_dates_what_was_written_days_later() -> None:
    h, lesion, study = start()
    h.seen(lesion, study, "visible", day="2026-03-04")
    assert one(h.facts(), "sighting")["day"] == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("visibility", "day"), [("visible", date(2026, 6, 1)), ("not-visible", date(2026, 3, 1))]
)
def test_a_finding_dated_months_from_its_study_counts_with_care(visibility: str, day: date) -> None:
    h, lesion, study = start()
    h.seen(lesion, study, visibility, day="2026-06-01")
    assert one(h.facts(), "sighting")["day"] == day
    assert [note.reason for note in h.timeline().notes] == ["day-differs"]


def test_a_day_of_issue_dates_a_positive_only() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    for visibility in ("visible", "not-visible"):
        h.seen(lesion, None, visibility, method="CT", issued="2026-05-12T10:00:00Z")
    days = {fact["visibility"]: fact.get("day") for fact in of_kind(h.facts(), "sighting")}
    assert days == {"visible": date(2026, 5, 12), "not-visible": None}


def test_a_group_gives_its_members_lesion_study_and_day() -> None:
    h, lesion, study = start()
    size = h.size(None, None, 8, day=None)
    h.observation(
        Topic.TIMEPOINT, "2026-03-01", focus=[to(lesion)], derivedFrom=[to(study)], hasMember=[to(size)]
    )
    fact = one(h.facts(), "sighting")
    assert (fact["mm"], fact["exam"]) == (8, f"ImagingStudy/{study['id']}")
    assert one(h.facts(), "exam")["unmatched"] == 0
