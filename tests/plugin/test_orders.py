"""Which orders of a hook concern the liver: in doubt every order does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_profiles.codes import Imaging, Operation
from plugin.advice import advise, shown
from plugin.decision import Decision
from plugin.orders import matters
from plugin.settings import Settings
from tests.plugin.advising import TODAY, decided, fact, finding, lesion, with_findings

UTC = ZoneInfo("UTC")
SUBJECT = {"subject": {"reference": "Patient/history-1"}}
BLOOD = {"system": "http://loinc.org", "code": "58410-2"}
WATCHED = {"disposition": "watch-and-wait", "dispositionLevel": "lesion"}


def service(*codings: dict[str, str], **values: Any) -> dict[str, Any]:
    code: dict[str, Any] = {"coding": list(codings)} if codings else {}
    return {"resourceType": "ServiceRequest", "id": "o1", "status": "draft", "intent": "order", "code": code, **SUBJECT, **values}  # fmt: skip


def drug(**values: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "id": "m1", "status": "draft", "intent": "order", **SUBJECT, **values}  # fmt: skip


PAIN = {"medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "161"}]}}  # fmt: skip


@pytest.mark.parametrize("order", [service(BLOOD), drug(**PAIN)], ids=["blood count", "pain killer"])
def test_an_unrelated_order_does_not_matter(order: dict[str, Any]) -> None:
    assert not matters((order,), UTC)


@pytest.mark.parametrize(
    "order",
    [
        service(Operation.HEPATECTOMY.coding),
        service(Imaging.MR_LIVER_WO_W.coding),
        service(),
        service(code={"text": "resection of segment VI"}),
        drug(medicationReference={"reference": "Medication/not-sent"}),
        {"resourceType": "ServiceRequest"},
    ],
    ids=["hepatectomy", "liver MRI", "no code", "free text", "unresolved drug", "unreadable"],
)
def test_a_related_order_and_any_doubt_matter(order: dict[str, Any]) -> None:
    assert matters((order,), UTC)
    assert matters((service(BLOOD), order), UTC)


def test_without_an_order_everything_matters() -> None:
    assert matters((), UTC)


def beside(made: Decision, *, matter: bool) -> Decision:
    return replace(made, order_matters=matter)


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_beside_an_unrelated_order_only_what_cannot_wait_is_said(hook: str) -> None:
    quiet = decided(
        lesion("L1", "CONFIRMED_DLM", **WATCHED),
        fact("therapy", known="yes", nextOrdered="yes"),
        fact("patient_status", value="ALL_DISAPPEARED"),
    )
    assert advise(beside(quiet, matter=True), hook, settings=Settings()) != ()
    assert advise(beside(quiet, matter=False), hook, settings=Settings()) == ()


@pytest.mark.parametrize(
    "facts",
    [
        lesion("L1", "SMALL_RESIDUAL", mm=6, **WATCHED),
        lesion("L1", "APPARENT_DLM", **{"class": "CT"}, **WATCHED),
        lesion("L1", "CANNOT_DECIDE", reason="quality"),
        (*lesion("L1", "CONFIRMED_DLM"), fact("plan", hepatic="yes", opDay=TODAY.replace(month=11))),
    ],
    ids=["F2", "F3 watched", "F7", "F3 operation"],
)
def test_a_warning_on_a_lesion_is_said_beside_any_order(facts: tuple[Any, ...]) -> None:
    made = beside(decided(*facts), matter=False)
    cards = advise(made, "order-sign", settings=Settings())
    assert cards
    assert {card.family for card in cards} <= {"F1", "F2", "F3", "F7"}
    assert {card.indicator for card in cards} <= {"critical", "warning"}


@pytest.mark.parametrize("hook", ["patient-view", "appointment-book", "encounter-start"])
def test_other_hooks_do_not_ask_for_an_order(hook: str) -> None:
    made = decided(lesion("L1", "CONFIRMED_DLM", **WATCHED))
    there, here = (advise(beside(made, matter=one), hook, settings=Settings()) for one in (True, False))
    assert [card.rules for card in there] == [card.rules for card in here] == [("DA-09", "DA-12")]


def test_what_was_withheld_is_a_card_beside_any_order() -> None:
    made = with_findings(finding("DA-09", "L1"), facts=lesion("L1", "CONFIRMED_DLM"))
    faulty = replace(made, evaluation=replace(made.evaluation, refused=("DA-02",)), order_matters=False)
    assert [card.rules for card in advise(faulty, "order-sign", settings=Settings())] == [("DA-02",)]


def test_what_is_not_shown_is_recorded_as_hidden() -> None:
    made = beside(decided(lesion("L1", "CONFIRMED_DLM", **WATCHED)), matter=False)
    places = {one.finding.rule: one.shown for one in shown(made, "order-sign")}
    assert places["DA-09"] == "hidden"
