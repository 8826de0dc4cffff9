"""Facts on sizes and on the marker: pairs, sums, the index study, and the series."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles.codes import (
    Cea,
    Feature,
    FeatureValue,
    Imaging,
    ImagingElsewhere,
    Protocol,
    ProtocolValue,
    Site,
    Size,
)
from tests.plugin.history import History, coded, of_kind, one, part

OF_LIVER = [{"bodySite": Site.LIVER.coding}]


def two_lesions(
    *points: tuple[str, str, Any, Any], dose: str = "2026-01-10", target: bool = True
) -> tuple[History, dict[str, Any], dict[str, Any]]:
    """Studies of day and class, with the sizes of two lesions; 0 is not visible, None not mentioned."""
    h = History()
    first, second = h.lesion("L1", "VI"), h.lesion("L2", "II")
    for day, kind, *sizes in points:
        study = h.study(day, kind)
        h.report(study)
        for lesion, mm in zip((first, second), sizes, strict=True):
            if mm == 0:
                h.seen(lesion, study, "not-visible")
            elif mm is not None:
                h.seen(lesion, study, "visible", mm=mm)
    h.dose(dose)
    if target:
        h.target(first, second)
    return h, first, second


def test_pairs_against_baseline_and_against_the_restaging_before() -> None:
    h, first, second = two_lesions(
        ("2026-01-05", "CT", 30, 18), ("2026-03-01", "CT", 26, "19.5"), ("2026-05-01", "CT", 24, 22)
    )
    pairs = {
        (p["lesion"], p["pair"]): (p["fromMm"], p["toMm"], p["deltaMm"])
        for p in of_kind(h.facts(), "size_pair")
    }
    one_id, two_id = f"BodyStructure/{first['id']}", f"BodyStructure/{second['id']}"
    assert {key: tuple(map(str, value)) for key, value in pairs.items()} == {
        (one_id, "A"): ("30.0", "24.0", "-6.0"),
        (two_id, "A"): ("18.0", "22.0", "4.0"),
        (one_id, "B"): ("26.0", "24.0", "-2.0"),
        (two_id, "B"): ("19.5", "22.0", "2.5"),
    }


def test_pairs_are_of_one_class_and_of_plain_sizes() -> None:
    h, first, _ = two_lesions(("2026-01-05", "MRI", 30, 18), ("2026-05-01", "CT", 24, 0))
    assert not of_kind(h.facts(), "size_pair")
    study = h.study("2026-01-06", "CT")
    h.size(first, study, 29, comparator="<")
    assert not of_kind(h.facts(), "size_pair")


def test_without_therapy_nothing_is_compared() -> None:
    h, *_ = two_lesions(("2026-01-05", "CT", 30, 18), ("2026-05-01", "CT", 24, 22), dose="2026-06-01")
    assert not of_kind(h.facts(), "size_pair")
    assert not of_kind(h.facts(), "lesion_sum")


def test_a_scan_on_the_day_of_the_first_dose_is_the_baseline() -> None:
    h, *_ = two_lesions(("2026-01-10", "CT", 30, 18), ("2026-05-01", "CT", 24, 22))
    assert one(h.facts(), "target_sum")["baselineDay"] == date(2026, 1, 10)


def test_target_sum_with_nadir_before_the_index_study() -> None:
    h, *_ = two_lesions(
        ("2026-01-05", "CT", 40, 33),
        ("2026-03-01", "CT", 30, 20),
        ("2026-04-01", "CT", 25, None),
        ("2026-05-01", "CT", 36, 25),
    )
    found = one(h.facts(), "target_sum")
    assert (found["baseline"], found["nadir"], found["now"]) == (73, 50, 61)
    assert (found["targets"], found["evaluated"], found["absent"]) == (2, 2, 0)
    assert (found["class"], found["nowDay"]) == ("CT", date(2026, 5, 1))


def test_an_accepted_negative_counts_zero_and_a_void_one_is_not_evaluated() -> None:
    h, *_ = two_lesions(("2026-01-05", "CT", 40, 33), ("2026-05-01", "CT", 20, 0))
    found = one(h.facts(), "target_sum")
    assert (found["now"], found["absent"], found["evaluated"]) == (20, 1, 2)
    study = next(r for r in h.resources if r.get("started") == "2026-05-01")
    h.adequacy(study, ProtocolValue.LIMITED, coded(Protocol.ARTEFACT, ProtocolValue.MOTION))
    found = one(h.facts(), "target_sum")
    assert (found["absent"], found["evaluated"]) == (0, 1)
    assert "now" not in found


def test_too_small_to_measure_counts_five_in_the_target_sum_and_not_in_pairs() -> None:
    h, first, _ = two_lesions(("2026-01-05", "CT", 40, 33), ("2026-05-01", "CT", None, 20))
    study = next(r for r in h.resources if r.get("started") == "2026-05-01")
    h.seen(first, study, "visible", parts=[part(Size.TTSM, valueBoolean=True)])
    assert one(h.facts(), "target_sum")["now"] == 25
    assert one(h.facts(), "lesion_sum")["lesions"] == 1


def test_a_visible_target_without_size_leaves_the_sum_open() -> None:
    h, first, _ = two_lesions(("2026-01-05", "CT", 40, 33), ("2026-05-01", "CT", None, 20))
    study = next(r for r in h.resources if r.get("started") == "2026-05-01")
    h.seen(first, study, "visible")
    found = one(h.facts(), "target_sum")
    assert found["evaluated"] == 1
    assert "now" not in found


def test_without_coded_targets_there_is_no_target_sum() -> None:
    h, *_ = two_lesions(("2026-01-05", "CT", 40, 33), ("2026-05-01", "CT", 20, 20), target=False)
    assert not of_kind(h.facts(), "target_sum")
    found = one(h.facts(), "lesion_sum")
    assert (found["lesions"], found["baseline"], found["now"]) == (2, 73, 40)


def test_treated_and_benign_lesions_take_no_part() -> None:
    h, first, second = two_lesions(("2026-01-05", "CT", 40, 33), ("2026-05-01", "CT", 20, 20))
    h.treat("2026-02-01", first)
    facts = h.facts()
    assert "now" not in one(facts, "target_sum")
    assert one(facts, "lesion_sum")["lesions"] == 1
    h.attribute(second, "2026-05-01", coded(Feature.NATURE, FeatureValue.BENIGN))
    facts = h.facts()
    assert not of_kind(facts, "lesion_sum")
    assert one(facts, "target_sum")["targets"] == 1
    assert one(facts, "patient")["trackedLesions"] == 1


def index(h: History) -> list[str]:
    return [str(e["label"]) for e in of_kind(h.facts(), "exam") if e["index"] == "yes"]


def test_the_index_study_is_the_latest_final_diagnostic_ct_or_mri() -> None:
    h = History()
    for day, kind in (
        ("2026-01-05", "CT"),
        ("2026-03-01", "CT"),
        ("2026-03-01", "MRI"),
        ("2026-04-01", "PET"),
    ):
        h.report(h.study(day, kind, series=OF_LIVER))
    assert index(h) == ["MRI 2026-03-01"]
    h.report(h.study("2026-06-01", "MRI", series=OF_LIVER), "preliminary")
    assert index(h) == ["MRI 2026-03-01"]
    study = h.study("2026-06-02", "CT")
    h.adequacy(study, ProtocolValue.NON_DIAGNOSTIC)
    assert index(h) == ["MRI 2026-03-01"]


def test_a_study_that_nothing_places_at_the_liver_is_no_index() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-03-01", "CT"), mm=20)
    h.report(h.study("2026-06-01", "CT"))
    h.report(h.study("2026-06-02", "CT", procedureCode=[ImagingElsewhere.CT_CHEST.concept]))
    assert index(h) == ["CT 2026-03-01"]
    h.adequacy(h.study("2026-06-03", "CT"), ProtocolValue.ADEQUATE)
    assert index(h) == ["CT 2026-06-03"]
    h.report(h.study("2026-06-04", "CT", procedureCode=[Imaging.CT_LIVER.concept]))
    assert index(h) == ["CT 2026-06-04"]


def test_an_undescribed_study_of_an_unknown_region_takes_no_part_in_sums() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"), mm=20)
    h.dose("2026-01-10")
    h.report(h.study("2026-02-01", "CT"))
    h.seen(lesion, h.study("2026-03-01", "CT"), mm=28)
    h.seen(lesion, h.study("2026-05-01", "CT"), mm=30)
    h.report(h.study("2026-06-01", "CT"))
    pairs = {each["pair"]: (each["fromMm"], each["toMm"]) for each in of_kind(h.facts(), "size_pair")}
    assert pairs == {"A": (20, 30), "B": (28, 30)}


def test_of_two_index_candidates_the_adequate_one_counts() -> None:
    h = History()
    limited, adequate = h.study("2026-03-01", "CT", "a"), h.study("2026-03-01", "CT", "b")
    h.adequacy(limited, ProtocolValue.LIMITED)
    h.adequacy(adequate, ProtocolValue.ADEQUATE)
    assert [e["id"] for e in of_kind(h.facts(), "exam") if e["index"] == "yes"] == ["ImagingStudy/b"]


def marker(*values: tuple[Any, ...], around: str | None = "2026-09-01", **more: Any) -> dict[str, Any]:
    h = History()
    for day, value in values:
        h.cea(day, value, **more)
    if around:
        h.report(h.study(around, "CT", series=OF_LIVER))
    h.dose("2026-01-10")
    found = of_kind(h.facts(), "marker_series")
    return found[0] if found else {}


def test_marker_series() -> None:
    found = marker(("2026-01-01", 40), ("2026-01-09", 36), ("2026-05-01", 12), ("2026-08-20", "9.5"))
    assert (found["baseline"], found["baselineDay"]) == (36, date(2026, 1, 9))
    assert (found["beforePrevious"], found["previous"], str(found["last"])) == (36, 12, "9.5")
    assert (found["uln"], found["baselineUln"], found["comparable"], found["lastAtMost"]) == (
        5,
        5,
        "yes",
        "no",
    )


@pytest.mark.parametrize(
    ("day", "counts"),
    [("2026-08-04", True), ("2026-08-03", False), ("2026-09-29", True), ("2026-09-30", False)],
)
def test_the_last_value_lies_within_28_days_of_the_index_study(day: str, counts: bool) -> None:
    assert ("last" in marker(("2026-01-09", 36), (day, 9))) == counts


@pytest.mark.parametrize(
    ("day", "counts"), [("2025-11-29", True), ("2025-11-28", False), ("2026-01-11", False)]
)
def test_the_baseline_lies_within_42_days_before_the_line(day: str, counts: bool) -> None:
    assert ("baseline" in marker((day, 36), ("2026-08-20", 9))) == counts


@pytest.mark.parametrize(
    ("day", "counts"),
    [("2026-08-04", True), ("2026-08-03", False), ("2026-09-30", True), ("2026-10-10", True)],
)
def test_the_newest_value_lies_near_the_index_study_or_later(day: str, counts: bool) -> None:
    found = marker(("2026-01-09", 36), (day, 9))
    assert ("newest" in found) == counts
    if counts:
        assert (found["newest"], found["newestDay"], found["newestUln"]) == (9, date.fromisoformat(day), 5)
        assert found["newestAtMost"] == "no"


def test_a_newer_value_does_not_take_the_place_of_the_last_one() -> None:
    found = marker(("2026-01-09", 36), ("2026-08-20", 3), ("2026-10-05", 40))
    assert (found["last"], found["lastDay"]) == (3, date(2026, 8, 20))
    assert (found["newest"], found["newestDay"]) == (40, date(2026, 10, 5))


def test_a_newest_value_below_something_is_at_most_that() -> None:
    assert marker(("2026-10-05", 2), around=None, comparator="<")["newestAtMost"] == "yes"


def test_different_values_of_one_day_are_left_out() -> None:
    found = marker(("2026-01-09", 36), ("2026-08-20", 4), ("2026-08-20", 10))
    assert (found.get("last"), found.get("newest"), found["sameDay"]) == (None, None, "yes")
    assert marker(("2026-08-20", 9), ("2026-08-20", 9))["last"] == 9


@pytest.mark.parametrize(("values", "level"), [((9, 10), 10), ((2, 4), 4), ((5, 6), None)])
def test_different_values_of_one_day_are_a_level_on_one_side_of_the_limit(
    values: tuple[int, int], level: int | None
) -> None:
    found = marker(("2026-01-09", 36), ("2026-05-01", 12), *(("2026-08-20", each) for each in values))
    assert (found.get("last"), found.get("newest")) == (level, level)
    assert (found.get("previous"), found.get("comparable")) == (None, None)  # no trend
    assert found.get("sameDay") == (None if level else "yes")


def test_an_older_value_does_not_stand_in_for_a_day_with_two() -> None:
    found = marker(("2026-01-09", 36), ("2026-08-18", 3), ("2026-08-20", 4), ("2026-08-20", 10))
    assert (found.get("last"), found.get("newest"), found["sameDay"]) == (None, None, "yes")
    later = marker(("2026-08-20", 4), ("2026-08-20", 10), ("2026-08-25", 3))
    assert (later["last"], later.get("sameDay")) == (3, None)


def test_two_values_of_one_day_without_a_limit_are_no_level() -> None:
    assert marker(("2026-08-20", 9), ("2026-08-20", 10), uln=None)["sameDay"] == "yes"


@pytest.mark.parametrize(
    ("comparator", "most", "least"),
    [(None, "no", "no"), ("<", "yes", "no"), (">", "no", "yes"), (">=", "no", "yes")],
)
def test_what_a_comparator_says_of_the_level(comparator: str | None, most: str, least: str) -> None:
    found = marker(("2026-08-20", 5), **({"comparator": comparator} if comparator else {}))
    assert (found["lastAtMost"], found["newestAtMost"]) == (most, most)
    assert (found["lastAtLeast"], found["newestAtLeast"]) == (least, least)


def test_at_most_has_a_level_and_no_trend() -> None:
    h = History()
    h.cea("2026-05-01", 4)
    h.cea("2026-08-20", 2, comparator="<")
    h.report(h.study("2026-09-01", "CT"))
    found = one(h.facts(), "marker_series")
    assert (found["last"], found["lastAtMost"], found["comparable"]) == (2, "yes", "no")
    assert "previous" not in found


def test_another_assay_or_family_makes_no_trend() -> None:
    h = History()
    h.cea("2026-05-01", 4, code=Cea.MASS_IMMUNOASSAY)
    h.cea("2026-08-20", 6)
    h.observation(Cea.ARBITRARY, "2026-08-25", valueQuantity={"value": 99, "unit": "U/mL", "code": "U/mL"})
    h.report(h.study("2026-09-01", "CT"))
    found = one(h.facts(), "marker_series")
    assert (found["last"], found["comparable"]) == (6, "no")
    assert "previous" not in found


def test_without_limit_or_laboratory_values_do_not_compare() -> None:
    found = marker(("2026-05-01", 4), ("2026-08-20", 6), uln=None)
    assert found["comparable"] == "no"
    assert "uln" not in found
    same = marker(
        ("2026-05-01", 4), ("2026-08-20", 6), uln=None, performer=[{"reference": "Organization/lab"}]
    )
    assert same["comparable"] == "yes"


@pytest.mark.parametrize(
    "value",
    [
        {"valueQuantity": {"value": 99, "unit": "U/mL"}},
        {"valueQuantity": {"value": 99}},
        {"valueString": "99 ng/mL"},
    ],
)
def test_a_value_that_does_not_convert_is_said(value: dict[str, Any]) -> None:
    h = History()
    h.cea("2026-08-20", 6)
    foreign = h.observation(Cea.MASS, "2026-08-25", **value)
    h.report(h.study("2026-09-01", "CT"))
    found = one(h.facts(), "marker_series")
    assert (found["last"], found["comparable"], found["unusable"]) == (6, "no", "yes")
    (fact,) = [each for each in h.facts() if each.kind == "marker_series"]
    assert f"Observation/{foreign['id']}" in fact.sources
    assert [note.reason for note in h.timeline().notes] == ["laboratory-value-not-counted"]


def test_it_is_said_too_where_nothing_else_was_measured_or_only_before_therapy() -> None:
    h = History()
    h.observation(Cea.MASS, "2026-01-05", valueQuantity={"value": 99, "unit": "U/mL"})
    h.dose("2026-01-10")
    h.report(h.study("2026-09-01", "CT"))
    found = one(h.facts(), "marker_series")
    assert found == {"comparable": "no", "unusable": "yes"}


def test_a_measurement_that_failed_is_no_value() -> None:
    h = History()
    h.observation(Cea.MASS, "2026-08-25", dataAbsentReason={"text": "haemolysed"})
    h.report(h.study("2026-09-01", "CT"))
    assert of_kind(h.facts(), "marker_series") == []


def test_no_value_no_fact() -> None:
    assert marker() == {}


def test_a_number_that_cannot_be_held_exactly_is_left_out() -> None:
    found = marker(("2026-05-01", 4), ("2026-08-20", "9.12345678"))
    assert "last" not in found
    assert found["lastDay"] == date(2026, 8, 20)
