"""The synthetic cohorts: their marginals are the published ones, and each check of the table can fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fhir_profiles.check import check
from plugin import validation
from plugin.settings import Settings
from plugin.validation import RESECTED, TRIPLE_MODALITY, Marginals, Outcome, TripleModality
from plugin.validation.cohort import GAPS
from rules.evaluate import Evaluator
from rules.language import load_pack

SEEDS = (1, 2026)
SMALL = TripleModality(
    patients=9, affected=5, vanished=12, median_mm=10, smallest_mm=6, largest_mm=30, three_modalities=7, restaged_mri=4, resected=3
)  # fmt: skip


def resources(bundle: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == kind:
            yield entry["resource"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_2023_cohort_has_the_published_marginals(seed: int) -> None:
    found = validation.recount(
        case.bundle for case in validation.triple_modality_cases(TRIPLE_MODALITY, seed)
    )
    assert found == Marginals(
        patients=158, affected=32, vanished=110, median_mm=10, smallest_mm=5, largest_mm=61, three_modalities=139, restaged_mri=30, watched=90, resected=20
    )  # fmt: skip
    assert round(100 * found.affected / found.patients) == 20
    assert round(100 * found.three_modalities / found.patients) == 88
    assert round(100 * found.restaged_mri / found.affected) == 94
    assert round(100 * TRIPLE_MODALITY.regrown / TRIPLE_MODALITY.watched) == 36


@pytest.mark.parametrize("seed", SEEDS)
def test_the_resected_cohort_has_the_published_marginals(seed: int) -> None:
    bundles = [case.bundle for case in validation.resected_cases(RESECTED, seed)]
    patients = [next(resources(bundle, "Patient")) for bundle in bundles]
    assert len(bundles) == 25
    assert Counter(one["gender"] for one in patients) == {"male": 13, "female": 12}
    ages = [2026 - int(one["birthDate"][:4]) for one in patients]
    assert (min(ages), max(ages)) == (22, 72)
    numbers = [len(list(resources(bundle, "BodyStructure"))) for bundle in bundles]
    assert (numbers.count(1), numbers.count(2), sum(1 for one in numbers if one > 2)) == (14, 4, 7)
    largest = [largest_before(bundle) for bundle in bundles]
    assert (sum(1 for mm in largest if mm < 40), sum(1 for mm in largest if mm >= 40)) == (11, 14)
    rectal = [
        any("rectum" in one["code"]["text"] for one in resources(bundle, "Condition")) for bundle in bundles
    ]
    assert rectal.count(True) == 12
    assert Counter(regimen(bundle) for bundle in bundles) == {
        ("capecitabine", "oxaliplatin"): 13,
        ("fluorouracil", "irinotecan"): 5,
        ("bevacizumab", "fluorouracil", "oxaliplatin"): 5,
        (): 2,
    }
    cycles = [
        len({one["effectiveDateTime"] for one in resources(bundle, "MedicationAdministration")})
        for bundle in bundles
    ]
    assert all(3 <= count <= 9 for count in cycles if count)


def largest_before(bundle: dict[str, Any]) -> float:
    sizes = [
        one["component"][0]["valueQuantity"]["value"]
        for one in resources(bundle, "Observation")
        if "size" in one["id"] and one["effectiveDateTime"] < "2026-02-16"
    ]
    return max(sizes)


def regimen(bundle: dict[str, Any]) -> tuple[str, ...]:
    doses = resources(bundle, "MedicationAdministration")
    return tuple(sorted({one["medicationCodeableConcept"]["coding"][0]["display"] for one in doses}))


def test_the_same_seed_gives_the_same_patients() -> None:
    once, again = ([case.bundle for case in validation.triple_modality_cases(SMALL, 7)] for _ in range(2))
    other = [case.bundle for case in validation.triple_modality_cases(SMALL, 8)]
    assert once == again
    assert once != other


def test_what_is_made_is_valid_fhir() -> None:
    for case in validation.triple_modality_cases(SMALL, 7, "follow-up"):
        for entry in case.bundle["entry"]:
            assert check(entry["resource"]) == ()


def test_each_kind_of_gap_occurs_and_takes_something() -> None:
    whole = [case.bundle for case in validation.triple_modality_cases(TRIPLE_MODALITY, 2026)]
    gaps = [case.bundle for case in validation.triple_modality_cases(TRIPLE_MODALITY, 2026, "gaps")]
    changed = sum(1 for one, other in zip(whole, gaps, strict=True) if one != other)
    assert sum(GAPS.values()) == 35
    assert 0.2 * len(whole) < changed < 0.5 * len(whole)
    undosed = [bundle for bundle in gaps if not any(resources(bundle, "MedicationAdministration"))]
    assert undosed


# ------------------------------------------------------------------------------------------ the run


@pytest.fixture(scope="module")
def ran() -> dict[str, list[Outcome]]:
    with Evaluator(load_pack(), timeout=60) as evaluator:
        return {
            part: list(
                validation.run(validation.triple_modality_cases(SMALL, 3, part), evaluator, Settings())
            )
            for part in ("complete", "gaps", "follow-up")
        }


def table(ran: dict[str, list[Outcome]], **other: list[Outcome]) -> validation.Table:
    marginals = validation.recount(case.bundle for case in validation.triple_modality_cases(SMALL, 3))
    parts = {"complete": ran["complete"], "gaps": ran["gaps"], "later": ran["follow-up"]} | other
    return validation.triple_modality_table(SMALL, marginals, **parts)


def failed(found: validation.Table) -> set[str]:
    return {check.what for check in found.checks if not check.passed}


def test_every_check_holds(ran: dict[str, list[Outcome]]) -> None:
    found = table(ran)
    assert failed(found) == set()
    assert found.passed
    published = {row.what: row.published for row in found.rows}
    assert published["vanished lesions"] == "12"


def test_confirmed_only_with_an_adequate_mri(ran: dict[str, list[Outcome]]) -> None:
    confirmed = [each for each in ran["complete"] if "CONFIRMED_DLM" in each.status.values()]
    assert len(confirmed) <= SMALL.restaged_mri
    assert (
        sum(1 for each in ran["complete"] for status in each.status.values() if status.endswith("_DLM")) == 12
    )


def spoiled(outcomes: list[Outcome], **values: Any) -> list[Outcome]:
    """Returns the outcomes with the first patient who has a watched lesion changed."""
    place = next(index for index, each in enumerate(outcomes) if each.watched)
    return [*outcomes[:place], replace(outcomes[place], **values), *outcomes[place + 1 :]]


def test_a_lost_lesion_fails(ran: dict[str, list[Outcome]]) -> None:
    one = next(each for each in ran["complete"] if each.watched)
    bad = spoiled(ran["complete"], status=dict.fromkeys(one.status, "VISIBLE"))
    assert "every vanished lesion is found, and no other" in failed(table(ran, complete=bad))


def test_an_undecided_lesion_in_a_complete_record_fails(ran: dict[str, list[Outcome]]) -> None:
    one = next(each for each in ran["complete"] if each.watched)
    bad = spoiled(ran["complete"], status=dict.fromkeys(one.status, "CANNOT_DECIDE"))
    assert "complete records leave nothing undecided" in failed(table(ran, complete=bad))


def test_an_unquestioned_lesion_fails(ran: dict[str, list[Outcome]]) -> None:
    one = next(each for each in ran["gaps"] if each.watched)
    bad = spoiled(ran["gaps"], questioned=dict.fromkeys(one.questioned, ()))
    assert failed(table(ran, gaps=bad)) == {
        "watch-and-wait of a vanished or undecided lesion is always questioned, gaps or not"
    }


def test_a_lesion_confirmed_by_a_gap_fails(ran: dict[str, list[Outcome]]) -> None:
    one = next(each for each in ran["complete"] if "VISIBLE" in each.status.values())
    bad = [
        replace(each, status=dict.fromkeys(each.status, "CONFIRMED_DLM"))
        if each.number == one.number
        else each
        for each in ran["gaps"]
    ]
    assert failed(table(ran, gaps=bad)) == {"a gap in the record never makes a lesion confirmed"}


def test_a_missed_regrowth_fails(ran: dict[str, list[Outcome]]) -> None:
    later = [replace(each, status=dict.fromkeys(each.status, "CONFIRMED_DLM")) for each in ran["follow-up"]]
    assert failed(table(ran, later=later)) == {"every watched lesion that is seen again is noticed"}


def test_an_alarm_fails(ran: dict[str, list[Outcome]]) -> None:
    bad = spoiled(ran["complete"], alarms=1)
    assert failed(table(ran, complete=bad)) == {"both evaluations agree on every patient"}
