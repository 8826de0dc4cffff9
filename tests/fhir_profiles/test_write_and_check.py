"""What is emitted is valid, a draft, and read back as what it means; the check says where, never what."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles import write
from fhir_profiles.check import check
from fhir_profiles.records import LesionRef, Plan
from tests.fhir_profiles.resources import records, visibility

LESIONS = (LesionRef(body="BodyStructure/l1"), LesionRef(uid="2.25.9"), LesionRef(label="L3"))
AUTHORED = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("order", "types"),
    [
        (write.ious("p1", lesions=LESIONS, contrast=False, authored=AUTHORED), ["ious"]),
        (write.ious("p1", lesions=LESIONS, contrast=True, authored=AUTHORED), ["ious", "ceious"]),
        (
            write.liver_mri("Patient/p1", lesions=LESIONS, authored=AUTHORED, due=date(2026, 11, 23)),
            ["liver-mri"],
        ),
        (write.liver_mri("p1", authored=AUTHORED, with_contrast=False), ["other-liver-imaging"]),
        (write.mdt_review("p1", lesions=LESIONS, authored=AUTHORED), ["mdt"]),
    ],
)
def test_orders_are_valid_drafts_and_read_back(order: dict[str, Any], types: list[str]) -> None:
    assert check(order) == ()
    assert (order["status"], order["subject"]) == ("draft", {"reference": "Patient/p1"})
    plans = [record for record in records(order | {"id": "new"}) if isinstance(record, Plan)]
    assert [plan.type for plan in plans] == types
    for plan in plans:
        assert plan.live
        assert [(lesion.body, lesion.uid) for lesion in plan.lesions] in (
            [],
            [("BodyStructure/l1", None), (None, "2.25.9")],
        )


def test_a_valid_resource_has_no_problems() -> None:
    assert check(visibility()) == ()


@pytest.mark.parametrize(
    ("resource", "element"),
    [
        ([], "resource"),
        ({}, "resourceType"),
        ({"resourceType": "Coding"}, "resourceType"),
        ({"resourceType": "NoSuch"}, "resourceType"),
        ({"resourceType": "Observation", "status": "final"}, "code"),
        (visibility(effectiveDateTime="2026-13-40"), "effectiveDateTime"),
        (visibility(secret="SECRET-VALUE"), "secret"),
        (visibility(valueCodeableConcept={"coding": [{"code": ["SECRET-VALUE"]}]}), "valueCodeableConcept"),
        (visibility(code=3), "code"),
    ],
)
def test_problems_name_the_element_and_hold_no_value(resource: Any, element: str) -> None:
    problems = check(resource)
    assert problems
    assert any(problem.startswith(element) for problem in problems)
    assert not any("SECRET-VALUE" in problem for problem in problems)
