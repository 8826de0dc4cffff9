"""Items of the prognostic scores: on record and agreed, or the score is refused with what is missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.records import ConditionRecord, DayRange, LabResult, PatientFact
from plugin.facts.primary import disease_free_months, extrahepatic, stated_of_primary
from plugin.timeline import Timeline
from rules.facts import Fact
from tests.plugin.test_facts_response import BEFORE, L1, L2, NOW, facts, lesion, on, sighting

TODAY = date(2026, 10, 10)


def told(**values: Any) -> Timeline:
    return Timeline(patient="p", today=TODAY, **values)


def condition(
    kind: str, day: str | None, *, number: int = 1, last: str | None = None, **more: Any
) -> ConditionRecord:
    when = None if day is None else DayRange(date.fromisoformat(day), date.fromisoformat(last or day))
    return ConditionRecord(source=f"Condition/{kind}-{number}", kind=kind, day=when, **more)


def said(kind: str, value: str, *, number: int = 1, about: str | None = None) -> PatientFact:
    named = (f"Condition/{about}",) if about else ()
    return PatientFact(source=f"Observation/{kind}-{number}", kind=kind, value=value, about=named)


COLON = condition("colorectal-primary", "2025-01-10")
BREAST = condition("other-primary", "2015-01-10", active=False)


# ------------------------------------------------------------------------------------------ the primary
def test_statements_must_agree() -> None:
    assert (
        stated_of_primary(told(patient_facts=(said("node-positive", "yes"),)), "node-positive").value is True
    )
    both = (said("node-positive", "yes"), said("node-positive", "no", number=2))
    assert stated_of_primary(told(patient_facts=both), "node-positive").value is None
    assert stated_of_primary(told(), "node-positive").value is None


def test_a_statement_on_another_tumour_does_not_count() -> None:
    of_breast = said("node-positive", "yes", about="other-primary-1")
    assert (
        stated_of_primary(told(conditions=(COLON, BREAST), patient_facts=(of_breast,)), "node-positive").value
        is None
    )
    of_colon = said("node-positive", "no", about="colorectal-primary-1")
    known = told(conditions=(COLON, BREAST), patient_facts=(of_breast, of_colon))
    assert stated_of_primary(known, "node-positive").value is False


def test_of_which_tumour_must_be_said_where_there_were_two() -> None:
    loose = said("node-positive", "yes")
    assert stated_of_primary(told(conditions=(COLON,), patient_facts=(loose,)), "node-positive").value is True
    assert (
        stated_of_primary(told(conditions=(COLON, BREAST), patient_facts=(loose,)), "node-positive").value
        is None
    )


@pytest.mark.parametrize(
    ("primary", "metastases", "months"),
    [
        ("2025-01-10", "2025-01-10", 0),
        ("2025-01-10", "2026-01-09", 11),
        ("2025-01-10", "2026-01-10", 12),
        ("2026-03-01", "2026-01-10", 0),
    ],
)
def test_disease_free_interval(primary: str, metastases: str, months: int) -> None:
    both = (condition("colorectal-primary", primary), condition("liver-metastases", metastases))
    assert disease_free_months(told(conditions=both)).value == months


def test_an_interval_on_both_sides_of_a_year_is_not_recorded() -> None:
    vague = condition("colorectal-primary", "2025-01-01", last="2025-12-31")
    for day, months in (("2026-06-01", None), ("2027-06-01", 17), ("2025-12-31", 0)):
        made = told(conditions=(vague, condition("liver-metastases", day)))
        assert disease_free_months(made).value == months
    assert disease_free_months(told(conditions=(COLON,))).value is None
    assert disease_free_months(told(conditions=(COLON, condition("liver-metastases", None)))).value is None


@pytest.mark.parametrize(
    ("statements", "conditions", "value"),
    [
        (("none",), (), False),
        (("stable",), (), True),
        ((), ("yes",), True),
        ((), (), None),
        (("none",), ("yes",), None),
        (("none", "stable"), (), None),
        (("progression-indeterminate",), (), None),
        (("none",), ("perhaps",), None),
    ],
)
def test_disease_outside_the_liver(
    statements: tuple[str, ...], conditions: tuple[str, ...], value: bool | None
) -> None:
    lung = tuple(
        condition("extrahepatic-metastases", "2026-01-01", certain=one == "yes") for one in conditions
    )
    stated = tuple(said("extrahepatic", one, number=n) for n, one in enumerate(statements))
    assert extrahepatic(told(conditions=lung, patient_facts=stated)).value is value


# ------------------------------------------------------------------------------------------ the scores
SEEN = (
    sighting(L1, BEFORE, mm=Decimal(30)),
    sighting(L2, BEFORE, mm=Decimal(28)),
    sighting(L1, NOW, mm=Decimal(10)),
)
WHOLE: dict[str, Any] = {
    "patient_facts": (
        said("node-positive", "yes"),
        said("kras-mutated", "yes"),
        said("extrahepatic", "none"),
    ),
    "conditions": (COLON, condition("liver-metastases", "2026-03-20")),
    "labs": (
        LabResult(source="Observation/cea", code="2039-6", family="mass", value=Decimal(40), day=on(BEFORE)),
    ),
}


def scores(**values: Any) -> dict[str, Fact]:
    return {str(one.values["name"]): one for one in facts("score", *SEEN, **values)}


def missing(**values: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in facts("score_gap", *SEEN, **values):
        found.setdefault(str(one.values["name"]), set()).add(str(one.values["item"]))
    return found


@pytest.mark.parametrize(
    ("comparator", "value", "points"),
    [(None, 20, 4), ("<", 20, 3), ("<=", 20, None), ("<", 21, None), ("<=", 19, 3), (">", 19, None)],
)
def test_a_cea_below_something_gives_a_point_only_where_it_is_certain(
    comparator: str | None, value: int, points: int | None
) -> None:
    lab = LabResult(
        source="Observation/cea",
        code="2039-6",
        family="mass",
        value=Decimal(value),
        day=on(BEFORE),
        comparator=comparator,
    )
    changed = WHOLE | {"labs": (lab,)}
    found = scores(**changed)
    assert (found["game"].values["points"] if "game" in found else None) == points
    assert ("marker" in missing(**changed).get("game", set())) == (points is None)


def test_both_scores_where_every_item_is_on_record() -> None:
    found = scores(**WHOLE)
    assert (found["game"].values["points"], found["game"].values["group"]) == (4, "high")
    assert (found["fong"].values["points"], found["fong"].values["group"]) == (2, "low")
    assert missing(**WHOLE) == {}
    assert {"Observation/cea", "Observation/node-positive-1"} <= set(found["fong"].sources)


@pytest.mark.parametrize(
    ("kind", "fong", "game"),
    [
        ("node-positive", {"node-status"}, {"node-status"}),
        ("kras-mutated", set(), {"kras"}),
        ("extrahepatic", set(), {"extrahepatic"}),
    ],
)
def test_what_is_missing_is_named_and_no_number_given(kind: str, fong: set[str], game: set[str]) -> None:
    left = tuple(one for one in WHOLE["patient_facts"] if one.kind != kind)
    changed = {**WHOLE, "patient_facts": left}
    assert missing(**changed) == {name: items for name, items in (("fong", fong), ("game", game)) if items}
    assert ("fong" in scores(**changed), "game" in scores(**changed)) == (not fong, not game)


def test_nothing_on_record_names_everything() -> None:
    assert missing() == {
        "fong": {"node-status", "disease-free-interval", "marker"},
        "game": {"kras", "marker", "node-status", "extrahepatic"},
    }
    assert {one.values["begun"] for one in facts("score_gap", *SEEN)} == {"no"}
    assert set(scores()) == {"tumour-burden"}


def test_a_lesion_that_cannot_be_matched_leaves_the_number_open() -> None:
    clash = (lesion("L1"), lesion("L2"), lesion("L3", tainted=True))
    assert scores(lesions=clash, **WHOLE) == {}
    assert {"number", "size"} <= missing(lesions=clash, **WHOLE)["fong"]


def test_a_lesion_the_study_leaves_out_leaves_the_number_open() -> None:
    earlier = (*SEEN, sighting("BodyStructure/L3", "2026-03-01", modality="MRI", mm=Decimal(60)))
    three = (lesion("L1"), lesion("L2"), lesion("L3"))
    assert facts("score", *earlier, lesions=three, **WHOLE) == []
