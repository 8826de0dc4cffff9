"""The laws of the status (R-12), from FHIR resources to the rules' answer: less evidence never makes a lesion gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.evaluate import Evaluator
from rules.language import load_pack
from tests.plugin.drawn import course, followed
from tests.plugin.history import History

PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")
GONE = {"CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"}
SEEN = {"VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED"}
CASES = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def rules() -> Iterator[Evaluator]:
    with Evaluator(PACK, mode="reference", timeout=60) as evaluator:
        yield evaluator


def status(h: History, rules: Evaluator) -> str:
    (fact,) = rules.evaluate(h.facts()).of("status")
    return str(fact.values["value"])


def negative(resource: dict[str, Any]) -> bool:
    coding = resource.get("valueCodeableConcept", {}).get("coding", [{}])
    return bool(coding[0].get("code") == "260415000")


def dose(resource: dict[str, Any]) -> bool:
    return bool(resource["resourceType"] == "MedicationAdministration")


@pytest.mark.parametrize("kind", [negative, dose])
@given(drawn=course, data=st.data())
@CASES
def test_removing_a_negative_or_a_dose_never_makes_the_lesion_gone(
    kind: Any, drawn: Any, data: Any, rules: Evaluator
) -> None:
    h, _ = followed(drawn)
    before = status(h, rules)
    found = [each for each in h.resources if kind(each)]
    if not found or before in GONE:
        return
    h.resources.remove(data.draw(st.sampled_from(found)))
    assert status(h, rules) not in GONE


@given(drawn=course)
@CASES
def test_a_later_visible_sighting_makes_the_lesion_visible(drawn: Any, rules: Evaluator) -> None:
    h, lesion = followed(drawn)
    h.seen(lesion, h.study("2026-10-09", "CT"), "visible", mm=6)
    assert status(h, rules) in SEEN


@given(drawn=course)
@CASES
def test_without_any_dose_nothing_is_gone(drawn: Any, rules: Evaluator) -> None:
    h, _ = followed((drawn[0], []))
    assert status(h, rules) not in GONE | {"APPARENT_DLM"}


@given(drawn=course, hidden=st.sampled_from(("BodyStructure", "ImagingStudy", "Observation")))
@CASES
def test_a_lost_resource_never_leaves_a_lesion_gone(drawn: Any, hidden: str, rules: Evaluator) -> None:
    h, lesion = followed(drawn)
    spoiled: dict[str, Any] = {"resourceType": hidden, "id": "lost", "modifierExtension": [{"url": "x"}]}
    if hidden == "Observation":
        spoiled |= {"code": h.seen(lesion, None, "visible", day="2026-02-01")["code"], "status": "final"}
        h.resources.pop()
    h.resources.append({**spoiled, "subject": {"reference": f"Patient/{h.patient}"}})
    assert status(h, rules) not in GONE


@given(
    drawn=course,
    kind=st.sampled_from(("CT", "MRI")),
    later=st.lists(st.sampled_from(("CT", "MRI")), max_size=2),
)
@CASES
def test_what_is_seen_after_the_last_dose_is_not_outvoted(
    drawn: Any, kind: str, later: list[str], rules: Evaluator
) -> None:
    h, lesion = followed(drawn)  # its doses and studies end before this
    h.seen(
        lesion, h.good_mri("2026-09-20") if kind == "MRI" else h.study("2026-09-20", kind), "visible", mm=6
    )
    for number, modality in enumerate(later):
        day = f"2026-09-{25 + number}"
        made = h.good_mri(day) if modality == "MRI" else h.study(day, modality)
        h.report(made)
        h.seen(lesion, made, "not-visible")
    assert status(h, rules) not in GONE


@given(drawn=course, kind=st.sampled_from(("CT", "MRI")))
@CASES
def test_a_study_that_says_both_makes_nothing_gone(drawn: Any, kind: str, rules: Evaluator) -> None:
    h, lesion = followed(drawn)
    made = h.good_mri("2026-10-05") if kind == "MRI" else h.study("2026-10-05", kind)
    h.seen(lesion, made, "visible")
    h.seen(lesion, made, "not-visible")
    assert status(h, rules) not in GONE | {"APPARENT_DLM"}
