"""A sentence is true of every lesion it names: lesions that differ in what it says are told apart."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from plugin.advice import advise
from plugin.advice.values import alike, number, signed, slots_of
from plugin.decision import Advice
from plugin.settings import Settings
from rules.facts import Fact
from tests.plugin.advising import TODAY, decided, fact, finding, lesion

WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion"}
SEARCHED = fact("exam", id="U", day=TODAY, unmatched=0, **{"class": "CEIOUS"})


def first(*facts: Fact | tuple[Fact, ...]) -> Advice:
    return advise(decided(*facts), "order-sign", settings=Settings())[0]


SAME = [finding("DA-09", one, says=({"day": TODAY, "mm": 6},)) for one in ("L1", "L2")]
APART = [finding("DA-09", one, says=({"day": TODAY, "mm": mm},)) for one, mm in (("L1", 6), ("L2", 9))]
MANY = [finding("DA-09", f"L{mm}", says=({"day": TODAY, "mm": mm},)) for mm in range(5)]


@pytest.mark.parametrize(
    ("template", "findings", "groups"),
    [
        ("{lesions} {mm} mm", SAME, 1),
        ("{lesions} {mm} mm", APART, 2),
        ("{lesions} on {study}", APART, 2),
        ("{lesions}", APART, 1),
        ("{lesions} {mm} mm", MANY, 5),
        ("{lesions} on {study}", MANY, 1),
    ],
)
def test_who_shares_a_sentence(template: str, findings: list[object], groups: int) -> None:
    found = alike(template, findings)  # type: ignore[arg-type]
    assert len(found) == groups
    assert [one for group in found for one in group] == findings


def test_slots_of_a_text() -> None:
    assert slots_of("{lesions}{segment}: {depth} mm") == {"lesions", "segment", "depth"}


def test_each_lesion_has_its_own_depth() -> None:
    shared = {"preopMri": "yes", "asOf": TODAY, "class": "CEIOUS"}
    card = first(
        lesion("L1", "MISSING_CEIOUS", depthMm=42, **shared),
        lesion("L2", "MISSING_CEIOUS", depthMm=17, **shared),
        SEARCHED,
    )
    assert (
        "L1 (segment VI) was not found on adequate MRI or by contrast ultrasound at operation" in card.detail
    )
    assert card.detail.index("It lies 42 mm deep.") < card.detail.index("It lies 17 mm deep.")


def test_a_disagreement_names_the_studies_of_its_own_lesion() -> None:
    def conflict(id_: str, day: date) -> Fact:
        return fact("weighed", id=f"W{id_}", lesion=id_, weight="less", seenClass="PET", seenDay=day, notClass="MRI", notDay=day)  # fmt: skip

    card = first(
        lesion("L1", "VISIBLE"),
        lesion("L2", "VISIBLE"),
        conflict("L1", date(2026, 9, 1)),
        conflict("L2", date(2026, 10, 1)),
    )
    assert card.summary == "PET 2026-09-01 and MRI 2026-09-01 disagree on L1: joint reading."
    assert "PET 2026-09-01 shows L1; MRI 2026-09-01 does not." in card.detail
    assert "PET 2026-10-01 shows L2; MRI 2026-10-01 does not." in card.detail


def test_different_days_are_not_given_as_one() -> None:
    card = first(
        lesion("L1", "CONFIRMED_DLM", asOf=date(2026, 9, 1), **WATCHED),
        lesion("L2", "CONFIRMED_DLM", asOf=date(2026, 10, 1), **WATCHED),
    )
    assert card.summary.startswith(
        "Not seen on hepatobiliary MRI up to 2026-10-01 and no operation planned: L1, L2;"
    )
    assert "L1 is no longer seen on hepatobiliary MRI of 2026-09-01." in card.detail
    assert "L2 is no longer seen on hepatobiliary MRI of 2026-10-01." in card.detail


def test_numbers_as_people_write_them() -> None:
    assert [number(one) for one in (Decimal("6.0"), Decimal("14.50"), 20, None)] == ["6", "14.5", "20", "?"]
    assert [signed(one) for one in (Decimal(-6), Decimal(4))] == ["-6", "+4"]
