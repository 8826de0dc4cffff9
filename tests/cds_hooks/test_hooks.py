"""The hooks: what each context must hold, the earlier names of its members, and a site's own hook for results."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from cds_hooks.app import create_app
from cds_hooks.hooks import ANYBODY, CLINICIANS, HOOKS
from cds_hooks.services import RESULT_REVIEW, SERVICES
from plugin.chart import Chart
from plugin.errors import SettingsError
from plugin.orders import matters, ordered
from plugin.settings import Settings, load
from rules.language import load_pack
from tests.cds_hooks.serving import DRAFT, Said, body, open_settings, post, served

OWN = "org.hospital.result-review"


@pytest.fixture(scope="module")
def said() -> Said:
    return Said()


@pytest.fixture(scope="module")
def base(said: Said) -> Iterator[str]:
    with served(create_app(open_settings(result_review_hook=OWN), said)) as address:
        yield address


def test_the_published_hooks_and_their_context() -> None:
    """One row a hook: required members, users, members a prefetch template may name."""
    table = {
        name: (hook.version, hook.required, hook.users, sorted(hook.tokens)) for name, hook in HOOKS.items()
    }
    view = ["patientId", "userId"]
    encounter = ["encounterId", "patientId", "userId"]
    assert table == {
        "patient-view": ("1.0", ("userId", "patientId"), ANYBODY, view),
        "order-select": ("1.0", ("userId", "patientId", "draftOrders", "selections"), CLINICIANS, view),
        "order-sign": ("1.0", ("userId", "patientId", "draftOrders"), CLINICIANS, view),
        "order-dispatch": (
            "1.1",
            ("patientId", "performer", "dispatchedOrders"),
            frozenset(),
            ["patientId", "performer"],
        ),
        "appointment-book": ("1.0", ("userId", "patientId", "appointments"), ANYBODY, view),
        "encounter-start": ("1.0", ("userId", "patientId", "encounterId"), ANYBODY, encounter),
        "encounter-discharge": ("1.0", ("userId", "patientId", "encounterId"), ANYBODY, encounter),
    }


@pytest.mark.parametrize("hook", HOOKS)
def test_each_required_member_is_named_where_it_is_missing(base: str, hook: str) -> None:
    service = next(one for one in SERVICES.values() if one.hook.name == hook)
    assert post(f"{base}/cds-services/{service.id}", body(hook)).status_code == 200
    for member in HOOKS[hook].required:
        document = body(hook)
        del document["context"][member]
        answer = post(f"{base}/cds-services/{service.id}", document)
        assert answer.status_code == 400
        assert f"context.{member} is missing" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("dispatchedOrders", []),
        ("dispatchedOrders", "ServiceRequest/d1"),
        ("dispatchedOrders", ["d1"]),
        ("dispatchedOrders", [{"reference": "ServiceRequest/d1"}]),
        ("performer", "o1"),
        ("performer", ["Organization/o1"]),
        ("fulfillmentTasks", {"resourceType": "Task"}),
        ("fulfillmentTasks", ["Task/t1"]),
        ("fulfillmentTasks", [{"resourceType": "ServiceRequest"}]),
    ],
)
def test_a_dispatch_that_is_not_one(base: str, member: str, value: Any) -> None:
    document = body("order-dispatch")
    document["context"][member] = value
    answer = post(f"{base}/cds-services/crlm-order-dispatch", document)
    assert answer.status_code == 400
    assert f"context.{member} must" in answer.json()["issue"][0]["diagnostics"]


def test_a_dispatch_with_tasks_and_without_a_user(base: str, said: Said) -> None:
    document = body("order-dispatch")
    document["context"]["fulfillmentTasks"] = [{"resourceType": "Task", "id": "t1"}]
    assert post(f"{base}/cds-services/crlm-order-dispatch", document).status_code == 200
    assert said.calls[-1][0].user_id is None


def test_members_of_the_earlier_version_of_a_hook_are_taken(base: str, said: Said) -> None:
    """order-dispatch 1.0 named one `order` and one `task`; some testers still send it."""
    document = body("order-dispatch")
    document["context"] = {
        "patientId": "p1",
        "order": "ServiceRequest/d1",
        "performer": "Organization/o1",
        "task": {"resourceType": "Task", "id": "t1"},
    }
    assert post(f"{base}/cds-services/crlm-order-dispatch", document).status_code == 200
    assert said.calls[-1][0].context["dispatchedOrders"] == ["ServiceRequest/d1"]
    assert said.calls[-1][0].context["fulfillmentTasks"][0]["id"] == "t1"


def test_a_dispatched_order_on_record_is_the_order_looked_at() -> None:
    blood = {"coding": [{"system": "http://loinc.org", "code": "58410-2"}]}
    counted = {**DRAFT, "id": "d1", "status": "active", "intent": "order", "code": blood}
    chart = Chart(patient_id="p1", resources=(counted,), selections=("ServiceRequest/d1",))
    zone = Settings().site.zone
    assert ordered(chart) == (counted,)
    assert not matters(ordered(chart), zone)
    unread = Chart(
        patient_id="p1", resources=(counted,), selections=("ServiceRequest/d1", "ServiceRequest/d2")
    )
    assert matters(ordered(unread), zone), "an order that was not read may be any order"


def test_a_sites_own_hook_for_results(base: str, said: Said) -> None:
    services = requests.get(f"{base}/cds-services", timeout=60).json()["services"]
    offered = {service["id"]: service for service in services}[RESULT_REVIEW]
    assert offered["hook"] == OWN
    assert post(f"{base}/cds-services/{RESULT_REVIEW}", body(OWN)).status_code == 200
    call, _ = said.calls[-1]
    assert (call.hook, call.shown_as) == (OWN, "patient-view")
    refused = post(f"{base}/cds-services/{RESULT_REVIEW}", body("patient-view"))
    assert refused.status_code == 400
    assert OWN in refused.json()["issue"][0]["diagnostics"]


def test_without_the_setting_there_is_no_such_service() -> None:
    with served(create_app(open_settings(), Said())) as base:
        assert post(f"{base}/cds-services/{RESULT_REVIEW}", body(OWN)).status_code == 404


@pytest.mark.parametrize(
    "name", ["result-review", "patient-view", "org.hospital", "Org.Hospital.Results", "a..b.c"]
)
def test_a_hook_of_ones_own_has_a_reverse_domain_name(name: str) -> None:
    with pytest.raises(SettingsError, match="result_review_hook"):
        load(None, {"VESTIGE_SERVICE__RESULT_REVIEW_HOOK": name})


def test_every_hook_a_rule_names_is_served() -> None:
    named = {hook for statement in load_pack().statements.values() for hook in _hooks(statement)}
    assert "order-dispatch" in named
    assert named - {"all"} <= set(HOOKS)


def test_what_is_said_before_a_signature_is_said_at_dispatch() -> None:
    for statement in load_pack().statements.values():
        assert ("order-sign" in _hooks(statement)) == ("order-dispatch" in _hooks(statement)), statement.id


@pytest.mark.parametrize("rule", ["DA-04", "DA-16"])
def test_discharge_hears_of_sites_that_were_left(rule: str) -> None:
    statement = load_pack().statements[rule]
    assert {"all", "encounter-discharge"} & set(_hooks(statement))


def _hooks(statement: Any) -> tuple[str, ...]:
    return tuple(hook for case in statement.cases if case.finding for hook in case.finding.hooks)
