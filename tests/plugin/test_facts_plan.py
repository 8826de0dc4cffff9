"""Facts on plans, orders, dispositions and treatments."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles.codes import (
    Attribute,
    Disposition,
    Imaging,
    Method,
    Operation,
    Reason,
    Topic,
)
from tests.plugin.history import TODAY, History, coded, of_kind, one, part, to


def plan(h: History) -> dict[str, Any]:
    return one(h.facts(), "plan")


def booked(h: History, code: Any, start: str, status: str = "booked", **more: Any) -> dict[str, Any]:
    coded_type = {"serviceType": [code.concept]} if code is not None else {}
    return h.add("Appointment", status=status, start=start, **coded_type, **more)


def test_nothing_on_record_is_unknown() -> None:
    assert plan(History()) == {}


@pytest.mark.parametrize(
    ("fields", "hepatic"),
    [
        ({}, "yes"),
        ({"intent": "plan"}, "yes"),
        ({"intent": "proposal"}, None),
        ({"status": "completed"}, None),
        ({"status": "on-hold"}, None),
        ({"status": "draft"}, None),
        ({"status": "revoked"}, None),
    ],
)
def test_an_active_order_or_plan_is_an_operation(fields: dict[str, str], hepatic: str | None) -> None:
    h = History()
    h.order(Operation.HEPATECTOMY, "2026-11-01", **fields)
    assert plan(h).get("hepatic") == hepatic


@pytest.mark.parametrize(
    ("code", "hepatic"),
    [
        (Operation.ABLATION_OPERATIVE, "yes"),
        (Operation.ABLATION_PERCUTANEOUS, None),
        (Operation.ABLATION, None),
        (Operation.EMBOLISATION, None),
    ],
)
def test_only_an_operation_on_the_liver_counts(code: Operation, hepatic: str | None) -> None:
    h = History()
    h.order(code, "2026-11-01")
    assert plan(h).get("hepatic") == hepatic


def test_an_appointment_gives_the_day_and_has_the_type_of_its_order() -> None:
    h = History()
    order = h.order(Operation.HEPATECTOMY)
    assert "opDay" not in plan(h)
    booked(h, None, "2026-11-05T08:00:00Z", basedOn=[to(order)])
    assert plan(h)["opDay"] == date(2026, 11, 5)


def test_the_next_operation_to_come_counts() -> None:
    h = History()
    for day in ("2026-12-01", "2026-09-01", "2026-11-01"):
        h.order(Operation.HEPATECTOMY, day)
    assert plan(h)["opDay"] == date(2026, 11, 1)


def test_a_past_order_is_done_once_an_operation_is_recorded() -> None:
    h = History()
    h.order(Operation.HEPATECTOMY, "2026-09-01")
    assert plan(h)["opDay"] == date(2026, 9, 1)
    h.treat("2026-09-01")
    assert plan(h) == {}


def test_cancellation_has_its_day() -> None:
    h = History()
    url = "https://vestige.example/fhir/StructureDefinition/crlm-ended"
    for day in ("2026-08-01", "2026-09-20"):
        ended = [{"url": url, "valueDate": day}]
        h.order(Operation.HEPATECTOMY, status="revoked", extension=ended)
    assert plan(h) == {"cancelledDay": date(2026, 9, 20)}


def test_intraoperative_ultrasound_ahead_counts_and_a_past_one_does_not() -> None:
    h = History()
    h.order(Method.IOUS, "2026-09-01")
    assert "ious" not in plan(h)
    h.order(Method.IOUS, TODAY.isoformat())
    h.order(Method.CEIOUS, draft=True)
    assert (plan(h)["ious"], plan(h)["ceious"]) == ("yes", "yes")


def test_an_operation_in_progress() -> None:
    h = History()
    h.treat("2026-10-10", status="in-progress")
    assert plan(h)["opInProgress"] == "yes"
    assert not of_kind(h.facts(), "treatment")


def test_liver_mri_ordered_then_booked() -> None:
    h = History()
    h.order(Imaging.MR_LIVER_WO_W, authoredOn="2026-10-01")
    assert plan(h) == {"hbMri": "ordered"}
    booked(h, Imaging.MR_LIVER_WO_W, "2026-11-05T08:00:00Z")
    assert plan(h) == {"hbMri": "booked", "hbMriDay": date(2026, 11, 5)}


def test_an_order_written_before_an_mri_that_was_made_is_used_up() -> None:
    h = History()
    h.order(Imaging.MR_LIVER_WO_W, authoredOn="2026-08-01")
    h.study("2026-09-01", "MRI")
    assert plan(h) == {}


def test_orders_name_their_lesions() -> None:
    h = History()
    first, second = h.lesion("L1", "VI"), h.lesion("L2", "II")
    h.order(Operation.HEPATECTOMY, "2026-11-01", lesions=[first, second])
    h.order(Operation.MDT_REVIEW)
    orders = of_kind(h.facts(), "order")
    assert {(o["type"], o.get("lesion"), o["draft"]) for o in orders} == {
        ("hepatectomy", f"BodyStructure/{first['id']}", "no"),
        ("hepatectomy", f"BodyStructure/{second['id']}", "no"),
        ("mdt", None, "no"),
    }


def decision(h: History) -> tuple[Any, ...]:
    fact = one(h.facts(), "lesion", label="L1")
    names = ("disposition", "dispositionLevel", "dispositionReason", "dispositionDay", "dispositionDraft")
    return tuple(fact.get(name) for name in names)


def test_the_latest_decision_counts_and_watch_and_wait_on_the_same_day() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.decide(lesion, Disposition.WATCH_AND_WAIT, "2026-09-01", Reason.DISAPPEARED)
    h.decide(lesion, Disposition.RESECT, "2026-09-20")
    assert decision(h)[0] == "resect"
    h.decide(lesion, Disposition.WATCH_AND_WAIT, "2026-09-20", Reason.UNFIT)
    assert decision(h) == ("watch-and-wait", "lesion", "unfit", date(2026, 9, 20), "no")


def test_a_decision_on_the_patient_holds_for_untreated_lesions() -> None:
    h = History()
    h.lesion("L1", "VI")
    treated = h.lesion("L2", "II")
    h.treat("2026-08-01", treated)
    h.decide(None, Disposition.WATCHFUL_WAITING, "2026-09-01")
    assert decision(h)[:2] == ("watch-and-wait", "patient")
    assert "disposition" not in one(h.facts(), "lesion", label="L2")


def test_a_decision_on_a_lesion_of_contradicted_identity_is_known() -> None:
    h = History()
    first = h.lesion("L1", "VI", "2.25.1")
    h.lesion("L2", "VII", "2.25.1")
    h.decide(first, Disposition.WATCH_AND_WAIT, "2026-09-01")
    assert h.timeline().lesions[0].tainted
    assert decision(h)[0] == "watch-and-wait"


def test_embolisation_of_an_artery_is_no_operation() -> None:
    h = History()
    h.order(Operation.HEPATECTOMY, "2026-09-01")
    h.treat("2026-09-02", kind=Operation.OTHER_LOCAL)
    h.treat("2026-10-10", kind=Operation.OTHER_LOCAL, status="in-progress")
    assert plan(h)["hepatic"] == "yes"
    assert "opInProgress" not in plan(h)


def test_a_decision_that_is_not_final_or_was_revoked_does_not_count() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.decide(lesion, Disposition.WATCH_AND_WAIT, "2026-09-01", status="preliminary")
    h.order(Disposition.WATCH_AND_WAIT, status="revoked", lesions=[lesion])
    assert decision(h) == (None,) * 5


def test_a_watch_and_wait_order_in_the_draft_without_lesion_speaks_for_the_patient() -> None:
    h = History()
    h.lesion("L1", "VI")
    h.order(Disposition.WATCH_AND_WAIT, draft=True, authoredOn="2026-10-10")
    assert decision(h) == ("watch-and-wait", "patient", None, date(2026, 10, 10), "yes")


def test_an_operation_that_names_the_lesion_decides_on_it() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.decide(lesion, Disposition.WATCH_AND_WAIT, "2026-09-01")
    h.order(Operation.HEPATECTOMY, "2026-11-01", lesions=[lesion], authoredOn="2026-09-02")
    assert decision(h)[0] == "resect"


def test_membership_of_the_specimen_now_and_before() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    for day, inside in (("2026-08-01", True), ("2026-09-01", False)):
        h.observation(
            Topic.MEMBERSHIP,
            day,
            focus=[to(lesion)],
            component=[
                part(Attribute.IN_SPECIMEN, valueBoolean=inside),
                part(Attribute.IN_REMNANT, valueBoolean=not inside),
            ],
        )
    fact = one(h.facts(), "lesion")
    assert (fact["inPlannedSpecimen"], fact["inPlannedSpecimenBefore"], fact["inFutureRemnant"]) == (
        "no",
        "yes",
        "yes",
    )


def test_lasting_properties_the_latest_counts_and_a_tie_is_unknown() -> None:
    from fhir_profiles.codes import AttributeValue
    from tests.plugin.history import quantity

    h = History()
    lesion = h.lesion("L1", "VI")
    h.attribute(lesion, "2026-01-01", part(Attribute.DEPTH, valueQuantity=quantity(30, "mm")))
    h.attribute(
        lesion,
        "2026-02-01",
        part(Attribute.DEPTH, valueQuantity=quantity(28, "mm")),
        part(Attribute.MARKER, valueBoolean=True),
        coded(Attribute.EXTRA_RESECTION, AttributeValue.WEDGE),
    )
    fact = one(h.facts(), "lesion")
    assert (fact["depthMm"], fact["marker"], fact["extraResection"]) == (28, "yes", "wedge")
    h.attribute(lesion, "2026-02-01", part(Attribute.MARKER, valueBoolean=False))
    assert "marker" not in one(h.facts(), "lesion")


def test_surveillance_that_names_the_lesion() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.order(Operation.SURVEILLANCE, "2026-09-01", lesions=[lesion])
    assert "surveillancePlan" not in one(h.facts(), "lesion")
    h.order(Imaging.MR_LIVER_WO_W, "2027-01-05", lesions=[lesion])
    fact = one(h.facts(), "lesion")
    assert (fact["surveillancePlan"], fact["surveillanceNext"]) == ("yes", date(2027, 1, 5))


def test_treatment_with_and_without_a_lesion() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.treat("2026-08", lesion)
    h.treat("2026-09", kind=Operation.ABLATION)
    h.treat("2026-09", status="not-done")
    h.treat("2026-09-01", {"resourceType": "BodyStructure", "id": "unknown"})
    found = {(t["type"], t.get("lesion"), t["day"]) for t in of_kind(h.facts(), "treatment")}
    assert found == {
        ("resected", f"BodyStructure/{lesion['id']}", date(2026, 8, 1)),
        ("ablated", None, date(2026, 9, 30)),
        ("resected", None, date(2026, 9, 1)),
    }
