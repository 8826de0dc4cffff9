from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.criteria import CriterionError, category, tenths
from plugin.criteria.recist import (
    Marker,
    NonTarget,
    State,
    Sum,
    Target,
    check_targets,
    marker_state,
    measurable,
    nadir,
    non_target_response,
    overall_response,
    progression,
    reappearance,
    sum_of,
    target_response,
)


def whole(mm: int | str) -> Sum:
    size = tenths(Decimal(mm))
    return Sum(size, complete=True, gone=size == 0)


@pytest.mark.parametrize(
    ("baseline", "lowest", "now", "answer"),
    [
        (73, 50, 61, "PD"),  # 22 % and 11 mm above the nadir, though 16 % below baseline
        (40, 18, 22, "PR"),  # 22 % above the nadir but only 4 mm
        (40, 22, 22, "PR"),
        (40, 40, 28, "PR"),  # exactly 30 %
        (40, 40, "28.1", "SD"),
        (50, 50, 60, "PD"),  # exactly 20 %
        (50, 50, "59.9", "SD"),
        (25, 25, 30, "PD"),  # exactly 20 % and exactly 5 mm
        ("24.9", "24.9", "29.9", "PD"),
        (20, 20, "24.9", "SD"),  # 24.5 % but 4.9 mm
        (40, 20, 0, "CR"),
        (40, 0, 6, "PD"),  # nothing to divide by: from 0 the 5 mm decide
        (40, 0, 5, "PD"),
        (40, 0, "4.9", "NE"),  # back, and too small to tell
        (50, 0, 100, "PD"),
        (40, 0, 0, "CR"),
        (30, 28, 34, "PD"),
        (30, 28, 32, "SD"),
        (0, 0, 0, "NE"),
        (0, 0, 10, "NE"),
    ],
)
def test_target_response(baseline: int | str, lowest: int | str, now: int | str, answer: str) -> None:
    assert target_response(whole(baseline), whole(lowest), whole(now)).value == answer


def test_progression_outranks_partial_response() -> None:
    assert target_response(whole(100), whole(50), whole(60)).value == "PD"


def test_reappearance_after_an_overall_complete_response_is_progression() -> None:
    assert target_response(whole(40), whole(0), whole(6), previous_overall="CR").value == "PD"
    assert target_response(whole(40), whole(0), whole(4), previous_overall="CR").value == "PD"
    assert target_response(whole(40), whole(0), whole(4), previous_overall="PR").value == "NE"


def test_a_node_below_10_mm_is_no_reappearance() -> None:
    small = sum_of([Target("N1", State.MEASURED, 8, node=True)])
    assert target_response(whole(20), whole(0), small).value == "CR"
    assert target_response(whole(20), whole(0), small, previous_overall="CR").value == "CR"


@pytest.mark.parametrize(
    ("others", "back", "previous", "confirmed", "answer"),
    [
        (28, 6, "PR", False, "PD"),  # 34 mm against a nadir of 28: 21 % and 6 mm
        (28, 4, "PR", False, "SD"),  # 32 mm: 14 %
        (0, 4, "CR", True, "PD"),
        (28, 4, "CR", False, "SD"),
    ],
)
def test_a_target_that_comes_back(
    others: int, back: int, previous: str, confirmed: bool, answer: str
) -> None:
    found = reappearance(
        whole(30), whole(28), whole(others), back, previous_overall=previous, confirmed=confirmed
    )
    assert found.value == answer


def test_sum_counts_defaults_and_absence() -> None:
    now = sum_of(
        [
            Target("a", State.MEASURED, Decimal("14.5")),
            Target("b", State.TOO_SMALL_TO_MEASURE),
            Target("c", State.TOO_SMALL_TO_MEASURE, 3),
            Target("d", State.ABSENT),
        ]
    )
    assert now == Sum(225, complete=True, gone=False)
    assert now.mm == Decimal("22.5")


def test_small_nodes_allow_a_complete_response() -> None:
    now = sum_of([Target("liver", State.ABSENT), Target("node", State.MEASURED, Decimal("9.9"), node=True)])
    assert target_response(whole(40), whole(20), now).value == "CR"
    larger = sum_of([Target("liver", State.ABSENT), Target("node", State.MEASURED, 10, node=True)])
    assert target_response(whole(40), whole(20), larger).value == "PR"


def test_a_target_not_evaluated_leaves_only_progression() -> None:
    part = sum_of([Target("a", State.MEASURED, 10), Target("b", State.NOT_EVALUATED)])
    assert target_response(whole(40), whole(30), part).value == "NE"
    grown = sum_of([Target("a", State.MEASURED, 40), Target("b", State.NOT_EVALUATED)])
    assert target_response(whole(40), whole(30), grown).value == "PD"
    incomplete = Sum(300, complete=False, gone=False)
    assert target_response(incomplete, whole(30), whole(10)).value == "NE"


def test_nadir_is_the_smallest_complete_sum() -> None:
    assert nadir([whole(40), whole(30), Sum(100, complete=False, gone=False), whole(35)]) == whole(30)
    assert nadir([]) is None


