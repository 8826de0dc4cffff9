from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from plugin.criteria import Criterion, CriterionError
from plugin.criteria.choi import choi
from plugin.criteria.irecist import Assessment, irecist
from plugin.criteria.morphology import lesion_morphology, patient_morphology
from plugin.criteria.pathology import nodule_grade, patient_grade, patient_viable
from plugin.criteria.percist import percist

START = date(2026, 1, 5)


def series(*sums: int | None, step: int = 42, **last: Any) -> list[Assessment]:
    points = [Assessment(START + timedelta(step * i), mm) for i, mm in enumerate(sums)]
    if last:
        points[-1] = Assessment(points[-1].day, points[-1].sum_mm, **last)
    return points


def values(points: list[Assessment]) -> list[str]:
    return [each.value for each in irecist(points, immune_therapy=True)]


@pytest.mark.parametrize(
    ("sums", "answer"),
    [
        ((50, 64, 70), ["iUPD", "iCPD"]),
        ((50, 64, 62), ["iUPD", "iUPD"]),
        ((50, 64, 69), ["iUPD", "iCPD"]),
        ((50, 64, 68), ["iUPD", "iUPD"]),
        ((50, 64, 52), ["iUPD", "iSD"]),
        ((50, 64, 35, 48), ["iUPD", "iPR", "iUPD"]),
        ((50, 64, 70, 30), ["iUPD", "iCPD", "iCPD"]),
        ((50, 65, 67, 90), ["iUPD", "iUPD", "iCPD"]),  # the days count from the last one
        ((50, 64, 68, 70), ["iUPD", "iUPD", "iCPD"]),  # 4 and 2 mm add up
        ((50, 64, 62, 66), ["iUPD", "iUPD", "iUPD"]),
        ((50, 64, 62, 67), ["iUPD", "iUPD", "iCPD"]),
        ((50, 30, 0), ["iPR", "iCR"]),
        ((50, 30, 0, 4), ["iPR", "iCR", "NE"]),
        ((50, 30, 0, 5), ["iPR", "iCR", "iUPD"]),
        ((50, None), ["NE"]),
    ],
)
def test_irecist(sums: tuple[int | None, ...], answer: list[str]) -> None:
    assert values(series(*sums)) == answer


def test_irecist_confirms_only_four_to_eight_weeks_later() -> None:
    for step, last in ((27, "iUPD"), (28, "iCPD"), (56, "iCPD"), (57, "iUPD")):
        assert values(series(50, 64, 80, step=step))[-1] == last


def test_irecist_confirms_by_another_new_lesion() -> None:
    assert values(series(50, 64, 64, new_lesion=True)) == ["iUPD", "iCPD"]
    assert values(series(50, 50, new_lesion=True)) == ["iUPD"]


def test_an_early_scan_confirms_nothing_and_does_not_start_the_days_anew() -> None:
    points = [Assessment(START + timedelta(day), mm) for day, mm in ((0, 50), (56, 65), (70, 75), (86, 76))]
    assert values(points) == ["iUPD", "iUPD", "iCPD"]
    assert values([*points[:3], Assessment(START + timedelta(83), 76)]) == ["iUPD", "iUPD", "iUPD"]
    assert values([*points[:3], Assessment(START + timedelta(127), 90)]) == ["iUPD", "iUPD", "iUPD"]


def test_a_new_lesion_that_is_still_there_does_not_reset_the_bar() -> None:
    first = Assessment(START, 50)
    new = Assessment(START + timedelta(42), 50, new_lesion=True)
    third = START + timedelta(84)
    assert values([first, new, Assessment(third, 50, new_lesion_remains=True)]) == ["iUPD", "iUPD"]
    assert values([first, new, Assessment(third, 50)]) == ["iUPD", "iSD"]
    assert values([first, new, Assessment(third, 50, new_lesion_growth=True)]) == ["iUPD", "iCPD"]
    assert values([first, Assessment(third, 50, new_lesion_remains=True)]) == ["iSD"]


def test_irecist_refuses_other_therapy_and_disorder() -> None:
    with pytest.raises(CriterionError, match="immune therapy only"):
        irecist(series(50, 64), immune_therapy=False)
    with pytest.raises(CriterionError, match="in order of day"):
        irecist(list(reversed(series(50, 64))), immune_therapy=True)
    with pytest.raises(CriterionError, match="baseline"):
        irecist([], immune_therapy=True)


