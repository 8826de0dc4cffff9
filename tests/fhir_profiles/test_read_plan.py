"""Orders, appointments, care plans, dispositions and lasting properties."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.codes import (
    Attribute,
    AttributeValue,
    Coded,
    Disposition,
    FactValue,
    Feature,
    FeatureValue,
    Imaging,
    Intent,
    Method,
    Operation,
    Reason,
    Response,
    Topic,
)
from fhir_profiles.records import Disposition as DispositionRecord
from fhir_profiles.records import (
    LesionAttribute,
    MdtReview,
    NewLesionStatement,
    PathologyNodule,
    PatientFact,
    Plan,
    PlanMembership,
    ResponseStatement,
)
from tests.fhir_profiles.resources import mm, observation, one, records, refused

TARGET = "http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure"
ENDED = "https://vestige.example/fhir/StructureDefinition/crlm-ended"


def order(*codes: Coded, **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "id": "q1",
        "status": "active",
        "intent": "order",
        "code": {"coding": [code.coding for code in codes]},
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-10-10",
        "occurrenceDateTime": "2026-12-01",
    } | fields


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Operation.PARTIAL_HEPATECTOMY, "hepatectomy"),
        (Operation.ABLATION_OPERATIVE, "ablation"),
        (Imaging.MR_LIVER_WO_W, "liver-mri"),
        (Imaging.MR_LIVER_W, "liver-mri"),
        (Imaging.MR_LIVER_WO, "other-liver-imaging"),
        (Method.MRI_LIVER, "other-liver-imaging"),
        (Method.MRI_LIVER_CONTRAST, "liver-mri"),
        (Method.PET_CT_FDG, "other-liver-imaging"),
        (Method.IOUS_LIVER, "ious"),
        (Method.CEIOUS, "ceious"),
        (Operation.CHEMOTHERAPY, "chemotherapy"),
        (Operation.STOP_CHEMOTHERAPY, "stop-chemotherapy"),
        (Operation.MDT_REVIEW, "mdt"),
        (Operation.SURVEILLANCE, "surveillance"),
    ],
)
def test_orders(code: Coded, kind: str) -> None:
    plan = one(order(code), Plan)
    assert (plan.type, plan.live, plan.day.first, plan.authored.first) == (
        kind, True, date(2026, 12, 1), date(2026, 10, 10),
    )  # fmt: skip


def test_what_is_not_an_operation_on_a_lesion_gives_no_plan() -> None:
    assert records(order(Operation.EMBOLISATION)) == ()
    assert records(order() | {"code": {"text": "Hepatectomy"}}) == ()


def test_operative_and_percutaneous_ablation_differ() -> None:
    assert one(order(Operation.ABLATION_OPERATIVE), Plan).operative is True
    assert one(order(Operation.ABLATION_PERCUTANEOUS), Plan).operative is False
    assert one(order(Operation.ABLATION), Plan).operative is None


def test_an_order_with_ultrasound_gives_one_plan_for_each() -> None:
    given = order(Operation.LIVER_EXCISION, Method.IOUS_LIVER, orderDetail=[Method.CEIOUS.concept])
    assert [plan.type for plan in records(given) if isinstance(plan, Plan)] == [
        "hepatectomy",
        "ious",
        "ceious",
    ]


def test_a_revoked_order_says_when() -> None:
    stated = one(
        order(Operation.HEPATECTOMY, status="revoked", extension=[{"url": ENDED, "valueDate": "2026-10-30"}]),
        Plan,
    )
    assert (stated.revoked, stated.ended.first, stated.flags) == (True, date(2026, 10, 30), ())
    changed = one(
        order(Operation.HEPATECTOMY, status="revoked", meta={"lastUpdated": "2026-11-02T10:00:00Z"}), Plan
    )
    assert (changed.ended.first, changed.flags) == (date(2026, 11, 2), ("ended-from-last-updated",))
    assert one(order(Operation.HEPATECTOMY, status="revoked"), Plan).ended is None


def test_do_not_perform() -> None:
    assert one(order(Operation.CHEMOTHERAPY, doNotPerform=True), Plan).type == "stop-chemotherapy"
    assert refused(order(Operation.HEPATECTOMY, doNotPerform=True)) == "do-not-perform"


def test_a_watch_and_wait_order_is_also_a_disposition() -> None:
    target = [{"url": TARGET, "valueReference": {"reference": "BodyStructure/l2"}}]
    given = order(
        Disposition.WATCH_AND_WAIT, extension=target, reasonCode=[Reason.DISAPPEARED.concept], status="draft"
    )
    plan, decided = records(given)
    assert isinstance(plan, Plan)
    assert isinstance(decided, DispositionRecord)
    assert (plan.type, plan.reason) == ("watch-and-wait", "disappeared")
    assert (decided.level, decided.disposition, decided.reason) == ("lesion", "watch-and-wait", "disappeared")
    assert decided.lesions[0].body == "BodyStructure/l2"
    assert decided.day is not None
    assert decided.day.first == date(2026, 10, 10)


@pytest.mark.parametrize("code", [Disposition.WATCHFUL_WAITING, Disposition.ACTIVE_SURVEILLANCE])
def test_the_standard_codes_hold_for_the_patient(code: Disposition) -> None:
    target = [{"url": TARGET, "valueReference": {"reference": "BodyStructure/l2"}}]
    decided = records(order(code, extension=target))[1]
    assert isinstance(decided, DispositionRecord)
    assert (decided.level, decided.lesions) == ("patient", ())


def test_appointments() -> None:
    given = {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "serviceType": [Operation.HEPATECTOMY.concept],
        "start": "2026-12-01T08:00:00+01:00",
        "created": "2026-11-10",
        "basedOn": [{"reference": "ServiceRequest/q1"}],
        "participant": [{"actor": {"reference": "Patient/p1"}}],
    }
    plan = one(given, Plan)
    assert (plan.type, plan.booked, plan.day.first) == ("hepatectomy", True, date(2026, 12, 1))
    assert (plan.based_on, plan.subject) == (("ServiceRequest/q1",), "Patient/p1")
    assert one(given | {"serviceType": []}, Plan).type == "other"
    cancelled = one(given | {"status": "cancelled"}, Plan)
    assert (cancelled.revoked, cancelled.booked) == (True, False)
    assert records({"resourceType": "Appointment", "id": "a2", "status": "booked"}) == ()


def test_care_plans() -> None:
    lesion = [{"url": "https://vestige.example/fhir/StructureDefinition/crlm-lesion-reference",
               "valueReference": {"reference": "BodyStructure/l6"}}]  # fmt: skip
    detail = {
        "status": "scheduled",
        "code": Imaging.MR_LIVER_WO_W.concept,
        "scheduledPeriod": {"start": "2027-02-01"},
        "extension": lesion,
    }
    given = {
        "resourceType": "CarePlan",
        "id": "c1",
        "status": "active",
        "intent": "plan",
        "category": [Operation.SURVEILLANCE.concept],
        "subject": {"reference": "Patient/p1"},
        "created": "2026-11-20",
        "activity": [
            {"detail": detail},
            {
                "detail": {
                    "status": "completed",
                    "code": Operation.MDT_REVIEW.concept,
                    "scheduledPeriod": {"start": "2026-11-19"},
                }
            },
            {"detail": {"status": "entered-in-error", "code": Operation.HEPATECTOMY.concept}},
        ],
    }
    whole, scan, review = records(given)
    assert isinstance(whole, Plan)
    assert isinstance(scan, Plan)
    assert (whole.type, scan.type, scan.booked) == ("surveillance", "liver-mri", True)
    assert scan.lesions[0].body == "BodyStructure/l6"
    assert isinstance(review, MdtReview)
    stopped = records(given | {"status": "revoked"})[1]
    assert isinstance(stopped, Plan)
    assert not stopped.live


def test_reviews_held() -> None:
    held = one(order(Operation.LIVER_MDT, status="completed"), MdtReview)
    assert held.day.first == date(2026, 12, 1)
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "type": [Operation.MDT_REVIEW.concept],
        "period": {"start": "2026-11-03T15:00:00+01:00"},
    }
    assert one(encounter, MdtReview).day.first == date(2026, 11, 3)
    assert refused(encounter | {"status": "planned"}) == "not-done"
    assert records(encounter | {"type": []}) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Disposition.RESECT, "resect"),
        (Disposition.ABLATE, "ablate"),
        (Disposition.WATCH_AND_WAIT, "watch-and-wait"),
        (Disposition.LEFT_IN_SITU, "left-in-situ"),
        (Disposition.UNDECIDED, "undecided"),
    ],
)
def test_dispositions(value: Disposition, expected: str) -> None:
    reason = {"code": Attribute.REASON.concept, "valueCodeableConcept": Reason.UNFIT.concept}
    given = observation(Topic.DISPOSITION, valueCodeableConcept=value.concept, component=[reason])
    found = one(given, DispositionRecord)
    assert (found.level, found.disposition, found.reason) == ("lesion", expected, "unfit")
    whole = one(given | {"focus": []}, DispositionRecord)
    assert (whole.level, whole.lesions) == ("patient", ())


def test_reasons_come_from_codes_only() -> None:
    reason = {"code": Attribute.REASON.concept, "valueCodeableConcept": {"text": "disappeared"}}
    given = observation(
        Topic.DISPOSITION, valueCodeableConcept=Disposition.WATCH_AND_WAIT.concept, component=[reason]
    )
    assert one(given, DispositionRecord).reason is None
    assert refused(observation(Topic.DISPOSITION, valueString="observe")) == "value-not-accepted"


def test_attributes() -> None:
    parts = [
        {"code": Attribute.DEPTH.concept, "valueQuantity": mm(4.2, "cm")},
        {"code": Attribute.MARKER.concept, "valueBoolean": True},
        {"code": Attribute.MARKER_MIGRATED.concept, "valueBoolean": False},
        {"code": Attribute.EXTRA_RESECTION.concept, "valueCodeableConcept": AttributeValue.WEDGE.concept},
        {"code": Feature.TARGET_ROLE.concept, "valueCodeableConcept": FeatureValue.TARGET.concept},
        {"code": Feature.NATURE.concept, "valueCodeableConcept": FeatureValue.BENIGN.concept},
        {"code": Attribute.CHARACTERISED.concept, "valueCodeableConcept": AttributeValue.PRESUMED.concept},
    ]
    found = one(observation(Topic.ATTRIBUTE, component=parts), LesionAttribute)
    assert (found.depth_mm, found.marker, found.marker_migrated) == (Decimal(42), True, False)
    assert (found.extra_resection, found.target_role, found.nature) == ("wedge", "target", "benign")
    assert found.characterised == "presumed"
    alone = one(observation(Attribute.DEPTH, valueQuantity=mm(9)), LesionAttribute)
    assert alone.depth_mm == Decimal(9)


def test_attributes_without_lesion_or_value_are_refused() -> None:
    depth = [{"code": Attribute.DEPTH.concept, "valueQuantity": mm(9)}]
    assert refused(observation(Topic.ATTRIBUTE, component=depth, focus=[])) == "no-lesion"
    deep = [{"code": Attribute.DEPTH.concept, "valueQuantity": mm(151)}]
    assert refused(observation(Topic.ATTRIBUTE, component=deep)) == "value-not-accepted"


def test_membership() -> None:
    parts = [
        {"code": Attribute.IN_SPECIMEN.concept, "valueBoolean": False},
        {"code": Attribute.IN_REMNANT.concept, "valueBoolean": True},
    ]
    given = observation(Topic.MEMBERSHIP, component=parts, basedOn=[{"reference": "ServiceRequest/q1"}])
    found = one(given, PlanMembership)
    assert (found.in_specimen, found.in_future_remnant, found.plan) == (False, True, "ServiceRequest/q1")
    assert refused(observation(Topic.MEMBERSHIP)) == "value-not-accepted"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(FeatureValue.NEW, "new"), (FeatureValue.NOT_NEW, "not-new"), (FeatureValue.THIN, None)],
)
def test_new_lesions(value: FeatureValue, expected: str | None) -> None:
    found = one(observation(Feature.NEW_LESION, valueCodeableConcept=value.concept), NewLesionStatement)
    assert (found.statement, found.method) == (expected, "MRI")


def test_pathology() -> None:
    parts = [
        {"code": Attribute.TRG.concept, "valueInteger": 2},
        {"code": Attribute.VIABLE.concept, "valueQuantity": mm(5, "%")},
    ]
    found = one(observation(Topic.PATHOLOGY, component=parts), PathologyNodule)
    assert (found.trg, found.viable_percent) == (2, Decimal(5))
    assert refused(
        observation(Topic.PATHOLOGY, component=[{"code": Attribute.TRG.concept, "valueInteger": 6}])
    ) == ("value-not-accepted")


def test_response_needs_a_code_and_names_its_criterion() -> None:
    given = observation(
        Response.CURRENT, valueCodeableConcept=Response.TARGET_PR.concept, method=Response.RECIST_1_1.concept
    )
    found = one(given, ResponseStatement)
    assert (found.category, found.criterion) == ("PR", "recist11")
    assert one(given | {"method": {}}, ResponseStatement).criterion is None
    assert refused(observation(Response.CURRENT, valueString="PR")) == "value-not-accepted"


@pytest.mark.parametrize(
    ("topic", "value", "kind", "expected"),
    [
        (Topic.ECOG, {"valueInteger": 2}, "ecog", Decimal(2)),
        (Topic.ECOG, {"valueQuantity": mm(1, "{score}")}, "ecog", Decimal(1)),
        (
            Topic.ECOG,
            {"valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA9625-0"}]}},
            "ecog",
            Decimal(3),
        ),
        (Topic.FLR, {"valueQuantity": mm(34.5, "%")}, "flr-percent", Decimal("34.5")),
        (Topic.CHILD_PUGH, {"valueCodeableConcept": FactValue.CHILD_PUGH_C.concept}, "child-pugh", "C"),
        (Topic.INTENT, {"valueCodeableConcept": Intent.PALLIATIVE.concept}, "intent", "palliative"),
        (Topic.MSI, {"valueCodeableConcept": Response.MSI_HIGH.concept}, "msi", "msi-h"),
        (Topic.REFUSAL, {"valueBoolean": True}, "refusal", "yes"),
        (
            Topic.EXTRAHEPATIC,
            {"valueCodeableConcept": FactValue.PROGRESSION.concept},
            "extrahepatic",
            "progression-definite",
        ),
        (
            Topic.MRI_CONTRAINDICATION,
            {"valueCodeableConcept": FactValue.DEVICE.concept},
            "mri-contra",
            "device",
        ),
        (Topic.STEATOSIS, {"valueCodeableConcept": FactValue.SEVERE.concept}, "steatosis", "severe"),
        (Topic.MUCINOUS, {"valueBoolean": False}, "mucinous", "no"),
    ],
)
def test_patient_facts(topic: Topic, value: dict[str, Any], kind: str, expected: Any) -> None:
    found = one(observation(topic, **value), PatientFact)
    assert found.kind == kind
    assert (found.number if found.number is not None else found.value) == expected


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (Topic.ECOG, {"valueInteger": 6}),
        (Topic.FLR, {"valueQuantity": mm(34)}),
        (Topic.FLR, {"valueQuantity": mm(134, "%")}),
        (Topic.CHILD_PUGH, {"valueString": "C"}),
        (Topic.INTENT, {"valueCodeableConcept": {"text": "palliative"}}),
        (Topic.EXTRAHEPATIC, {"valueCodeableConcept": FactValue.SEVERE.concept}),
    ],
)
def test_facts_outside_their_set_are_refused(topic: Topic, value: dict[str, Any]) -> None:
    assert refused(observation(topic, **value)) == "value-not-accepted"