@pytest.mark.parametrize(
    ("target", "non_target", "new", "marker", "answer"),
    [
        ("CR", NonTarget.CR, False, Marker.NORMAL, "CR"),
        ("CR", NonTarget.CR, False, Marker.RAISED, "PR"),
        ("CR", NonTarget.CR, False, Marker.UNKNOWN, "CR-marker-unknown"),
        ("CR", NonTarget.NONE, False, Marker.WAIVED, "CR"),
        ("CR", NonTarget.NON_CR_NON_PD, False, Marker.NORMAL, "PR"),
        ("CR", NonTarget.NE, False, Marker.NORMAL, "PR"),
        ("PR", NonTarget.NE, False, Marker.NORMAL, "PR"),
        ("SD", NonTarget.NON_CR_NON_PD, False, Marker.NORMAL, "SD"),
        ("NE", NonTarget.NON_CR_NON_PD, False, Marker.NORMAL, "NE"),
        ("NE", NonTarget.PD, False, Marker.NORMAL, "PD"),
        ("PD", NonTarget.CR, False, Marker.NORMAL, "PD"),
        ("CR", NonTarget.CR, True, Marker.NORMAL, "PD"),
        (None, NonTarget.CR, False, Marker.NORMAL, "CR"),
        (None, NonTarget.CR, False, Marker.RAISED, "non-CR/non-PD"),
        (None, NonTarget.NON_CR_NON_PD, False, Marker.NORMAL, "non-CR/non-PD"),
        (None, NonTarget.NE, False, Marker.NORMAL, "NE"),
        (None, NonTarget.NONE, False, Marker.NORMAL, "NE"),
    ],
)
def test_overall_response(
    target: str | None, non_target: NonTarget, new: bool, marker: Marker, answer: str
) -> None:
    assert overall_response(target, non_target, new_lesion=new, marker=marker).value == answer


def test_marker() -> None:
    assert marker_state(30, 5, 3, 5) is Marker.NORMAL
    assert marker_state(30, 5, 5, 5) is Marker.NORMAL
    assert marker_state(30, 5, 9, 5) is Marker.RAISED
    assert marker_state(4, 5, 9, 5) is Marker.WAIVED
    assert marker_state(30, 5, None, 5) is Marker.UNKNOWN
    assert marker_state(30, 5, 3, None) is Marker.UNKNOWN


def test_non_targets() -> None:
    assert non_target_response(present=False, all_gone=None, unequivocal_growth=None) is NonTarget.NONE
    assert non_target_response(present=True, all_gone=None, unequivocal_growth=True) is NonTarget.PD
    assert non_target_response(present=True, all_gone=None, unequivocal_growth=None) is NonTarget.NE
    assert non_target_response(present=True, all_gone=True, unequivocal_growth=False) is NonTarget.CR
    assert (
        non_target_response(present=True, all_gone=False, unequivocal_growth=False) is NonTarget.NON_CR_NON_PD
    )


def test_measurable() -> None:
    assert measurable(10, slice_mm=5)
    assert not measurable(Decimal("9.9"), slice_mm=None)
    assert not measurable(15, slice_mm=8)
    assert measurable(16, slice_mm=8)
    assert measurable(15, slice_mm=5, node=True)
    assert not measurable(14, slice_mm=5, node=True)


def test_target_counts_are_limited() -> None:
    check_targets({"a": "liver", "b": "liver", "c": "lung"})
    with pytest.raises(CriterionError, match="3 targets in liver"):
        check_targets({"a": "liver", "b": "liver", "c": "liver"})
    with pytest.raises(CriterionError, match="6 targets"):
        check_targets({str(i): f"organ {i}" for i in range(6)})


def test_refusals() -> None:
    with pytest.raises(CriterionError, match="finer"):
        tenths(Decimal("14.55"))
    with pytest.raises(CriterionError, match="0 mm or more"):
        tenths(-1)
    with pytest.raises(CriterionError, match="named twice"):
        sum_of([Target("a", State.ABSENT), Target("a", State.ABSENT)])
    with pytest.raises(CriterionError, match="has no size"):
        sum_of([Target("a", State.MEASURED)])
    with pytest.raises(CriterionError, match="has no criterion"):
        category(None, "PR")
    with pytest.raises(CriterionError, match="'mrecist' is not one of"):
        category("mrecist", "PR")
    with pytest.raises(CriterionError, match="has no category 'CMR'"):
        category("recist11", "CMR")


@given(st.integers(1, 2000), st.integers(0, 2000), st.integers(0, 2000))
@settings(deadline=None, max_examples=100)
def test_a_larger_sum_is_never_a_better_response(baseline: int, lowest: int, now: int) -> None:
    rank = {"CR": 0, "PR": 1, "SD": 2, "NE": 2, "PD": 3}  # NE: back from 0 and below 5 mm
    first = Sum(baseline, complete=True, gone=False)
    low = Sum(min(baseline, lowest), complete=True, gone=lowest == 0)
    answers = [
        target_response(first, low, Sum(each, complete=True, gone=each == 0)).value for each in (now, now + 1)
    ]
    assert rank[answers[0]] <= rank[answers[1]]


@given(st.integers(1, 3000), st.integers(0, 3000))
@settings(deadline=None, max_examples=100)
def test_progression_is_exact(lowest: int, now: int) -> None:
    by_fraction = Decimal(now - lowest) / 10 >= 5 and Decimal(now) >= Decimal(lowest) * Decimal("1.2")
    assert progression(lowest, now) == by_fraction
