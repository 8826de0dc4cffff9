"""Patients of whom something is lost or withdrawn: none of it may make a lesion pass for vanished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.codes import Operation, Size, Topic, Visibility
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.history import History, Resource, of_kind, part, quantity, to

PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")
CONFIRMED = ("CONFIRMED_DLM", "none")
LATER = "2026-09-10"


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(PACK, mode="reference", timeout=60) as evaluator:
        yield evaluator


def start() -> tuple[History, Resource, Resource]:
    """One lesion before therapy, two doses, and the adequate MRI that does not show it any more."""
    h = History()
    lesion = h.lesion("L1", "VI", "2.25.1")
    first = h.good_mri("2026-01-05")
    h.report(first)
    h.seen(lesion, first, "visible", mm=20)
    h.dose("2026-01-10", "2026-02-10")
    later = h.good_mri("2026-03-10")
    h.report(later)
    h.seen(lesion, later, "not-visible")
    return h, lesion, later


def status(h: History, rules: Evaluator) -> tuple[str, str]:
    (fact,) = rules.evaluate(h.facts()).of("status")
    return str(fact.values["value"]), str(fact.values["reason"])


def test_nothing_is_lost(rules: Evaluator) -> None:
    assert status(start()[0], rules) == CONFIRMED


# ------------------------------------------------------------------------------------------ withdrawn studies


@pytest.mark.parametrize("word", ["entered-in-error", "cancelled"])
def test_a_withdrawn_study_denies_no_lesion(word: str, rules: Evaluator) -> None:
    h, _, later = start()
    later["status"] = word
    assert status(h, rules) == ("VISIBLE", "no-restaging")
    notes = [each for each in h.timeline().notes if each.reason == "study-withdrawn"]
    # The report, the quality statement and the negative fall with it.
    assert [each.source.split("/")[0] for each in notes] == ["DiagnosticReport", "Observation", "Observation"]
    assert len(h.timeline().studies) == 1


def named_by_uid(h: History, study: Resource) -> None:
    """Gives the study an instance UID, and lets all that is said in it name that alone."""
    uid = {"system": "urn:dicom:uid", "value": "urn:oid:2.25.77"}
    study["identifier"] = [uid]
    for each in h.resources:
        if to(study) in each.get("derivedFrom", []):
            each["derivedFrom"] = [{"identifier": uid, "type": "ImagingStudy"}]


def test_a_withdrawn_study_named_by_its_uid_denies_no_lesion(rules: Evaluator) -> None:
    h, _, later = start()
    named_by_uid(h, later)
    later["status"] = "entered-in-error"
    assert status(h, rules) == ("VISIBLE", "no-restaging")


def test_a_valid_copy_of_the_study_vouches_for_what_it_says(rules: Evaluator) -> None:
    h, _, later = start()
    named_by_uid(h, later)
    h.resources.append({**later, "id": "the-right-one"})
    later["status"] = "entered-in-error"
    assert status(h, rules) == CONFIRMED


def test_a_lesion_seen_in_a_withdrawn_study_stays_seen(rules: Evaluator) -> None:
    h, lesion, _ = start()
    wrong = h.study(LATER, "MRI", status="entered-in-error")
    h.seen(lesion, wrong, "visible", mm=14)
    assert status(h, rules)[0] == "REAPPEARED"


def test_a_doubt_in_a_withdrawn_study_stays(rules: Evaluator) -> None:
    h, lesion, _ = start()
    h.seen(lesion, h.study(LATER, "MRI", status="entered-in-error"), "indeterminate")
    assert status(h, rules) == ("CANNOT_DECIDE", "indeterminate")


def test_the_results_of_a_withdrawn_report_deny_no_lesion(rules: Evaluator) -> None:
    h, _, later = start()
    said = [to(each) for each in h.resources if to(later) in each.get("derivedFrom", [])]
    report = h.report(later, "entered-in-error", result=said)
    h.resources = [
        each for each in h.resources if each["resourceType"] != "DiagnosticReport" or each is report
    ]
    assert status(h, rules) == ("VISIBLE", "no-restaging")
    h.report(later, result=said)
    assert status(h, rules) == CONFIRMED


def test_a_withdrawn_operation_finds_nothing_gone() -> None:
    h, lesion, _ = start()
    done = h.treat(LATER, lesion, status="entered-in-error")
    said = h.seen(lesion, None, "not-visible", day=LATER, method="IOUS")
    said["partOf"] = [to(done)]
    assert "IOUS" not in {each.modality for each in h.timeline().sightings}
    done["status"] = "completed"
    assert "IOUS" in {each.modality for each in h.timeline().sightings}


# ------------------------------------------------------------------------------------------------ operations


@pytest.mark.parametrize("word", ["unknown", "stopped", "on-hold", "in-progress", None])
def test_an_operation_that_may_have_been_done_decides_nothing(word: str | None, rules: Evaluator) -> None:
    h, _, _ = start()
    done = h.treat("2026-02-20", status=word)
    if word is None:
        del done["status"]
    assert status(h, rules) == ("CANNOT_DECIDE", "treated-or-not")


@pytest.mark.parametrize("word", ["unknown", "stopped", "in-progress"])
def test_an_operation_on_the_lesion_that_may_have_been_done_decides_nothing(
    word: str, rules: Evaluator
) -> None:
    h, lesion, _ = start()
    h.treat("2026-02-20", lesion, status=word)
    assert status(h, rules) == ("CANNOT_DECIDE", "incomplete-record")
    h.seen(lesion, h.study("2026-02-25", "MRI"), "visible", mm=14)
    assert not of_kind(h.facts(), "gap")


@pytest.mark.parametrize("word", ["preparation", "not-done"])
def test_an_operation_that_was_not_done_removed_nothing(word: str, rules: Evaluator) -> None:
    h, lesion, _ = start()
    h.treat("2026-02-20", lesion, status=word)
    h.treat("2026-02-21", status=word)
    assert status(h, rules) == CONFIRMED


@pytest.mark.parametrize("day", ["2026-10-10", "2026-10-09"])
def test_an_operation_that_is_going_on_has_removed_nothing_yet(day: str, rules: Evaluator) -> None:
    h, _, _ = start()
    h.treat(day, status="in-progress")
    assert status(h, rules) == CONFIRMED


@pytest.mark.parametrize(
    ("fields", "decisive"),
    [
        ({"modifierExtension": [{"url": "https://x.example/odd"}]}, True),
        ({"performedDateTime": "2027-02-20"}, True),
        ({"performedDateTime": "2027-02-20", "status": "unknown"}, True),
        ({"performedDateTime": "2027-02-20", "status": "preparation"}, False),
        ({"modifierExtension": [{"url": "https://x.example/odd"}], "status": "not-done"}, False),
        ({"modifierExtension": [{"url": "x"}], "code": Operation.EMBOLISATION.concept}, False),
    ],
)
def test_an_operation_that_is_not_used_may_be_why_nothing_is_seen(
    fields: dict[str, Any], decisive: bool, rules: Evaluator
) -> None:
    h, lesion, _ = start()
    done = h.treat("2026-02-20", lesion)
    done |= fields
    assert status(h, rules) == (("CANNOT_DECIDE", "incomplete-record") if decisive else CONFIRMED)


def test_where_nothing_is_gone_an_operation_that_is_not_used_is_no_decisive_gap() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "MRI"), "visible", mm=20)
    h.treat("2026-02-20", lesion, modifierExtension=[{"url": "x"}])
    assert [each["decisive"] for each in of_kind(h.facts(), "gap")] == ["no"]


# ------------------------------------------------------------------------------------------- sizes in words


def test_a_size_in_words_beside_not_visible_is_a_doubt(rules: Evaluator) -> None:
    h, lesion, later = start()
    told = h.size(lesion, later, 1)
    told |= {"component": [], "valueString": "1.2 x 0.8 cm"}
    assert status(h, rules) == ("CANNOT_DECIDE", "indeterminate")
    assert ("size-not-counted", "text") in {(each.reason, each.detail) for each in h.timeline().notes}


@pytest.mark.parametrize("words", ["0 mm", "not measurable", "n/a"])
def test_words_without_a_number_do_not_deny_not_visible(words: str, rules: Evaluator) -> None:
    h, lesion, later = start()
    h.size(lesion, later, 1).update(component=[], valueString=words)
    assert status(h, rules) == CONFIRMED


@pytest.mark.parametrize("words", ["12 mm", "not measurable"])
def test_a_size_in_words_alone_is_no_silence(words: str, rules: Evaluator) -> None:
    h, lesion, _ = start()
    h.size(lesion, h.good_mri(LATER), 1).update(component=[], valueString=words)
    assert status(h, rules) == ("CANNOT_DECIDE", "indeterminate")
    assert not of_kind(h.facts(), "silence")


def test_a_number_with_a_comma_beside_not_visible_contradicts(rules: Evaluator) -> None:
    h, lesion, later = start()
    told = h.size(lesion, later, 1)
    told["component"] = [part(Size.LONGEST, valueQuantity=quantity(1, "cm") | {"value": "1,2"})]
    assert status(h, rules) == ("CANNOT_DECIDE", "contradiction")


# ------------------------------------------------------------------------------------- statements not read


def test_visible_in_a_component_is_read(rules: Evaluator) -> None:
    h, lesion, _ = start()
    said = h.seen(lesion, h.study(LATER, "MRI"), "visible")
    said["component"] = [part(Topic.VISIBILITY, valueCodeableConcept=said.pop("valueCodeableConcept"))]
    assert status(h, rules)[0] == "REAPPEARED"


@pytest.mark.parametrize(
    ("day", "part", "outcome"),
    [
        (LATER, {"valueBoolean": True}, ("CANNOT_DECIDE", "incomplete-record")),
        (LATER, {}, CONFIRMED),
        ("2026-01-05", {"valueBoolean": True}, CONFIRMED),
    ],
)
def test_a_value_in_a_component_that_is_not_known_may_hide_a_sighting(
    day: str, part: dict[str, Any], outcome: tuple[str, str], rules: Evaluator
) -> None:
    h, lesion, _ = start()
    said = h.seen(lesion, None, "visible", day=day, method="MRI")
    said["component"] = [{"code": {"text": "Seen"}, **part}]
    del said["valueCodeableConcept"]
    assert status(h, rules) == outcome


@pytest.mark.parametrize(
    ("day", "value", "outcome"),
    [
        (LATER, {"valueQuantity": quantity(14, "mm")}, ("CANNOT_DECIDE", "incomplete-record")),
        ("2026-03-10", {"valueQuantity": quantity(14, "mm")}, ("CANNOT_DECIDE", "incomplete-record")),
        (None, {"valueQuantity": quantity(14, "mm")}, ("CANNOT_DECIDE", "incomplete-record")),
        (LATER, {"valueCodeableConcept": Visibility.PRESENT.concept}, ("CANNOT_DECIDE", "incomplete-record")),
        ("2026-01-05", {"valueQuantity": quantity(14, "mm")}, CONFIRMED),
        (LATER, {"valueQuantity": quantity(14, "mL")}, CONFIRMED),
        (LATER, {"valueQuantity": quantity(14, "mm"), "status": "preliminary"}, CONFIRMED),
        (LATER, {"valueQuantity": quantity(14, "mm"), "specimen": {"reference": "Specimen/1"}}, CONFIRMED),
    ],
)
def test_a_length_of_an_unknown_code_on_a_lesion_that_is_gone(
    day: str | None, value: dict[str, Any], outcome: tuple[str, str], rules: Evaluator
) -> None:
    h, lesion, _ = start()
    said = h.add("Observation", code={"text": "Nodule"}, focus=[to(lesion)], status="final")
    said |= value | ({"effectiveDateTime": day} if day else {})
    assert status(h, rules) == outcome


def test_a_length_of_an_unknown_code_on_another_organ_is_no_gap(rules: Evaluator) -> None:
    h, _, _ = start()
    lung = {"coding": [{"system": "http://snomed.info/sct", "code": "39607008"}]}
    nodule = h.lesion("N1", None, location=lung)
    value = {"valueQuantity": quantity(14, "mm"), "effectiveDateTime": LATER}
    h.add("Observation", status="final", code={"text": "Nodule"}, focus=[to(nodule)], **value)
    assert status(h, rules) == CONFIRMED


# ------------------------------------------------------------------------------------------------ after today


def test_seen_on_a_day_after_today_takes_the_day_of_its_study(rules: Evaluator) -> None:
    h, lesion, _ = start()
    h.size(lesion, h.study(LATER, "CT"), 14, day="2027-09-10")
    assert status(h, rules)[0] == "REAPPEARED"
    assert ("day-not-used", "after-today") in {(each.reason, each.detail) for each in h.timeline().notes}


@pytest.mark.parametrize(("word", "outcome"), [("visible", "VISIBLE"), ("not-visible", "CONFIRMED_DLM")])
def test_without_a_study_a_day_after_today_costs_a_sighting_its_day(
    word: str, outcome: str, rules: Evaluator
) -> None:
    h, lesion, _ = start()
    h.seen(lesion, None, word, day="2027-09-10", method="MRI")
    assert status(h, rules)[0] == outcome


def test_a_time_in_a_zone_that_is_ahead_is_not_after_today(rules: Evaluator) -> None:
    h, lesion, _ = start()
    # 11 October there, 10 October (today) in UTC.
    h.seen(lesion, h.study("2026-10-11T06:30:00+11:00", "MRI"), "visible", mm=14)
    assert status(h, rules)[0] == "REAPPEARED"
    assert not h.timeline().rejected