@pytest.mark.parametrize(
    ("before", "now", "more", "answer"),
    [
        ("6.0", "3.9", {}, "PMR"),
        ("2.0", "1.3", {}, "SMD"),  # 35 % but 0.7
        ("4.0", "5.2", {}, "SMD"),  # 30 % and no more
        ("4.0", "5.3", {}, "PMD"),
        ("2.0", "2.7", {}, "SMD"),
        ("6.0", "3.9", {"new_lesion": True}, "PMD"),
        ("6.0", "1.0", {"above_background": False}, "CMR"),
        ("6.0", "6.0", {"baseline_tlg": 100, "now_tlg": 176}, "PMD"),
        ("6.0", "6.0", {"baseline_tlg": 100, "now_tlg": 175}, "SMD"),
    ],
)
def test_percist(before: str, now: str, more: dict[str, Any], answer: str) -> None:
    given = {"above_background": True, "new_lesion": False} | more
    assert percist(Decimal(before), Decimal(now), **given).value == answer


def test_percist_refuses_a_baseline_without_uptake() -> None:
    with pytest.raises(CriterionError, match="greater than 0"):
        percist(0, 3, above_background=True, new_lesion=False)


@pytest.mark.parametrize(
    ("sizes", "hu", "more", "plain", "modified"),
    [
        ((40, 38), (80, 60), {}, "PR", "SD"),
        ((40, 39), (80, 75), {}, "SD", "SD"),
        ((40, 36), (80, 68), {}, "PR", "PR"),
        ((40, 44), (80, 80), {}, "PD", "PD"),
        ((40, 44), (80, 60), {}, "PR", "SD"),
        ((40, 20), (80, 40), {"new_lesion": True}, "PD", "PD"),
        ((40, 0), (80, 40), {"all_gone": True}, "CR", "CR"),
    ],
)
def test_choi(
    sizes: tuple[int, int], hu: tuple[int, int], more: dict[str, Any], plain: str, modified: str
) -> None:
    assert choi(*sizes, *hu, modality="CT", **more).value == plain
    found = choi(*sizes, *hu, modality="CT", modified=True, **more)
    assert (found.criterion, found.value) == (Criterion.MODIFIED_CHOI, modified)


def test_choi_is_refused_on_mri_and_without_attenuation() -> None:
    with pytest.raises(CriterionError, match="not on MRI"):
        choi(40, 38, 80, 60, modality="MRI")
    with pytest.raises(CriterionError, match="attenuation"):
        choi(40, 38, 0, 60, modality="CT")


@pytest.mark.parametrize(
    ("pairs", "answer"),
    [
        ([(3, 1), (3, 1), (3, 3)], "optimal"),
        ([(3, 2), (3, 3), (3, 3)], "none"),
        ([(3, 1), (3, 2)], "none"),  # no majority
        ([(2, 1)], "optimal"),
        ([(3, 2)], "incomplete"),
        ([(1, 1)], "none"),
        ([(1, 3)], "none"),
    ],
)
def test_morphology(pairs: list[tuple[int, int]], answer: str) -> None:
    lesions = [lesion_morphology(*pair, modality="CT") for pair in pairs]
    assert patient_morphology(lesions).value == answer


def test_morphology_refusals() -> None:
    with pytest.raises(CriterionError, match="on CT"):
        lesion_morphology(3, 1, modality="MRI")
    with pytest.raises(CriterionError, match="group 4"):
        lesion_morphology(4, 1, modality="CT")
    with pytest.raises(CriterionError, match="no lesion"):
        patient_morphology([])


def test_regression_grade_takes_the_worst_nodule() -> None:
    assert [nodule_grade(g).value for g in (1, 2, 3, 4, 5)] == [
        "major",
        "major",
        "partial",
        "absent",
        "absent",
    ]
    assert patient_grade([2, 5]).value == "absent"
    assert patient_grade([1, 3]).value == "partial"
    with pytest.raises(CriterionError, match="grade 6"):
        patient_grade([1, 6])
    with pytest.raises(CriterionError, match="no nodule"):
        patient_grade([])


def test_residual_cells_take_the_mean() -> None:
    found = patient_viable([10, 60])
    assert (found.criterion, found.value) == (Criterion.BLAZER, "major")
    assert patient_viable([0, 0]).value == "complete"
    assert patient_viable([0, 1]).value == "major"
    assert patient_viable([50, 50]).value == "minor"
    assert patient_viable([Decimal("49.9"), 50]).value == "major"
    assert patient_viable([5, 80]).value == "major"
    with pytest.raises(CriterionError, match="101 %"):
        patient_viable([101])
