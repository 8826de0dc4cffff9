"""The short ways of the timeline against plain formulations of the same: days, sightings, versions."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fhir_profiles.records import (
    DayRange,
    Exam,
    ExamAdequacy,
    NewLesionStatement,
    Report,
    Sighting,
    StudyRef,
)
from plugin.chart import Chart
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import build
from plugin.timeline.examination import Examination, is_late
from plugin.timeline.sighting import Place, put_together
from tests.bench.reading_bench import PATIENT, TODAY, patient

UTC = ZoneInfo("UTC")
FIRST = date(2026, 3, 1)
KINDS = (Exam, ExamAdequacy, Sighting, NewLesionStatement, Report)

days = st.none() | st.builds(
    lambda start, length: DayRange(FIRST + timedelta(days=start), FIRST + timedelta(days=start + length)),
    st.integers(0, 12),
    st.sampled_from([0, 0, 0, 30]),
)
late = st.sampled_from([(), (), ("day-from-issued",), ("preliminary",)])


def _said(kind: Any, number: int, day: DayRange | None, flags: tuple[str, ...]) -> Any:
    more: dict[str, Any] = {"study": StudyRef(key="ImagingStudy/s")} if kind is Exam else {}
    return kind(source=f"{kind.__name__}/{number}", day=day, flags=flags, status="final", **more)


said = st.lists(st.builds(_said, st.sampled_from(KINDS), st.integers(0, 20), days, late), max_size=6)


def day_of(records: list[Any]) -> DayRange | None:
    """The day of the record that decides, by one sort of all; an exact day inside it where it is a range."""
    dated = [each for each in records if each.day is not None and not is_late(each)]
    found = [each.day for each in sorted(dated, key=lambda each: (KINDS.index(type(each)), each.source))]
    if not found or found[0].exact:
        return found[0] if found else None
    inside = [each for each in found if each.exact and found[0].first <= each.first <= found[0].last]
    return inside[0] if inside else found[0]


@settings(max_examples=100, deadline=None)
@given(said)
def test_the_day_of_an_examination_is_that_of_one_sort_of_everything(records: list[Any]) -> None:
    made = Examination()
    for each in records:
        (
            made.exams if type(each) is Exam else made.reports if type(each) is Report else made.statements
        ).append(each)
    # A sort keeps records of one kind and source in the order in which they came.
    assert made.day == day_of([*made.exams, *made.reports, *made.statements])


def _sighting(
    number: int, visibility: str | None, tenths: int | None, day: DayRange | None, more: dict[str, Any]
) -> Sighting:
    mm = None if tenths is None else Decimal(tenths) / 10
    fields: dict[str, Any] = {"explicit": visibility is not None and tenths is None} | more
    return Sighting(
        source=f"Observation/{number}", status="final", visibility=visibility, mm=mm, day=day, **fields
    )


described = st.sampled_from(
    [{}, {}, {"ttsm": True}, {"remnant": "none"}, {"remnant": "calcified"}, {"size_comparator": "<"}, {"hu": Decimal(40)},
     {"size_comparator": ">"}, {"unusable": ("adc",)}, {"size_rejected": "unit"}, {"flags": ("day-from-issued",)}]
)  # fmt: skip
statements = st.lists(
    st.builds(
        _sighting, st.integers(0, 30), st.sampled_from(["visible", None]), st.none() | st.integers(0, 90), days, described
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(statements, days)
def test_another_visibility_beside_it_does_not_change_a_sighting(
    said: list[Sighting], day: DayRange | None
) -> None:
    """A study that states one visibility takes the short way, one that states two the long way."""
    said = [replace(said[0], visibility="visible", explicit=True), *said[1:]]
    place = Place("BodyStructure/l", "ImagingStudy/s", "MRI", day)
    (alone,), notes = put_together(place, said, ())
    unseen = Sighting(
        source="Observation/x", status="final", visibility="not-visible", explicit=True, day=day
    )
    found, more = put_together(place, [*said, unseen], ())
    assert [each.visibility for each in found] == ["visible", "not-visible"]
    assert found[0] == alone
    assert more == notes
    assert found[1].sources == ("Observation/x",)


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(2, 40))
def test_versions_and_drafts_are_taken_apart_from_what_is_there_once(random: Any, size: int) -> None:
    """Older versions and copies of what a draft replaces change nothing; everything else stays."""
    resources = patient(size, relevant=1.0)
    alone = Chart(patient_id=PATIENT, resources=tuple(resources))
    again = [
        one | {"meta": {"versionId": "0"}, "status": "entered-in-error"}
        for one in resources
        if one["resourceType"] == "Observation" and random.random() < 0.5
    ]
    mixed = [*resources, *again]
    random.shuffle(mixed)
    plain = build(alone, today=TODAY, timezone=UTC)
    found = build(Chart(patient_id=PATIENT, resources=tuple(mixed)), today=TODAY, timezone=UTC)
    assert found == plain
    assert facts_of(found, today=TODAY, settings=Settings()) == facts_of(
        plain, today=TODAY, settings=Settings()
    )
    dose = next(one for one in resources if one["resourceType"] == "MedicationAdministration")
    drafted = build(
        Chart(patient_id=PATIENT, resources=tuple(mixed), drafts=(dose,)), today=TODAY, timezone=UTC
    )
    assert [each.source for each in drafted.doses] == [
        each.source for each in plain.doses if each.source != f"MedicationAdministration/{dose['id']}"
    ]
    assert [note.reason for note in drafted.notes if note not in plain.notes] == ["draft-not-used"]
