"""Dangerous patients, from FHIR resources to the status that the rules give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.codes import Operation, Protocol, ProtocolValue, Size
from plugin.chart import Gap, GapReason
from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.history import History, part, quantity, segment, tracked

PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")
Lesion = dict[str, Any]


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(PACK, mode="reference", timeout=60) as evaluator:
        yield evaluator


def start(mm: Any = 20, kind: str = "MRI") -> tuple[History, Lesion]:
    """One lesion before therapy, and two doses."""
    h = History()
    lesion = h.lesion("L1", "VI", "2.25.1")
    study = h.good_mri("2026-01-05") if kind == "MRI" else h.study("2026-01-05", kind)
    h.report(study)
    h.seen(lesion, study, "visible", mm=mm)
    h.dose("2026-01-10", "2026-02-10")
    return h, lesion


def gone(h: History, lesion: Lesion, day: str = "2026-03-10") -> None:
    h.seen(lesion, h.good_mri(day), "not-visible")


def status(h: History, rules: Evaluator, label: str = "L1") -> tuple[str, str]:
    facts = h.facts()
    ids = {str(fact.values["id"]): fact.values["label"] for fact in facts if fact.kind == "lesion"}
    for fact in rules.evaluate(facts).of("status"):
        if ids[str(fact.values["lesion"])] == label:
            return str(fact.values["value"]), str(fact.values["reason"])
    raise AssertionError(f"no status of {label}")


def test_an_adequate_mri_after_therapy_confirms(rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion)
    assert status(h, rules) == ("CONFIRMED_DLM", "none")


def test_two_readings_without_a_dose_between_stay_visible(rules: Evaluator) -> None:
    h, lesion = start()
    h.seen(lesion, h.good_mri("2026-03-10"), "visible", mm=6)
    gone(h, lesion, "2026-03-16")
    assert status(h, rules)[0] == "SMALL_RESIDUAL"


def test_a_hospital_without_doses_on_record(rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion, "2026-09-10")
    h.resources = [each for each in h.resources if each["resourceType"] != "MedicationAdministration"]
    assert status(h, rules) == ("CANNOT_DECIDE", "therapy-not-recorded")


def test_a_later_mri_that_does_not_mention_the_lesion(rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion)
    h.report(h.good_mri("2026-09-01"))
    assert status(h, rules) == ("CANNOT_DECIDE", "not-reported")


def test_a_later_pelvic_mri_changes_nothing(rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion)
    pelvis = {"system": "http://snomed.info/sct", "code": "816092008"}
    h.report(h.study("2026-09-01", "MRI", series=[{"uid": "2.25.4", "bodySite": pelvis}]))
    assert status(h, rules)[0] == "CONFIRMED_DLM"


def test_a_later_preliminary_report_changes_nothing(rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion)
    h.report(h.study("2026-09-01", "MRI"), "preliminary")
    assert status(h, rules)[0] == "CONFIRMED_DLM"


def test_an_outside_report_without_lesion_names(rules: Evaluator) -> None:
    h, _ = start()
    h.seen(None, h.good_mri("2026-03-10"), "visible", mm=5)
    assert status(h, rules) == ("CANNOT_DECIDE", "identity")


def test_a_label_in_another_segment_is_not_the_lesion(rules: Evaluator) -> None:
    h, _ = start()
    h.seen(tracked(label="L1"), h.good_mri("2026-03-10"), "not-visible", **segment("VII"))
    assert status(h, rules) == ("CANNOT_DECIDE", "identity")


def test_an_unlinked_hepatectomy_elsewhere(rules: Evaluator) -> None:
    h, lesion = start()
    h.treat("2026-03-01")
    gone(h, lesion, "2026-05-01")
    assert status(h, rules) == ("CANNOT_DECIDE", "treated-or-not")


def test_ablated_and_visible_again(rules: Evaluator) -> None:
    h, lesion = start()
    h.treat("2026-03-01", lesion, kind=Operation.ABLATION)
    assert status(h, rules)[0] == "TREATED"
    h.seen(lesion, h.good_mri("2026-09-10"), "visible", mm=12)
    assert status(h, rules) == ("REAPPEARED", "local-recurrence")


def test_too_small_to_measure_after_fifty_millimetres(rules: Evaluator) -> None:
    h, lesion = start(50)
    study = h.good_mri("2026-03-10")
    h.seen(lesion, study, "visible", parts=[part(Size.TTSM, valueBoolean=True)])
    h.size(lesion, study, 5)
    assert status(h, rules)[0] == "RESIDUAL_TINY"


def test_a_size_of_zero_alone_is_no_disappearance(rules: Evaluator) -> None:
    h, lesion = start()
    h.size(lesion, h.good_mri("2026-03-10"), 0)
    assert status(h, rules)[0] == "CANNOT_DECIDE"


@pytest.mark.parametrize("resource", ["Observation", "BodyStructure", "ImagingStudy"])
def test_a_record_cut_short_confirms_nothing(resource: str, rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion)
    h.gaps.append(Gap(resource=resource, reason=GapReason.TRUNCATED, detail="page limit", decisive=True))
    assert status(h, rules) == ("CANNOT_DECIDE", "incomplete-record")


def test_motion_over_the_site_decides_nothing(rules: Evaluator) -> None:
    h, lesion = start()
    study = h.good_mri("2026-03-10")
    h.adequacy(
        study,
        ProtocolValue.LIMITED,
        part(Protocol.ARTEFACT, valueCodeableConcept=ProtocolValue.MOTION.concept),
    )
    h.seen(lesion, study, "not-visible")
    assert status(h, rules) == ("CANNOT_DECIDE", "quality")
    h.seen(lesion, h.study("2026-03-12", "CT"), "not-visible")
    assert status(h, rules)[0] == "APPARENT_DLM"


def test_thick_slices_weaken(rules: Evaluator) -> None:
    h, lesion = start()
    study = h.good_mri("2026-03-10")
    h.adequacy(study, ProtocolValue.ADEQUATE, part(Protocol.SLICE, valueQuantity=quantity(8, "mm")))
    h.seen(lesion, study, "not-visible")
    assert status(h, rules)[0] == "APPARENT_DLM"


def test_one_study_that_says_both(rules: Evaluator) -> None:
    h, lesion = start()
    study = h.good_mri("2026-03-10")
    h.seen(lesion, study, "not-visible")
    h.seen(lesion, study, "visible", mm=4)
    assert status(h, rules) == ("CANNOT_DECIDE", "contradiction")


def test_the_ultrasound_of_the_operation_decides(rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion)
    operation = h.study("2026-04-01", "US")
    mapped = part(Protocol.LESION_MAP, valueBoolean=True)
    h.adequacy(operation, ProtocolValue.ADEQUATE, mapped, method="CEIOUS")
    h.seen(lesion, operation, "not-visible", method="CEIOUS")
    assert status(h, rules)[0] == "MISSING_CEIOUS"


def test_seen_at_operation_after_a_negative_mri(rules: Evaluator) -> None:
    h, lesion = start()
    gone(h, lesion)
    h.seen(lesion, h.study("2026-03-30", "US"), "visible", mm=5, method="IOUS")
    assert status(h, rules)[0] == "RESIDUAL_TINY"


def test_a_scan_on_the_day_of_the_dose_is_before_it(rules: Evaluator) -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.good_mri("2026-01-10"), "visible", mm=20)
    h.dose("2026-01-10")
    gone(h, lesion)
    assert status(h, rules)[0] == "CONFIRMED_DLM"


def test_an_undated_negative_is_nothing(rules: Evaluator) -> None:
    h, lesion = start()
    h.seen(lesion, h.study(None, "MRI"), "not-visible")
    assert status(h, rules) == ("VISIBLE", "no-restaging")


def test_a_new_label_for_a_vanished_lesion_leaves_both_as_they_are(rules: Evaluator) -> None:
    h, lesion = start()
    study = h.good_mri("2026-03-10")
    h.seen(lesion, study, "not-visible")
    relabelled = h.lesion("L7", "VI", "2.25.7")
    h.seen(relabelled, study, "visible", mm=7)
    found = rules.evaluate(h.facts())
    assert not [finding for finding in found.findings if finding.rule == "DC-02"]
    assert status(h, rules)[0] != "VISIBLE"
