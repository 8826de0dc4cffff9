"""What is no fault is not accused: published hooks of every version, FHIR's own nulls, short preflights, 3.0."""

import json
from typing import Any

import pytest

from cds_hooks.conformance import shown, transport
from cds_hooks.conformance.exchange import Client
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.patients import patients
from cds_hooks.conformance.report.html import as_html
from cds_hooks.conformance.report.junit import as_junit
from cds_hooks.conformance.report.table import as_json
from cds_hooks.conformance.run import Report, inspect_service
from cds_hooks.conformance.subject import Subject
from tests.servers.hostile import Hostile, Reply, Request

ONE = patients(("nothing-to-say",))
JSON = {"Content-Type": "application/json"}
CARD = {"summary": "x", "indicator": "info", "source": {"label": "x"}}
NAME = {"given": ["A", None], "_given": [None, {"extension": [{"url": "urn:x", "valueString": "y"}]}]}


def entry(**members: Any) -> dict[str, Any]:
    return {"hook": "patient-view", "id": "one", "title": "x", "description": "x", **members}


def looked_at(
    service: dict[str, Any],
    *groups: str,
    needs: str | None = None,
    cards: tuple[Any, ...] = (),
    **options: Any,
) -> Report:
    """A run over a service that answers with these cards, or with 400 where a context field is missing."""

    def script(request: Request, _: Hostile) -> Reply:
        if request.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Origin": "https://ehr.example"}
            return Reply(200, b"", {**allowed, "Access-Control-Allow-Headers": "authorization, content-type"})
        if request.path.rstrip("/").endswith("/cds-services"):
            return Reply(200, json.dumps({"services": [service]}).encode(), JSON)
        status = 200 if needs is None or f'"{needs}": '.encode() in request.body else 400
        return Reply(status, json.dumps({"cards": cards}).encode(), JSON)

    with Hostile(script) as server:
        chosen = Options(base=server.origin, patients=ONE, slow=600, **options)
        return inspect_service(chosen, Client(seconds=20, secrets=(SECRET,)), groups=groups)


def results(report: Report) -> dict[str, str]:
    return {one.check.name: one.result for one in report.verdicts}


@pytest.mark.parametrize(
    ("hook", "version", "field", "token"),
    [
        ("order-dispatch", "1.0", "order", "{{context.order}}"),
        ("order-dispatch", "1.0", "task", "Patient/{{context.patientId}}"),
        ("order-dispatch", "1.1", "dispatchedOrders", "Patient/{{context.patientId}}"),
        ("medication-verify", "0.1.0", "medication", "Patient/{{context.patientId}}"),
    ],
)
def test_every_published_hook_gets_its_context(hook: str, version: str, field: str, token: str) -> None:
    service = entry(hook=hook, hookVersion=version, prefetch={"x": token})
    report = looked_at(service, "discovery", "templates", "calls", "readiness", needs=field)
    found = results(report)
    names = ("discovery.hook-name", "templates.token", "calls.answers", "readiness.hook-version")
    assert {found[name] for name in names} == {"pass"}
    assert found["templates.optional-field"] == "pass"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_field_of_another_version_need_not_be_missed(version: str) -> None:
    report = looked_at(entry(hook="order-dispatch", hookVersion=version), "errors")
    (found,) = (one for one in report.verdicts if one.check.name == "errors.context-field")
    own, other = ("order", "dispatchedOrders") if version == "1.0" else ("dispatchedOrders", "order")
    assert f"one: no context.{own}: status 200, not refused" in found.reasons
    assert not any(f"context.{other}:" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("resource", "result"),
    [({"name": [NAME]}, "pass"), ({"name": None}, "fail"), ({"name": [{"family": None}]}, "fail")],
)
def test_an_empty_place_of_a_primitive_list_is_no_null_member(resource: dict[str, Any], result: str) -> None:
    action = {"type": "create", "description": "x", "resource": {"resourceType": "Patient", **resource}}
    suggestion = {"label": "x", "actions": [action]}
    report = looked_at(entry(), "transport", cards=({**CARD, "suggestions": [suggestion]},))
    assert results(report)["transport.null"] == result


def test_a_null_in_a_list_elsewhere_is_one() -> None:
    report = looked_at(entry(), "transport", cards=({**CARD, "links": [None]},))
    assert results(report)["transport.null"] == "fail"


def test_a_preflight_need_not_name_get_and_post() -> None:
    report = looked_at(entry(), "cors", origin="https://ehr.example")
    assert results(report)["cors.preflight"] == "pass"


@pytest.mark.parametrize(
    ("stated", "result"), [(None, "fail"), ("2.0", "fail"), ("3.0.0", "warn"), ("3.0", "warn")]
)
def test_a_token_of_3_0_is_mild_where_3_0_is_stated(stated: str | None, result: str) -> None:
    template = "Observation?patient={{context.patientId}}&date=ge{{today() - 90 days}}"
    said = {} if stated is None else {"version": stated}
    report = looked_at(entry(prefetch={"x": template}, **said), "templates")
    assert results(report)["templates.token"] == result


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.0.9", "[fd00::1]", "vestige"])
def test_plain_http_to_a_private_address_is_mild_outside_production(host: str) -> None:
    def problem(*, production: bool) -> bool:
        chosen = Options(base=f"http://{host}:8000", patients=[], production=production)
        (found,) = transport.tls(Subject(chosen, Client()))
        return found.mild

    assert problem(production=False)
    assert not problem(production=True)


# Secrets: what a service repeats of a token, however it spells it.

SECRET = "Zk9/" + "q7Rt+" * 30 + "=="
ESCAPED = (
    SECRET,
    SECRET.replace("/", "\\/"),
    json.dumps(json.dumps(SECRET.replace("/", "\\/"))),
    "".join(f"\\u{ord(one):04x}" for one in SECRET),
    "Zk9%2F" + "q7Rt%2B" * 30 + "%3D%3D",
    SECRET[:40],
)


@pytest.mark.parametrize("text", ESCAPED)
def test_a_secret_is_hidden_however_it_is_spelled(text: str) -> None:
    found = shown.shown(f"a {text} b", secrets=(SECRET,))
    assert found.startswith("a ")
    assert shown.HIDDEN in found
    assert "q7Rt" not in found
    assert "\\u00" not in found


def test_text_beside_a_secret_stays() -> None:
    assert shown.hidden(f"x{SECRET}y{SECRET[:7]}z", (SECRET,)) == f"x{shown.HIDDEN}y{SECRET[:7]}z"
    assert shown.hidden("short one", ("one",)) == f"short {shown.HIDDEN}"


def test_a_repeated_token_is_in_no_report() -> None:
    repeated = {**CARD, "indicator": SECRET, "detail": [SECRET] * 9}
    service = entry(id=SECRET, extension=SECRET, prefetch={SECRET: SECRET})
    report = looked_at(
        service, "discovery", "templates", "calls", "transport", "cards", cards=(repeated,), bearer=SECRET
    )
    assert report.count("fail") > 2
    for content in (as_json(report), as_html(report), as_junit(report)):
        assert b"q7Rt" not in content
        assert b"Zk9" not in content.replace(b"Zk9\xe2\x80\xa6", b"")


def test_a_nested_body_does_not_grow_out_of_hand() -> None:
    """Indented, a body of 1.4 kB would be a page of megabytes."""
    deep: Any = []
    for _ in range(700):
        deep = [deep]
    report = looked_at(entry(), "calls", "cards", cards=({**CARD, "extension": {"a": deep}},))
    assert len(as_html(report)) < 4 * len(as_json(report))
