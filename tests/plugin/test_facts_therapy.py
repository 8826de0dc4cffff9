"""Facts on systemic therapy."""

from datetime import date

import pytest

from fhir_profiles.codes import ATC, Drug, Operation
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
