"""What must hold for any history: order, units, splitting, foreign records, missing records."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.codes import Disposition, Imaging, Operation, ProtocolValue, Size
from plugin.chart import Chart
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import build
from rules.admission import Admission
from rules.facts import Fact
from rules.language import load_pack
from tests.plugin.history import TODAY, UTC, History, part, quantity, segment, tracked

Resources = list[dict[str, Any]]
PACK = load_pack(Path(__file__).parents[2] / "rules" / "crlm")
START = date(2026, 1, 5)
SEGMENTS = ("VI", "II", "IVa")
CASES = settings(max_examples=60, deadline=None)

statement = st.tuples(
    st.sampled_from(("visible", "not-visible", "indeterminate", "not-assessed", None)),
    st.one_of(st.none(), st.integers(1, 800)),  # tenths of a millimetre
)
study = st.tuples(
    st.integers(0, 40),  # weeks after the start, some of them after today
    st.sampled_from(("CT", "MRI", "PET", "US")),
    st.sampled_from((None, ProtocolValue.ADEQUATE, ProtocolValue.LIMITED, ProtocolValue.NON_DIAGNOSTIC)),
    st.tuples(statement, statement, statement),
    st.booleans(),  # a finding without identity beside them
)
history = st.tuples(
    st.lists(study, min_size=1, max_size=5),
    st.lists(st.integers(0, 40), max_size=6),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 900)), max_size=4),
    st.booleans(),
)


def told(
    drawn: Any, *, centimetres: bool = False, together: bool = False, patient: str = "history-1"
) -> History:
    """The resources of a drawn history; sizes in cm, or size and visibility in one Observation."""
    studies, doses, values, planned = drawn
    h = History(patient)
    h.resources[0]["id"] = patient
    number = iter(range(10_000))

    def named(stem: str) -> str:
        return f"{patient}-{stem}-{next(number)}"

    lesions: list[dict[str, Any]] = [
        h.lesion("L1", SEGMENTS[0], "2.25.1", own=f"{patient}-l1"),
        h.lesion("L2", SEGMENTS[1], own=f"{patient}-l2"),
        tracked("2.25.3"),
    ]
    for week, kind, adequacy, said, loose in studies:
        day = (START + timedelta(weeks=week)).isoformat()
        made = h.study(day, kind, named("study"))
        if adequacy is not None:
            h.adequacy(made, adequacy, own=named("adequacy"))
        for lesion, (visibility, tenths) in zip(lesions, said, strict=True):
            mm = None if tenths is None or visibility == "not-assessed" else Decimal(tenths) / 10
            size = None if mm is None else (mm / 10 if centimetres else mm)
            unit = "cm" if centimetres else "mm"
            if visibility is None:
                if size is not None:
                    h.size(lesion, made, size, unit=unit, own=named("size"))
                continue
            parts = []
            if size is not None and together:
                parts = [part(Size.LONGEST, valueQuantity=quantity(size, unit))]
            h.seen(lesion, made, visibility, own=named("seen"), parts=parts)
            own = named("size")
            if size is not None and not together:
                h.size(lesion, made, size, unit=unit, own=own)
        if loose:
            h.seen(tracked(label="L1"), made, "visible", own=named("loose"), **segment("VIII"))
    for week in doses:
        h.dose((START + timedelta(weeks=week)).isoformat(), id=named("dose"))
    for week, tenths in values:
        h.cea((START + timedelta(weeks=week)).isoformat(), Decimal(tenths) / 10, own=named("cea"))
    if planned:
        h.order(Operation.HEPATECTOMY, "2026-11-01", id=named("order"))
        h.order(Imaging.MR_LIVER_WO_W, "2026-10-20", id=named("order"))
        h.decide(lesions[0], Disposition.WATCH_AND_WAIT, "2026-09-01", own=named("decision"))
    return h


def facts(resources: Resources, patient: str = "history-1") -> tuple[Fact, ...]:
    chart = Chart(patient_id=patient, resources=tuple(resources))
    return facts_of(build(chart, today=TODAY, timezone=UTC), today=TODAY, settings=Settings())


def said(found: tuple[Fact, ...]) -> set[tuple[str, frozenset[tuple[str, Any]]]]:
    """The facts without their sources."""
    return {(fact.kind, frozenset(fact.values.items())) for fact in found}


@given(history)
@CASES
def test_every_fact_is_one_that_the_pack_declares(drawn: Any) -> None:
    Admission(PACK).admit(facts(told(drawn).resources))


@given(history, st.randoms(use_true_random=False))
@CASES
def test_the_order_of_resources_does_not_matter(drawn: Any, random: Any) -> None:
    resources = told(drawn).resources
    shuffled = list(resources)
    random.shuffle(shuffled)
    assert facts(shuffled) == facts(resources)


@given(history)
@CASES
def test_centimetres_and_millimetres_are_the_same(drawn: Any) -> None:
    assert facts(told(drawn, centimetres=True).resources) == facts(told(drawn).resources)


@given(history)
@CASES
def test_one_observation_or_two_are_the_same(drawn: Any) -> None:
    assert said(facts(told(drawn, together=True).resources)) == said(facts(told(drawn).resources))


@given(history, history)
@CASES
def test_another_patients_resources_change_nothing(drawn: Any, foreign: Any) -> None:
    own = told(drawn).resources
    other = told(foreign, patient="history-2").resources
    assert facts([*other, *own]) == facts(own)


@given(history)
@CASES
def test_duplicates_change_nothing(drawn: Any) -> None:
    resources = told(drawn).resources
    assert facts([*resources, *resources]) == facts(resources)


@given(history, st.data())
@CASES
def test_dropping_resources_never_makes_a_lesion_not_visible(drawn: Any, data: Any) -> None:
    resources = told(drawn).resources
    kept = [each for each in resources if each["resourceType"] == "Patient" or data.draw(st.booleans())]
    assert negatives(kept) <= negatives(resources)


def negatives(resources: Resources) -> set[str]:
    """The Observations behind sightings that say not visible, each with the lesion it is about."""
    found = set()
    for fact in facts(resources):
        if fact.kind == "sighting" and fact.values.get("visibility") == "not-visible":
            found |= {source for source in fact.sources if "-seen-" in source}
    return found


@given(history)
@CASES
def test_every_fact_but_the_sites_and_the_gaps_names_its_sources(drawn: Any) -> None:
    for fact in facts(told(drawn).resources):
        if fact.kind in ("site", "gap", "therapy", "plan"):
            continue
        assert fact.sources, fact


@given(history)
@CASES
def test_each_lesion_and_final_liver_study_has_a_statement_or_a_silence(drawn: Any) -> None:
    found = facts(told(drawn).resources)
    lesions = {fact.values["id"] for fact in found if fact.kind == "lesion"}
    studies = {
        fact.values["id"]
        for fact in found
        if fact.kind == "exam" and fact.values.get("final") == "yes" and fact.values["liver"] == "yes"
    }
    stated = {
        (fact.values["lesion"], fact.values["exam"])
        for fact in found
        if fact.kind == "sighting" and fact.values.get("visibility") not in (None, "not-assessed")
    }
    silent = {(fact.values["lesion"], fact.values["exam"]) for fact in found if fact.kind == "silence"}
    assert not silent & stated
    assert {(lesion, study) for lesion in lesions for study in studies} <= silent | stated
