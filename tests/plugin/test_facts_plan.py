"""Facts on plans, orders, dispositions and treatments."""

from datetime import date
from typing import Any

import pytest

from fhir_profiles.codes import (
    Attribute,
    Disposition,
    Feature,
    FeatureValue,
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


@pytest.mark.parametrize(
    ("watched", "resected", "in_force"),
    [
        ("2026-09", "2026-09-05", "watch-and-wait"),  # it may be of the 30th
        ("2026-08", "2026-09-05", "resect"),
        ("2026-09-05", "2026-09", "watch-and-wait"),
        ("2026-09-05", "2026-10", "resect"),
        (None, "2026-09-05", "watch-and-wait"),
        ("2026-09-05", None, "watch-and-wait"),
    ],
)
def test_a_decision_that_may_be_the_latest_counts_like_one_of_that_day(
    watched: str | None, resected: str | None, in_force: str
) -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.decide(lesion, Disposition.WATCH_AND_WAIT, watched)
    h.decide(lesion, Disposition.RESECT, resected)
    assert decision(h)[0] == in_force


@pytest.mark.parametrize(
    ("benign", "metastasis", "nature"),
    [
        ("2026-03-01", "2026-04-01", "metastasis"),
        ("2026-03-01", "2026", None),
        ("2026-03-01", None, None),
        ("2026", "2026-03-01", None),
        ("2025", "2026-03-01", "metastasis"),
        ("2026", None, None),
    ],
)
def test_a_property_whose_latest_statement_cannot_be_told_is_unknown(
    benign: str, metastasis: str | None, nature: str | None
) -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.seen(lesion, h.study("2026-01-05", "CT"))
    h.attribute(lesion, benign, coded(Feature.NATURE, FeatureValue.BENIGN))
    h.attribute(lesion, metastasis, coded(Feature.NATURE, FeatureValue.METASTASIS))
    assert one(h.facts(), "lesion", label="L1").get("nature") == nature


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


def test_surveillance_because_the_lesion_disappeared_is_watch_and_wait() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    said: dict[str, Any] = {"lesions": [lesion], "authoredOn": "2026-10-10"}
    h.order(Operation.SURVEILLANCE, draft=True, reasonCode=[Reason.DISAPPEARED.concept], **said)
    assert decision(h) == ("watch-and-wait", "lesion", "disappeared", date(2026, 10, 10), "yes")


@pytest.mark.parametrize("reason", [{}, {"reasonCode": [Reason.UNFIT.concept]}])
def test_any_other_surveillance_decides_nothing(reason: dict[str, Any]) -> None:
    h = History()
    said: dict[str, Any] = {"lesions": [h.lesion("L1", "VI")], "authoredOn": "2026-10-10", **reason}
    h.order(Operation.SURVEILLANCE, draft=False, **said)
    assert decision(h) == (None,) * 5


UNORDERED = ["revoked", "completed", "on-hold", "unknown", "entered-in-error"]


@pytest.mark.parametrize("status", UNORDERED)
@pytest.mark.parametrize("drafted", [Disposition.RESECT, Operation.HEPATECTOMY])
def test_a_draft_that_is_not_being_ordered_leaves_what_is_on_record(drafted: Any, status: str) -> None:
    """Who revokes a resection at signing has not decided on one: what stands is watch-and-wait."""
    h = History()
    lesion = h.lesion("L1", "VI")
    h.order(Disposition.WATCH_AND_WAIT, lesions=[lesion], authoredOn="2026-09-01")
    h.order(drafted, draft=True, status=status, lesions=[lesion], authoredOn="2026-10-01")
    assert decision(h)[0] == "watch-and-wait"
    if drafted is Operation.HEPATECTOMY:
        assert plan(h).get("hepatic") is None


@pytest.mark.parametrize("status", UNORDERED)
def test_an_order_that_is_ended_in_the_hook_no_longer_stands(status: str) -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    said = {"lesions": [lesion], "authoredOn": "2026-09-01", "own": "the-order"}
    h.order(Disposition.WATCH_AND_WAIT, **said)
    assert decision(h)[0] == "watch-and-wait"
    h.order(Disposition.WATCH_AND_WAIT, draft=True, status=status, **said)
    assert decision(h)[0] is None


@pytest.mark.parametrize(("status", "planned"), [*((one, None) for one in UNORDERED), ("active", "yes")])
def test_an_ultrasound_that_is_put_on_hold_is_not_planned(status: str, planned: str | None) -> None:
    h = History()
    h.order(Operation.HEPATECTOMY, "2026-11-01")
    h.order(Method.IOUS, draft=True, status=status)
    assert plan(h).get("ious") == planned


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


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ([Imaging.CT_LIVER_W], "CT"),
        ([Method.PET_CT_FDG], "PET"),
        ([Imaging.MR_LIVER_WO], "MRI"),
        ([Operation.SURVEILLANCE], None),
        ([Operation.SURVEILLANCE, Imaging.CT_LIVER_W], "CT"),
    ],
)
def test_other_imaging_is_no_surveillance_and_is_told(codes: list[Any], kind: str | None) -> None:
    h = History()
    beside: dict[str, Any] = {"orderDetail": [code.concept for code in codes[1:]]} if codes[1:] else {}
    h.order(codes[0], "2027-01-05", lesions=[h.lesion("L1", "VI")], **beside)
    fact = one(h.facts(), "lesion")
    assert "surveillancePlan" not in fact
    assert (fact["otherImagingNext"], fact.get("otherImagingClass")) == (date(2027, 1, 5), kind)


def test_of_other_imaging_pet_comes_last_and_a_plan_with_an_mri_is_the_mri() -> None:
    h = History()
    lesion = h.lesion("L1", "VI")
    h.order(Method.PET_CT_FDG, "2026-11-05", lesions=[lesion])
    h.order(Imaging.CT_LIVER_W, "2027-02-05", lesions=[lesion])
    beside = [Imaging.MR_LIVER_WO_W.concept]
    h.order(Operation.SURVEILLANCE, "2027-01-05", lesions=[lesion], orderDetail=beside)
    fact = one(h.facts(), "lesion")
    assert (fact["otherImagingNext"], fact["otherImagingClass"]) == (date(2027, 2, 5), "CT")
    assert fact["surveillanceNext"] == date(2027, 1, 5)


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
