"""Histories drawn by hypothesis: two lesions and a third known by its tracking UID, studies, doses, markers, plans."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from fhir_profiles.codes import Disposition, Imaging, Operation, ProtocolValue, Size
from tests.plugin.history import History, part, quantity, segment, tracked

START = date(2026, 1, 5)
SEGMENTS = ("VI", "II", "IVa")

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


_later = st.tuples(
    st.integers(2, 36),  # weeks after the start
    st.sampled_from(("CT", "MRI", "MRI", "PET")),
    st.sampled_from(("visible", "not-visible", "not-visible", "indeterminate", None)),
)
course = st.tuples(
    st.lists(_later, min_size=1, max_size=4), st.lists(st.integers(0, 36), min_size=1, max_size=4)
)
"""One lesion that often vanishes: later studies with what they say of it, and weeks of doses."""


def followed(drawn: Any) -> tuple[History, dict[str, Any]]:
    """A lesion of 20 mm at the start, later studies that each have a final report, and doses."""
    studies, doses = drawn
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.good_mri(START.isoformat()), "visible", mm=20)
    for week, kind, said in studies:
        day = (START + timedelta(weeks=week)).isoformat()
        made = h.good_mri(day) if kind == "MRI" else h.study(day, kind)
        h.report(made)
        if said is not None:
            h.seen(lesion, made, said, mm=7 if said == "visible" else None)
    for week in doses:
        h.dose((START + timedelta(weeks=week)).isoformat())
    return h, lesion
