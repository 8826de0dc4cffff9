"""Facts on systemic therapy."""

from datetime import date

import pytest

from fhir_profiles.codes import ATC, Drug, Operation
from fhir_profiles.read.medication import CYCLE_EXTENSION
from tests.plugin.history import History, of_kind, one


def therapy(h: History) -> dict[str, object]:
    return one(h.facts(), "therapy")


def test_without_a_dose_therapy_is_unknown() -> None:
    assert therapy(History()) == {}


def test_an_undated_dose_is_not_enough_to_know_therapy() -> None:
    h = History()
    h.add("MedicationAdministration", status="completed", medicationCodeableConcept=Drug.OXALIPLATIN.concept)
    found = therapy(h)
    assert "known" not in found
    assert found["oxaliplatinEver"] == "yes"


@pytest.mark.parametrize(
    ("days", "start"),
    [
        (("2026-01-10", "2026-03-07"), "2026-01-10"),  # 56 days apart: the same line
        (("2026-01-10", "2026-03-08"), "2026-03-08"),  # 57 days apart
        (("2026-05-01", "2026-01-10", "2026-05-15"), "2026-05-01"),
    ],
)
def test_a_gap_begins_a_new_line(days: tuple[str, ...], start: str) -> None:
    h = History()
    h.dose(*days)
    assert therapy(h)["lineStart"] == date.fromisoformat(start)


def test_a_liver_operation_begins_a_new_line() -> None:
    h = History()
    h.dose("2026-01-10", "2026-01-24", "2026-03-01")
    h.treat("2026-02-10")
    assert therapy(h)["lineStart"] == date(2026, 3, 1)
    assert therapy(h)["cycles"] == 1


def test_cycles_count_backbone_days_ten_days_apart() -> None:
    h = History()
    h.dose("2026-01-10", "2026-01-12", "2026-01-20", "2026-01-29")
    h.dose("2026-01-16", drug=Drug.BEVACIZUMAB)
    assert therapy(h)["cycles"] == 2  # 10 (with 12), 20 (with 29)


def test_antibodies_count_where_there_is_no_backbone() -> None:
    h = History()
    h.dose("2026-01-10", "2026-01-24", drug=Drug.CETUXIMAB)
    assert therapy(h)["cycles"] == 2


def test_recorded_cycles_count_only_without_administrations() -> None:
    h = History()
    for day in ("2026-01-10", "2026-01-24", "2026-02-07"):
        h.add(
            "Procedure",
            status="completed",
            code=Operation.CHEMOTHERAPY_CYCLE.concept,
            performedDateTime=day,
        )
    assert therapy(h)["cycles"] == 3
    h.dose("2026-03-01")
    assert therapy(h)["cycles"] == 1


def test_oral_therapy_alone_has_no_countable_cycles() -> None:
    h = History()
    h.add(
        "MedicationStatement",
        status="completed",
        medicationCodeableConcept=Drug.CAPECITABINE.concept,
        effectivePeriod={"start": "2026-01-10", "end": "2026-03-10"},
    )
    found = therapy(h)
    assert "cycles" not in found
    assert (found["known"], found["lastDose"]) == ("yes", date(2026, 3, 10))


def test_last_dose_of_an_anti_angiogenic() -> None:
    h = History()
    h.dose("2026-01-10", "2026-02-10", drug=Drug.BEVACIZUMAB)
    h.dose("2026-03-10")
    found = therapy(h)
    assert found["lastAntiAngiogenic"] == date(2026, 2, 10)
    assert (found["antiAngiogenic"], found["cytotoxic"], found["ici"]) == ("yes", "yes", "no")


@pytest.mark.parametrize(
    ("days", "last", "unsure"),
    [
        (("2026-05-22",), "2026-05-22", None),
        (("2026-05-22", "2026"), "2026-05-22", "2026-10-10"),  # today: it may have been yesterday
        (("2026-05-22", "2026-07"), "2026-05-22", "2026-07-31"),
        (("2026-05-22", "2026-05"), "2026-05-22", "2026-05-31"),
        (("2026-05-22", "2026-04"), "2026-05-22", None),
        (("2026-07",), None, "2026-07-31"),
    ],
)
def test_a_dose_without_an_exact_day_is_no_last_dose(
    days: tuple[str, ...], last: str | None, unsure: str | None
) -> None:
    h = History()
    h.dose(*days, drug=Drug.BEVACIZUMAB)
    found = therapy(h)
    for name, day in (("", last), ("Unsure", unsure)):
        expected = date.fromisoformat(day) if day else None
        assert found.get(f"lastDose{name}") == found.get(f"lastAntiAngiogenic{name}") == expected


