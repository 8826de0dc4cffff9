"""The change of a lesion's size against its baseline of the same class: a gap is a gap, and never 0."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.timeline.change import Series, changes, percent
from tests.plugin.history import History

DAY = date(2026, 1, 5)


def series(*points: tuple[str, str, object], kind: str = "CT") -> tuple[Series, ...]:
    h = History()
    lesion = h.lesion("L1", "VI")
    for day, visibility, mm in points:
        h.seen(lesion, h.study(day, kind), visibility, mm=mm)
    h.dose("2026-01-10", "2026-02-10")
    timeline = h.timeline()
    return changes(timeline, timeline.lesions[0].id)


def test_sizes_are_told_against_the_baseline_with_the_nadir() -> None:
    (one,) = series(
        ("2026-01-05", "visible", 20), ("2026-03-01", "visible", 8), ("2026-05-01", "visible", 11)
    )
    assert one.modality == "CT"
    assert [point.percent for point in one.points] == [0, Decimal(-60), Decimal(-45)]
    assert [point.nadir for point in one.points] == [False, True, False]


def test_what_is_not_seen_has_no_size_and_no_change() -> None:
    (one,) = series(
        ("2026-01-05", "visible", 20),
        ("2026-03-01", "not-visible", None),
        ("2026-04-01", "indeterminate", None),
        ("2026-05-01", "visible", None),
    )
    assert [(point.visibility, point.mm, point.percent) for point in one.points[1:]] == [
        ("not-visible", None, None),
        ("indeterminate", None, None),
        ("visible", None, None),
    ]


def test_without_a_sized_baseline_there_is_no_series() -> None:
    assert series(("2026-01-05", "visible", None), ("2026-03-01", "visible", 8)) == ()


def test_another_class_is_never_compared() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "MRI"), "visible", mm=20)
    h.seen(lesion, h.study("2026-03-01", "CT"), "visible", mm=10)
    h.dose("2026-01-10")
    timeline = h.timeline()
    (one,) = changes(timeline, timeline.lesions[0].id)
    assert one.modality == "MRI"
    assert len(one.points) == 1


def test_a_size_of_nothing_is_no_measure() -> None:
    assert percent(Decimal(0), Decimal(5)) is None
    assert percent(Decimal(20), Decimal(14)) == Decimal("-30.0")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["visible", "not-visible", "indeterminate"]), st.integers(1, 80)),
        max_size=6,
    )
)
def test_no_change_is_ever_told_of_what_was_not_measured(later: list[tuple[str, int]]) -> None:
    points = [
        ((DAY + timedelta(days=30 * (place + 1))).isoformat(), said, mm if said == "visible" else None)
        for place, (said, mm) in enumerate(later)
    ]
    (one,) = series((DAY.isoformat(), "visible", 40), *points)
    for point in one.points:
        assert (point.percent is not None) == (point.visibility == "visible")
        assert point.percent is None or point.percent > -100
    assert len(one.points) == 1 + len(later)
