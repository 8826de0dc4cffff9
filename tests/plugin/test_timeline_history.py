"""Landmarks and named events of one lesion."""

from typing import Any

from plugin.timeline import EventName, events, landmarks
from tests.plugin.history import History


def told(h: History) -> list[tuple[str, str]]:
    timeline = h.timeline()
    return [(each.text, str(each.day)) for each in events(timeline, timeline.lesions[0].id)]


def course(*points: tuple[str, str, str, Any]) -> History:
    h = History()
    lesion = h.lesion("L1", "VI")
    for day, kind, visibility, mm in points:
        h.seen(lesion, h.study(day, kind), visibility, mm=mm)
    h.dose("2026-01-10", "2026-02-10")
    return h


def test_landmarks_of_each_class() -> None:
    h = course(
        ("2025-12-01", "CT", "visible", 24),
        ("2026-01-05", "CT", "visible", 20),
        ("2026-03-01", "CT", "visible", 8),
        ("2026-05-01", "CT", "visible", 11),
        ("2026-07-01", "CT", "not-visible", None),
        ("2026-07-08", "MRI", "visible", 5),
    )
    timeline = h.timeline()
    by_class = {each.modality: each for each in landmarks(timeline, timeline.lesions[0].id)}
    ct, mri = by_class["CT"], by_class["MRI"]
    assert ct.baseline is not None
    assert ct.nadir is not None
    assert ct.prior is not None
    assert (ct.baseline.mm, ct.nadir.mm, ct.prior.mm, ct.latest.visibility) == (20, 8, 11, "not-visible")
    assert (mri.baseline, mri.prior) == (None, None)


def test_events_name_the_modality_they_are_seen_on() -> None:
    h = course(
        ("2026-01-05", "CT", "visible", 20),
        ("2026-03-01", "CT", "visible", "12.5"),
        ("2026-04-01", "CT", "visible", 13),
        ("2026-05-01", "CT", "not-visible", None),
        ("2026-07-01", "CT", "visible", 7),
        ("2026-08-01", "CT", "visible", 12),
    )
    assert told(h) == [
        ("first seen", "2026-01-05"),
        ("shrinking", "2026-03-01"),
        ("stable", "2026-04-01"),
        ("vanished on CT", "2026-05-01"),
        ("reappeared on CT", "2026-07-01"),
        ("enlarging", "2026-08-01"),
    ]


def test_an_event_counts_the_doses_since_the_study_before() -> None:
    h = course(("2026-01-05", "CT", "visible", 20), ("2026-03-01", "CT", "not-visible", None))
    timeline = h.timeline()
    vanished = [each for each in events(timeline, timeline.lesions[0].id) if each.name is EventName.VANISHED]
    assert [each.doses_between for each in vanished] == [2]


def test_two_modalities_are_never_compared() -> None:
    h = course(("2026-01-05", "MRI", "visible", 20), ("2026-03-01", "CT", "not-visible", None))
    assert told(h) == [("first seen", "2026-01-05")]


def test_a_contradicted_study_makes_no_event() -> None:
    h = course(("2026-01-05", "CT", "visible", 20))
    lesion = next(r for r in h.resources if r["resourceType"] == "BodyStructure")
    study = h.study("2026-03-01", "CT")
    h.seen(lesion, study, "visible")
    h.seen(lesion, study, "not-visible")
    assert told(h) == [("first seen", "2026-01-05")]