def pump(h: History, start: str, end: str, drug: Drug = Drug.FLUOROURACIL) -> None:
    h.add(
        "MedicationAdministration",
        status="completed",
        medicationCodeableConcept=drug.concept,
        effectivePeriod={"start": start, "end": end},
    )


def test_an_infusion_over_days_has_a_known_day_and_counts_as_a_cycle() -> None:
    h = History()
    for day, end in (("2026-01-10", "2026-01-12"), ("2026-01-24", "2026-01-26")):
        h.dose(day)
        pump(h, f"{day}T10:00:00+01:00", f"{end}T08:00:00+01:00")
    found = therapy(h)
    assert (found["cycles"], found["cyclesEver"]) == (2, 2)
    assert (found["lastDose"], found.get("lastDoseUnsure")) == (date(2026, 1, 26), None)


def test_a_month_with_two_ends_is_no_infusion() -> None:
    h = History()
    pump(h, "2026-10", "2026-10")  # cut at today, ten days long at most
    found = therapy(h)
    assert (found.get("lastDose"), found["lastDoseUnsure"]) == (None, date(2026, 10, 10))
    assert "cycles" not in found


def numbered(h: History, *given: tuple[str, int | None]) -> None:
    for day, number in given:
        more = {"extension": [{"url": CYCLE_EXTENSION, "valuePositiveInt": number}]} if number else {}
        h.add(
            "MedicationAdministration",
            status="completed",
            medicationCodeableConcept=Drug.OXALIPLATIN.concept,
            effectiveDateTime=day,
            **more,
        )


@pytest.mark.parametrize(
    ("given", "cycles", "ever"),
    [
        ((("2026-05-10", 5), ("2026-05-24", 6), ("2026-06-07", 7)), 7, 7),  # the first four are not on record
        ((("2026-05-10", 1), ("2026-05-24", None), ("2026-06-07", None)), 3, 3),
        ((("2026-05-10", 5), ("2026-06", 6)), 6, 6),  # no exact day, and six at least
        ((("2025-05-10", 7), ("2026-05-24", 1), ("2026-06-07", 2)), 2, 7),  # the number is of another line
    ],
)
def test_a_recorded_number_is_the_least_there_can_have_been(
    given: tuple[tuple[str, int | None], ...], cycles: int, ever: int
) -> None:
    h = History()
    numbered(h, *given)
    found = therapy(h)
    assert (found["cycles"], found["cyclesEver"]) == (cycles, ever)


def test_immune_therapy_before_any_lesion_was_seen_does_not_count() -> None:
    h = History()
    h.dose("2024-01-10", drug=Drug.PEMBROLIZUMAB)
    h.dose("2026-02-10")
    h.seen(h.lesion("L1", "VI"), h.study("2026-01-05", "CT"))
    assert therapy(h)["ici"] == "no"
    h.dose("2026-03-10", drug=Drug.NIVOLUMAB)
    assert therapy(h)["ici"] == "yes"


def test_an_unknown_agent_leaves_immune_therapy_open() -> None:
    h = History()
    other = {"coding": [{"system": ATC, "code": "L01XX99"}]}
    h.add(
        "MedicationAdministration",
        status="completed",
        medicationCodeableConcept=other,
        effectiveDateTime="2026-02-10",
    )
    found = therapy(h)
    assert "ici" not in found
    assert of_kind(h.facts(), "dose")[0]["agent"] == "other"


def test_orders_of_therapy() -> None:
    h = History()
    request = {"intent": "order", "medicationCodeableConcept": Drug.OXALIPLATIN.concept}
    h.add("MedicationRequest", status="active", **request)
    h.add("MedicationRequest", draft=True, status="draft", doNotPerform=True, **request)
    found = therapy(h)
    assert (found["nextOrdered"], found["stopOrdered"]) == ("yes", "yes")


def test_an_order_for_a_day_that_has_passed_is_not_the_next_cycle() -> None:
    h = History()
    timing = [{"timing": {"event": ["2026-09-01"]}}]
    h.add(
        "MedicationRequest",
        status="active",
        intent="order",
        medicationCodeableConcept=Drug.OXALIPLATIN.concept,
        dosageInstruction=timing,
    )
    assert "nextOrdered" not in therapy(h)


def test_a_dose_has_its_first_and_last_possible_day() -> None:
    h = History()
    h.dose("2026-02", "2026-10")
    first, last = of_kind(h.facts(), "dose")
    assert (first["first"], first["last"]) == (date(2026, 2, 1), date(2026, 2, 28))
    assert last["last"] == date(2026, 10, 10)  # today
