"""A service that means harm, or is broken: every time a verdict in bounded time, never a hang or a traceback."""

import json
import time
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks.conformance import exchange
from cds_hooks.conformance.checks import CHECKS
from cds_hooks.conformance.exchange import Client, NotJson, parse, walk
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.patients import patients
from cds_hooks.conformance.report.html import as_html
from cds_hooks.conformance.report.junit import as_junit
from cds_hooks.conformance.report.table import as_json, conclusion
from cds_hooks.conformance.run import Report, inspect_service
from tests.servers.hostile import Handler, Hostile, Reply, Request

ONE = patients(("nothing-to-say",))


def never_ends(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
    while not handler.server.hostile.closing.wait(0.05):  # type: ignore[attr-defined]
        handler.wfile.write(b" ")
        handler.wfile.flush()


def drips_its_head(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.hostile.closing.wait(0.05):  # type: ignore[attr-defined]
        handler.wfile.write(b"X-Drip: x\r\n")
        handler.wfile.flush()


def breaks_off(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


def says_nothing(handler: Handler) -> None:
    handler.server.hostile.closing.wait(60)  # type: ignore[attr-defined]


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff" * 50)


def many_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 500 + b"\r\n{}")


def reply(body: bytes, **headers: str) -> Reply:
    return Reply(200, body, {"Content-Type": "application/json", **headers})


def entry(**members: object) -> dict[str, object]:
    return {"hook": "patient-view", "id": "x", "description": "x", "title": "x", **members}


def document(*services: object) -> bytes:
    return json.dumps({"services": services}).encode()


HOSTILE = {
    "never ends": Reply(act=never_ends),
    "drips its head": Reply(act=drips_its_head),
    "breaks off": Reply(act=breaks_off),
    "says nothing": Reply(act=says_nothing),
    "no http": Reply(act=no_http),
    "many headers": Reply(act=many_headers),
    "huge": reply(b"[" + b" " * (exchange.MAX_BODY + 10) + b"]"),
    "redirects to itself": Reply(302, b"", {"Location": "/cds-services"}),
    "no json": reply(b"<html><script>alert(1)</script></html>"),
    "bottomless": reply(b"[" * 100_000 + b"]" * 100_000),
    "deep services": reply(b'{"services":' + b'[{"a":' * 300 + b"1" + b"}]" * 300 + b"}"),
    "lone surrogate": reply(
        b'{"services": [{"id": "\\ud800", "hook": "\\udfff", "description": "\\u0000"}]}'
    ),
    "numbers without end": reply(b'{"services": [{"id": ' + b"9" * 50_000 + b"}]}"),
    "id of dots": reply(document(entry(id="../../admin"), entry(id=".."), entry(id="a b?c#d"))),
    "thousands of services": reply(document(*(entry(id=f"s{at}") for at in range(5000)))),
    "thousands of keys": reply(document(entry(prefetch={f"k{at}": "Patient/{{x}}" for at in range(5000)}))),
    "odd templates": reply(
        document(entry(prefetch={"a": "{" * 9999, "b": "?&&==", "c": "Patient?" + "x&" * 999}))
    ),
    "gzip that is none": reply(b"{}", **{"Content-Encoding": "gzip"}),
    "status 204": Reply(204),
}


GOOD = reply(document(entry(prefetch={"patient": "Patient/{{context.patientId}}"})))


def inspected(discovery: Reply, call: Reply, seconds: float) -> tuple[Report, Client]:
    def script(request: Request, _: Hostile) -> Reply:
        return discovery if request.path.rstrip("/").endswith("/cds-services") else call

    with Hostile(script) as server:
        client = Client(seconds=seconds)
        return inspect_service(Options(base=server.origin, patients=ONE, slow=600), client), client


def is_whole(report: Report) -> None:
    """Every check has a verdict with a reason, and every form of the report can be written."""
    assert {verdict.check.name for verdict in report.verdicts} == set(CHECKS)
    for verdict in report.verdicts:
        assert verdict.result == "pass" or (verdict.reasons and all(verdict.reasons))
    json.loads(as_json(report))
    ElementTree.fromstring(as_junit(report))
    assert as_html(report).decode().endswith("</html>\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_discovery_is_a_verdict(name: str) -> None:
    silent = HOSTILE[name].act is not None
    report, client = inspected(HOSTILE[name], reply(b'{"cards": []}'), 0.4 if silent else 20.0)
    is_whole(report)
    assert all(answer.seconds < 15 for answer in client.answers) or not silent


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_to_calls_are_verdicts(name: str) -> None:
    silent = HOSTILE[name].act is not None
    report, _ = inspected(GOOD, HOSTILE[name], 0.4 if silent else 20.0)
    is_whole(report)
    results = {verdict.check.name: verdict.result for verdict in report.verdicts}
    worst = (results["calls.answers"], results["calls.cards"], results["transport.json"])
    assert ("warn" if name == "huge" else "fail") in worst
    assert not report.conformant


def test_what_is_too_large_is_a_limit_of_the_tool() -> None:
    """No SHALL is broken by an answer that was not read, and none is said to hold."""
    for discovery, call in ((HOSTILE["huge"], reply(b"{}")), (GOOD, HOSTILE["huge"])):
        report, client = inspected(discovery, call, 20.0)
        assert report.count("fail") == 0
        assert not client.given_up
        assert report.unfinished is not None
        assert "too large" in report.unfinished
        assert not report.conformant
        assert any("larger than" in limit for limit in report.limits)


def dies_after(number: int) -> Reply:
    """Answers so many calls, and then no request at all."""
    left = [number]

    def act(handler: Handler) -> None:
        left[0] -= 1
        if left[0] >= 0:
            body = b'{"cards": []}'
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            handler.wfile.write(head.encode() + body)

    return Reply(act=act)


def test_a_service_that_dies_during_the_run_is_no_success() -> None:
    report, client = inspected(GOOD, dies_after(5), 20.0)
    assert client.given_up
    assert not report.conformant
    assert report.unfinished is not None
    left = sum("stopped answering" in " ".join(one.reasons) for one in report.verdicts)
    assert f"{left} checks were not made" in report.unfinished
    assert json.loads(as_json(report))["unfinished"] == report.unfinished
    assert report.unfinished in as_html(report).decode()
    error = ElementTree.fromstring(as_junit(report)).find(".//testcase/error")
    assert error is not None
    assert error.get("message") == report.unfinished
    assert conclusion(report).plain.endswith(report.unfinished)


def listing(*services: object) -> tuple[Report, list[str]]:
    """A run over services of which each answers, with the addresses that were called."""
    called: list[str] = []

    def script(request: Request, _: Hostile) -> Reply:
        if request.path.rstrip("/").endswith("/cds-services"):
            return reply(document(*services))
        called.append(request.path)
        return reply(b'{"cards": []}')

    with Hostile(script) as server:
        options = Options(base=server.origin, patients=patients(), slow=600)
        groups = ("discovery", "calls")
        return inspect_service(options, Client(seconds=20), groups=groups), called


def test_every_service_is_called_and_what_is_left_out_is_said() -> None:
    report, called = listing(*(entry(id=f"s{at}") for at in range(9)))
    assert {f"/cds-services/s{at}" for at in range(9)} <= set(called)
    assert any("pairs of a service and a patient" in limit for limit in report.limits)
    for content in (as_json(report), as_html(report), as_junit(report)):
        assert b"pairs of a service and a patient" in content


def test_entries_beyond_those_that_are_called_are_looked_at() -> None:
    keys = {**{f"k{at}": "Patient/{{context.patientId}}" for at in range(101)}, "last": 5}
    many = [entry(id=f"s{at}") for at in range(20)]
    report, called = listing(entry(prefetch=keys), *many, {"id": "late"})
    reasons = {one.check.name: " ".join(one.reasons) for one in report.verdicts if one.result != "pass"}
    assert "services[21] has no hook" in reasons["discovery.hook"]
    assert "prefetch.last" in reasons["discovery.prefetch"]
    assert len({path for path in called if path.startswith("/cds-services/s")}) == 19
    assert any("20 of 21 services" in limit for limit in report.limits)
    assert any("100 templates" in limit for limit in report.limits)


def test_two_services_that_answer_for_each_other_are_compared_patient_by_patient() -> None:
    """Not every service is called for every patient: only patients of both are compared."""

    def script(request: Request, _: Hostile) -> Reply:
        if request.path.rstrip("/").endswith("/cds-services"):
            return reply(document(*(entry(id=f"s{at}") for at in range(7))))
        said = {"summary": json.loads(request.body)["context"]["patientId"] if request.body else ""}
        own = request.path if request.path < "/cds-services/s5" else "one answers for two"
        return reply(json.dumps({"cards": [{**said, "detail": own}]}).encode())

    with Hostile(script) as server:
        options = Options(base=server.origin, patients=patients(), slow=600)
        report = inspect_service(options, Client(seconds=20), groups=("calls",))
    (found,) = (one for one in report.verdicts if one.check.name == "calls.own-answer")
    assert found.reasons == ("s5 and s6 show the same cards for every patient: one may answer for both",)


def test_after_three_silent_requests_nothing_more_is_sent() -> None:
    report, client = inspected(GOOD, Reply(act=says_nothing), 0.3)
    assert client.given_up
    assert sum(answer.error is not None and "not sent" not in answer.error for answer in client.answers) == 3
    skipped = [one for one in report.verdicts if "stopped answering" in " ".join(one.reasons)]
    assert len(skipped) > 50
    assert {one.result for one in skipped} == {"skip"}


def test_a_redirect_is_not_followed() -> None:
    elsewhere = Reply(302, b"", {"Location": "/elsewhere"})
    with Hostile(lambda request, _: elsewhere) as server:
        answer = Client().send("GET", f"{server.origin}/cds-services")
        assert answer.status == 302
        assert [request.path for request in server.requests] == ["/cds-services"]


def test_what_is_sent_is_bounded_in_time() -> None:
    started = time.monotonic()
    with Hostile(lambda request, _: Reply(act=drips_its_head)) as server:
        answer = Client(seconds=0.5).send("GET", server.origin)
    assert answer.error == "no complete answer within 0.5 seconds"
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1,]",
        b"NaN",
        b'{"a":1,"a":2}',
        b"\xff",
        b"[" * 200 + b"]" * 200,
        b"[" * 10**5,
        b"9" * 10**4,
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        parse(body)


def test_walk_names_every_value_once() -> None:
    found = {path: held for path, held, _ in walk({"a": [1, {"b": None}], "c": "x"})}
    assert found == {"a": [1, {"b": None}], "a[0]": 1, "a[1]": {"b": None}, "a[1].b": None, "c": "x"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
ODD = JSON | st.sampled_from(["patient-view", "x", "", "info", "create", "any", "{{context.patientId}}"])
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("hook", "id", "description", "title", "usageRequirements", "version"), ODD),
        **dict.fromkeys(("hookVersion", "extension"), ODD),
        "prefetch": JSON | st.dictionaries(st.text(max_size=5), ODD, max_size=3),
    },
)
ACTION = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("type", "description", "resource", "resourceId"), ODD)
)
SUGGESTION = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("label", "uuid", "isRecommended", "actionSelectionBehavior"), ODD),
        "actions": JSON | st.lists(ACTION | JSON, max_size=2),
    },
)
LINK = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("label", "url", "type", "appContext", "autolaunchable"), ODD)
)
CARD = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("uuid", "summary", "detail", "indicator", "selectionBehavior", "extension"), ODD),
        "source": JSON
        | st.fixed_dictionaries({}, optional=dict.fromkeys(("label", "url", "icon", "topic"), ODD)),
        "suggestions": JSON | st.lists(SUGGESTION | JSON, max_size=2),
        "links": JSON | st.lists(LINK | JSON, max_size=2),
        "overrideReasons": JSON
        | st.lists(
            st.fixed_dictionaries({}, optional=dict.fromkeys(("code", "system", "display"), ODD)), max_size=2
        ),
    },
)
ANSWER = st.fixed_dictionaries(
    {}, optional={"cards": JSON | st.lists(CARD | JSON, max_size=2), "systemActions": JSON | st.lists(ACTION)}
)


class Canned(Client):
    """Answers without a network: any discovery, any answer."""

    def __init__(self, services: object, said: object) -> None:
        super().__init__()
        self.discovery = json.dumps({"services": services}).encode()
        self.said = json.dumps(said).encode()

    def _bounded(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        content = self.discovery if method == "GET" else self.said
        return {"status": 200, "headers": {"content-type": "application/json"}, "body": content}


@settings(max_examples=60)
@given(services=JSON | st.lists(ENTRY | JSON, max_size=2), said=JSON | ANSWER)
def test_any_document_gets_its_verdicts(services: object, said: object) -> None:
    listed = [*services, entry()] if isinstance(services, list) else services
    is_whole(inspect_service(Options(base="http://127.0.0.1:1", patients=ONE), Canned(listed, said)))
