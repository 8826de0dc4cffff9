"""What a FHIR server may do to us, over real HTTP: every fault becomes a gap with its reason, never silence."""

from __future__ import annotations

import email.utils
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from plugin.chart import Chart, Gap, GapReason
from plugin.errors import FhirError
from plugin.pull import Sessions, pull
from plugin.pull.client import Client
from plugin.pull.server import THREADS
from plugin.pull.transport import Deadline, new_session
from tests.plugin.fhir import (
    OTHER,
    PATIENT,
    authorization,
    call,
    lesion,
    observation,
    outcome,
    patient,
    settings,
    study,
)
from tests.servers import hostile
from tests.servers.hostile import Hostile, Reply, Request, by_type, serving

Answer = Callable[[Request, Hostile], Reply]


def pulled(server: Hostile, prefetch: dict[str, Any] | None = None, **fhir: Any) -> Chart:
    chosen = settings(server.base, **fhir)
    asked = call(fhir_server=server.base, authorization=authorization(), prefetch=prefetch)
    return pull(asked, chosen)


def with_observations(answer: Answer) -> Callable[[], Any]:
    """A server that is sound but for its Observations."""
    return lambda: serving(
        by_type(
            Patient=lambda request, server: hostile.resource(patient()),
            ImagingStudy=lambda request, server: hostile.bundle(study()),
            BodyStructure=lambda request, server: hostile.bundle(lesion()),
            Observation=answer,
        )
    )


def gap_of(chart: Chart, query: str = "imaging") -> Gap:
    found = [gap for gap in chart.gaps if gap.query == query]
    assert len(found) == 1, chart.gaps
    return found[0]


def always(reply: Callable[[], Reply]) -> Answer:
    return lambda request, server: reply()


FAULTS: dict[str, tuple[Answer, GapReason]] = {
    "400": (always(lambda: hostile.status(400)), GapReason.UNSUPPORTED),
    "401": (always(lambda: hostile.status(401)), GapReason.NOT_AUTHORISED),
    "403": (always(lambda: hostile.status(403)), GapReason.FORBIDDEN),
    "404": (always(lambda: hostile.status(404)), GapReason.UNSUPPORTED),
    "410": (always(lambda: hostile.status(410)), GapReason.UNSUPPORTED),
    "429": (always(lambda: hostile.status(429)), GapReason.THROTTLED),
    "429 later": (always(lambda: hostile.status(429, **{"Retry-After": "60"})), GapReason.THROTTLED),
    "500": (always(lambda: hostile.status(500)), GapReason.SERVER_ERROR),
    "503": (always(lambda: hostile.status(503)), GapReason.SERVER_ERROR),
    "503 later": (always(lambda: hostile.status(503, **{"Retry-After": "60"})), GapReason.THROTTLED),
    "503 at no time": (
        always(lambda: hostile.status(503, **{"Retry-After": "\u00b2"})),
        GapReason.SERVER_ERROR,
    ),
    "503 beyond the calendar": (
        always(lambda: hostile.status(503, **{"Retry-After": "Mon, 01 Jan 99999999999 00:00:00 GMT"})),
        GapReason.SERVER_ERROR,
    ),
    "429 beyond the clock": (
        always(lambda: hostile.status(429, **{"Retry-After": "Mon, 01 Jan 2026 00:00:00 +999999999999999"})),
        GapReason.THROTTLED,
    ),
    "429 for ever": (always(lambda: hostile.status(429, **{"Retry-After": "9" * 5000})), GapReason.THROTTLED),
    "a length that is no number": (
        always(lambda: hostile.bytes_of(b"HTTP/1.1 500 X\r\nContent-Length: \xb2\r\n\r\n{}")),
        GapReason.SERVER_ERROR,
    ),
    "204": (always(lambda: hostile.status(204)), GapReason.UNREADABLE),
    "html": (always(hostile.html), GapReason.UNREADABLE),
    "html error": (always(lambda: hostile.html(500)), GapReason.SERVER_ERROR),
    "xml": (always(hostile.xml), GapReason.UNREADABLE),
    "empty body": (always(lambda: hostile.raw(b"")), GapReason.UNREADABLE),
    "blank body": (always(lambda: hostile.raw(b"  \n")), GapReason.UNREADABLE),
    "truncated JSON": (always(lambda: hostile.raw(b'{"resourceType": "Bundle", "ent')), GapReason.UNREADABLE),
    "NaN": (always(lambda: hostile.raw(b'{"resourceType": "Bundle", "total": NaN}')), GapReason.UNREADABLE),
    "not UTF-8": (always(lambda: hostile.raw(b'{"resourceType": "\xff\xfe"}')), GapReason.UNREADABLE),
    "deep nesting": (always(lambda: hostile.raw(b"[" * 100_000)), GapReason.UNREADABLE),
    "JSON list": (always(lambda: hostile.raw(b"[1, 2]")), GapReason.UNREADABLE),
    "no FHIR": (always(lambda: hostile.raw(b'{"cards": []}')), GapReason.UNREADABLE),
    "no Bundle": (always(lambda: hostile.resource(observation())), GapReason.UNREADABLE),
    "outcome with 200": (
        always(lambda: hostile.resource(outcome("error", "exception"))),
        GapReason.UNREADABLE,
    ),
    "outcome entry": (
        always(lambda: hostile.bundle(outcome("error", "forbidden"))),
        GapReason.FORBIDDEN,
    ),
    "body drips": (always(hostile.drip_body), GapReason.TIMEOUT),
    "headers drip": (always(hostile.drip_headers), GapReason.TIMEOUT),
    "silence": (always(hostile.silence), GapReason.TIMEOUT),
    "reset": (always(hostile.reset), GapReason.SERVER_ERROR),
    "cut short": (
        always(lambda: hostile.cut_short(hostile.searchset(observation()))),
        GapReason.SERVER_ERROR,
    ),
    "not gzip": (
        always(lambda: hostile.raw(b"plain", **{"Content-Encoding": "gzip"})),
        GapReason.UNREADABLE,
    ),
    "huge": (always(lambda: hostile.raw(b" " * 3_000_000)), GapReason.TRUNCATED),
    "gzip bomb": (
        always(lambda: hostile.compressed({"resourceType": "Bundle", "id": "x" * 3_000_000})),
        GapReason.TRUNCATED,
    ),
    "another patient's": (always(lambda: hostile.bundle(observation(of=OTHER))), GapReason.WRONG_PATIENT),
    "nobody's": (always(lambda: hostile.bundle(observation(subject=None))), GapReason.UNREADABLE),
    "other types": (always(lambda: hostile.bundle(study())), GapReason.UNREADABLE),
    "broken entries": (
        always(lambda: hostile.resource({"resourceType": "Bundle", "entry": [1, {}]})),
        GapReason.UNREADABLE,
    ),
    "link no list": (
        always(lambda: hostile.bundle(link={"relation": "next", "url": "?_getpages=1"})),
        GapReason.TRUNCATED,
    ),
    "links no objects": (always(lambda: hostile.bundle(link=[["next"]])), GapReason.TRUNCATED),
    "total as text": (always(lambda: hostile.bundle(total="5")), GapReason.TRUNCATED),
    "total no number": (always(lambda: hostile.bundle(total="five")), GapReason.UNREADABLE),
    "outcome without an issue": (
        always(lambda: hostile.bundle({"resourceType": "OperationOutcome"})),
        GapReason.SERVER_ERROR,
    ),
    "issue no list": (
        always(lambda: hostile.bundle({"resourceType": "OperationOutcome", "issue": {"severity": "error"}})),
        GapReason.SERVER_ERROR,
    ),
    "another Bundle": (
        always(lambda: hostile.resource({"resourceType": "Bundle", "type": "batch-response"})),
        GapReason.UNREADABLE,
    ),
    "a Bundle of no known type": (
        always(lambda: hostile.resource({"resourceType": "Bundle", "type": 7})),
        GapReason.UNREADABLE,
    ),
    "entry no list": (
        always(lambda: hostile.resource({"resourceType": "Bundle", "entry": {}})),
        GapReason.UNREADABLE,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_decisive_gap_with_its_reason(fault: str) -> None:
    answer, reason = FAULTS[fault]
    with with_observations(answer)() as server:
        # A fault that would only end with the time gets little of it: the other searches need some.
        short = {"budget": 4.0, "read_timeout": 1.5} if reason is GapReason.TIMEOUT else {}
        chart = pulled(server, max_bytes=1_000_000, **short)
    gap = gap_of(chart)
    assert (gap.reason, gap.decisive, gap.resource) == (reason, True, "Observation")
    assert not list(chart.of_type("Observation"))
    # What the other searches gave is there.
    assert [one["id"] for one in chart.of_type("BodyStructure")] == ["lesion-1"]
    assert "secret" not in repr(chart.gaps)


def test_a_server_that_is_not_there_leaves_a_gap_for_every_query() -> None:
    with serving(by_type()) as server:
        base = server.base
    chart = pull(call(fhir_server=base, authorization=authorization()), settings(base))
    assert chart.resources == ()
    assert {gap.reason for gap in chart.gaps} == {GapReason.SERVER_ERROR}
    assert {gap.resource for gap in chart.decisive_gaps} == {"Observation", "ImagingStudy", "BodyStructure"}


@pytest.mark.parametrize("drip", [hostile.drip_body, hostile.drip_headers, hostile.silence])
def test_a_server_that_drips_is_cut_off_at_the_deadline(drip: Callable[[], Reply]) -> None:
    with serving(lambda request, server: drip()) as server:
        # The read timeout alone would never end it: bytes keep coming.
        watch = Deadline(20.0)
        chart = pulled(server, budget=0.4, read_timeout=30.0)
        assert not watch.over
        # Nor is a thread left behind that waits for more.
        while waiting() and not watch.over:
            time.sleep(0.01)
        assert not waiting()
    assert {gap.reason for gap in chart.gaps} == {GapReason.TIMEOUT}


def waiting() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(THREADS)]


def test_a_token_is_not_used_beyond_its_life() -> None:
    with serving(lambda request, server: hostile.drip_body()) as server:
        watch = Deadline(40.0)
        asked = call(fhir_server=server.base, authorization=authorization(expires_in=1))
        chart = pull(asked, settings(server.base, budget=60.0, read_timeout=60.0))
        assert not watch.over
    assert {gap.reason for gap in chart.gaps} == {GapReason.TIMEOUT}


def test_one_answer_alone_ends_at_the_deadline_too() -> None:
    with serving(lambda request, server: hostile.drip_body()) as server:
        chosen = settings(server.base, read_timeout=5.0)
        session = new_session(chosen.fhir.servers[0], parallel=1)
        client = Client(session=session, base=server.base, limits=chosen.fhir, deadline=Deadline(0.3))
        with pytest.raises(FhirError, match="timeout: the answer did not end in time"):
            client.get("Observation?patient=x")
        session.close()


def test_the_redirect_is_not_followed() -> None:
    with serving(by_type()) as elsewhere:
        target = f"{elsewhere.base}/Observation?patient={PATIENT}"
        with with_observations(always(lambda: hostile.status(302, Location=target)))() as server:
            chart = pulled(server)
        assert gap_of(chart).reason is GapReason.SERVER_ERROR
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "link",
    [
        "{elsewhere}/fhir?page=2",
        "http://127.0.0.1:1@{there}/fhir?page=2",
        "//{there}/fhir?page=2",
        "https://{here}/fhir?page=2",
        "{origin}/other?page=2",
        "{origin}/fhir/../other?page=2",
        "{origin}/fhir/%2e%2e/other?page=2",
        "{origin}/fhirs?page=2",
        "{origin}/fhir?page=2#part",
        "http://169.254.169.254/fhir?page=2",
        "file:///etc/passwd",
        "ht tp://x",
        "",
    ],
)
def test_a_next_link_that_leaves_the_server_is_not_followed(link: str) -> None:
    with serving(by_type()) as elsewhere:

        def answer(request: Request, server: Hostile) -> Reply:
            there = elsewhere.origin.removeprefix("http://")
            here = server.origin.removeprefix("http://")
            url = link.format(elsewhere=elsewhere.origin, there=there, here=here, origin=server.origin)
            return hostile.bundle(observation(), next_url=url)

        with with_observations(answer)() as server:
            chart = pulled(server)
            assert gap_of(chart).reason is GapReason.TRUNCATED
            assert not [one for one in server.requests if one.query.get("page")]
        assert elsewhere.requests == []
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1"]


def paged(count: int, **last: Any) -> Answer:
    """Pages of one Observation each, linked by an opaque address at the base."""

    def answer(request: Request, server: Hostile) -> Reply:
        number = int(request.query.get("_page", ["1"])[0])
        url = f"{server.base}?_getpages=abc&_page={number + 1}" if number < count else None
        more = last if url is None else {}
        return hostile.bundle(observation(f"obs-{number}"), next_url=url, **more)

    return answer


def paging(answer: Answer) -> Any:
    return serving(
        lambda request, server: (
            by_type(Observation=answer)(request, server)
            if request.path != "/fhir"
            else answer(request, server)
        )
    )


def test_pages_are_followed_verbatim_with_the_token() -> None:
    with paging(paged(3)) as server:
        chart = pulled(server)
        assert {one.headers["authorization"] for one in server.requests} == {"Bearer secret-token"}
        assert [one.query for one in server.requests if one.path == "/fhir"].count(
            {"_getpages": ["abc"], "_page": ["2"]}
        )
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1", "obs-2", "obs-3"]
    assert [gap for gap in chart.gaps if gap.query == "imaging"] == []


def test_more_pages_than_are_read_is_truncated() -> None:
    with paging(paged(9)) as server:
        chart = pulled(server, max_pages=2)
    assert gap_of(chart).reason is GapReason.TRUNCATED
    assert gap_of(chart).decisive


def test_more_entries_than_are_read_is_truncated() -> None:
    with paging(paged(9)) as server:
        chart = pulled(server, max_entries=2)
    assert gap_of(chart).reason is GapReason.TRUNCATED


def test_a_total_larger_than_what_came_is_truncated() -> None:
    with paging(paged(2, total=3)) as server:
        chart = pulled(server)
    assert gap_of(chart).reason is GapReason.TRUNCATED


def test_an_estimate_that_is_right_on_the_last_page_is_complete() -> None:
    with paging(paged(2, total=2)) as server:
        assert not [gap for gap in pulled(server).gaps if gap.query == "imaging"]


def test_a_loop_of_pages_ends_and_is_truncated() -> None:
    def answer(request: Request, server: Hostile) -> Reply:
        return hostile.bundle(observation(), next_url=f"{server.base}/Observation?page=again")

    with with_observations(answer)() as server:
        chart = pulled(server)
        assert len(server.asked("Observation")) <= 2 * 4
    assert gap_of(chart).reason is GapReason.TRUNCATED
    assert "loop" in gap_of(chart).detail


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
def test_a_further_page_that_fails_is_truncated(status: int) -> None:
    def answer(request: Request, server: Hostile) -> Reply:
        if "page" in request.query:
            return hostile.status(status)
        return hostile.bundle(observation(), next_url=f"{server.base}/Observation?page=2")

    with with_observations(answer)() as server:
        chart = pulled(server)
    assert gap_of(chart).reason is GapReason.TRUNCATED
    assert str(status) in gap_of(chart).detail
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1"]


def test_a_search_whose_further_page_expired_is_begun_once_more() -> None:
    seen: list[str] = []

    def answer(request: Request, server: Hostile) -> Reply:
        if request.query.get("category") != ["imaging"] and "page" not in request.query:
            return hostile.empty()
        if "page" in request.query:
            seen.append("page")
            return hostile.status(410) if len(seen) == 1 else hostile.bundle(observation("obs-2"))
        return hostile.bundle(observation(), next_url="Observation?page=2")

    with with_observations(answer)() as server:
        chart = pulled(server)
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1", "obs-2"]
    assert chart.decisive_gaps == ()


@pytest.mark.parametrize("fault", [lambda: hostile.status(500), lambda: hostile.status(503), hostile.reset])
def test_a_passing_fault_is_asked_once_more(fault: Callable[[], Reply]) -> None:
    counts: dict[str, int] = {}

    def answer(request: Request, server: Hostile) -> Reply:
        key = json.dumps(request.query, sort_keys=True)
        counts[key] = counts.get(key, 0) + 1
        return fault() if counts[key] == 1 else hostile.bundle(observation())

    with with_observations(answer)() as server:
        chart = pulled(server)
    assert chart.decisive_gaps == ()
    assert set(counts.values()) == {2}


@pytest.mark.parametrize("dated", [False, True])
def test_a_throttled_search_waits_as_told_within_the_time(dated: bool) -> None:
    asked: list[float] = []

    def answer(request: Request, server: Hostile) -> Reply:
        if request.query.get("category") != ["imaging"]:
            return hostile.empty()
        asked.append(time.time())
        later = email.utils.formatdate(time.time() + 1, usegmt=True) if dated else "0"
        return (
            hostile.status(429, **{"Retry-After": later})
            if len(asked) == 1
            else hostile.bundle(observation())
        )

    with with_observations(answer)() as server:
        chart = pulled(server, budget=4.0)
    assert len(asked) == 2
    assert chart.decisive_gaps == ()


def test_the_token_is_in_no_text_and_goes_to_no_other_search_parameter() -> None:
    with with_observations(always(lambda: hostile.status(401)))() as server:
        asked = call(fhir_server=server.base, authorization=authorization())
        chart = pull(asked, settings(server.base))
        assert all("secret" not in one.path and "secret" not in str(one.query) for one in server.requests)
    assert "secret-token" not in repr(asked)
    assert PATIENT not in repr(asked)
    assert "secret-token" not in repr(chart)


@pytest.mark.parametrize("fault", ["reset", "401", "500", "truncated JSON", "headers no headers"])
def test_no_log_names_the_patient_or_the_token(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    odd = Reply(act=lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n{}") and None)
    answer = always(lambda: odd) if fault == "headers no headers" else FAULTS[fault][0]
    with caplog.at_level(logging.DEBUG), with_observations(answer)() as server:
        pulled(server)
        assert server.requests
    assert PATIENT not in caplog.text
    assert "secret" not in caplog.text


def test_every_request_asks_for_fhir_json_strictly_and_freshly() -> None:
    with with_observations(always(hostile.empty))() as server:
        pulled(server)
        for one in server.requests:
            assert one.headers["accept"] == "application/fhir+json"
            assert one.headers["prefer"] == "handling=strict"
            assert one.headers["cache-control"] == "no-cache"
            assert "cookie" not in one.headers


def test_a_cookie_of_one_call_never_reaches_the_next() -> None:
    with with_observations(
        always(lambda: hostile.resource(hostile.searchset(), **{"Set-Cookie": "who=first"}))
    )() as server:
        chosen = settings(server.base)
        sessions = Sessions(chosen)
        for _ in range(2):
            pull(call(fhir_server=server.base, authorization=authorization()), chosen, sessions)
        sessions.close()
        assert all("cookie" not in one.headers for one in server.requests)


def test_a_session_used_directly_is_as_careful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    cookie = {"Set-Cookie": "who=first"}
    with serving(lambda request, server: hostile.status(302, Location=server.base, **cookie)) as server:
        session = new_session(settings(server.base).fhir.servers[0], parallel=1)
        for _ in range(2):
            with pytest.raises(requests.TooManyRedirects):
                session.get(server.base, timeout=60)
        session.close()
        assert len(server.requests) == 2
        assert all("cookie" not in one.headers for one in server.requests)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with with_observations(always(lambda: hostile.bundle(observation())))() as server:
        assert pulled(server).decisive_gaps == ()


@pytest.mark.parametrize("how", ["gzip", "bom", "no content type"])
def test_unusual_but_sound_answers_are_read(how: str) -> None:
    value = hostile.searchset(observation())
    body = json.dumps(value).encode()
    replies = {
        "gzip": lambda: hostile.compressed(value),
        "bom": lambda: hostile.raw(b"\xef\xbb\xbf" + body),
        "no content type": lambda: Reply(200, body, {}),
    }
    with with_observations(always(replies[how]))() as server:
        chart = pulled(server)
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1"]
    assert chart.decisive_gaps == ()


def test_another_patients_resources_are_left_out_and_change_nothing_else() -> None:
    with with_observations(
        always(lambda: hostile.bundle(observation(), observation("obs-2", OTHER)))
    )() as server:
        chart = pulled(server)
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1"]
    gap = gap_of(chart)
    assert (gap.reason, gap.decisive) == (GapReason.WRONG_PATIENT, False)
    assert OTHER not in repr(chart)


def test_a_search_whose_self_link_lacks_the_patient_is_unsupported() -> None:
    def answer(request: Request, server: Hostile) -> Reply:
        link = [{"relation": "self", "url": f"{server.base}/BodyStructure?_count=50"}]
        return hostile.bundle(lesion(), lesion("lesion-2", OTHER), link=link)

    with serving(by_type(BodyStructure=answer)) as server:
        chart = pulled(server)
    assert list(chart.of_type("BodyStructure")) == []
    assert "lesions" not in {one.query for one in chart.reads}


@pytest.mark.parametrize("found", [[], [observation()]])
def test_a_search_whose_self_link_shows_less_is_truncated(found: list[dict[str, Any]]) -> None:
    def answer(request: Request, server: Hostile) -> Reply:
        asked = urlencode(request.query, doseq=True)
        link = [{"relation": "self", "url": f"{server.base}/Observation?{asked}&date=le2026-10-31"}]
        return hostile.bundle(*found, link=link)

    with with_observations(answer)() as server:
        chart = pulled(server)
    gap = gap_of(chart)
    assert (gap.reason, gap.decisive) == (GapReason.TRUNCATED, True)
    # What did come is used: a lesion that is seen is seen.
    assert len(list(chart.of_type("Observation"))) == len(found)


def test_lesions_are_read_by_reference_where_their_search_is_refused() -> None:
    def bodies(request: Request, server: Hostile) -> Reply:
        return hostile.resource(lesion()) if request.path.endswith("/lesion-1") else hostile.status(400)

    focused = observation(focus=[{"reference": "BodyStructure/lesion-1/_history/3"}])
    answers = {"BodyStructure": bodies, "Observation": always(lambda: hostile.bundle(focused))}
    with serving(by_type(**answers)) as server:
        chart = pulled(server)
    assert [one["id"] for one in chart.of_type("BodyStructure")] == ["lesion-1"]
    assert not [gap for gap in chart.gaps if gap.query == "lesions"]
    assert [(one.source, one.count) for one in chart.reads if one.query == "lesions"] == [("references", 1)]


def test_lesions_that_stay_unread_decide() -> None:
    focused = observation(focus=[{"reference": "BodyStructure/lesion-1"}])
    answers = {
        "BodyStructure": always(lambda: hostile.status(404)),
        "Observation": always(lambda: hostile.bundle(focused)),
    }
    with serving(by_type(**answers)) as server:
        chart = pulled(server)
    gap = gap_of(chart, "lesions")
    assert (gap.reason, gap.decisive) == (GapReason.UNSUPPORTED, True)


def test_a_referred_lesion_of_another_patient_is_not_used() -> None:
    def bodies(request: Request, server: Hostile) -> Reply:
        return (
            hostile.resource(lesion(of=OTHER)) if request.path.endswith("/lesion-1") else hostile.status(400)
        )

    focused = observation(focus=[{"reference": "BodyStructure/lesion-1"}])
    with serving(
        by_type(BodyStructure=bodies, Observation=always(lambda: hostile.bundle(focused)))
    ) as server:
        chart = pulled(server)
    assert list(chart.of_type("BodyStructure")) == []
    assert any(gap.decisive for gap in chart.gaps if gap.query == "lesions")


@pytest.mark.parametrize("told", [True, False])
def test_studies_are_taken_from_observations_where_the_server_has_none(told: bool) -> None:
    more: dict[str, Any] = {"method": {"text": "MRI"}} if told else {}
    part = observation(partOf=[{"reference": "ImagingStudy/study-1"}], **more)
    answers = {
        "ImagingStudy": always(lambda: hostile.status(404)),
        "Observation": always(lambda: hostile.bundle(part)),
    }
    with serving(by_type(**answers)) as server:
        chart = pulled(server)
    gap = gap_of(chart, "studies")
    assert (gap.reason, gap.decisive) == (GapReason.UNSUPPORTED, not told)


def test_selections_of_images_are_read_by_reference() -> None:
    named = observation(derivedFrom=[{"reference": "ImagingSelection/sel-1"}])
    selection = {
        "resourceType": "ImagingSelection",
        "id": "sel-1",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "derivedFrom": [{"reference": "ImagingStudy/study-1"}],
    }
    answers = {
        "Observation": always(lambda: hostile.bundle(named)),
        "ImagingSelection": always(lambda: hostile.resource(selection)),
    }
    with serving(by_type(**answers)) as server:
        chart = pulled(server)
    assert [one["id"] for one in chart.of_type("ImagingSelection")] == ["sel-1"]
    assert not [gap for gap in chart.gaps if gap.resource == "ImagingSelection"]


def test_drugs_are_read_by_reference() -> None:
    given = {
        "resourceType": "MedicationAdministration",
        "id": "dose-1",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "medicationReference": {"reference": "Medication/drug-1"},
    }
    answers = {
        "MedicationAdministration": always(lambda: hostile.bundle(given)),
        "Medication": always(lambda: hostile.resource({"resourceType": "Medication", "id": "drug-1"})),
    }
    with serving(by_type(**answers)) as server:
        chart = pulled(server)
    assert [one["id"] for one in chart.of_type("Medication")] == ["drug-1"]
    assert chart.gaps == (gap_of(chart, "patient"),)


def test_another_way_is_tried_where_a_search_is_refused() -> None:
    def reports(request: Request, server: Hostile) -> Reply:
        if "category" in request.query:
            return hostile.status(400)
        return hostile.bundle(
            {"resourceType": "DiagnosticReport", "id": "r-1", "subject": {"reference": f"Patient/{PATIENT}"}}
        )

    with serving(by_type(DiagnosticReport=reports)) as server:
        chart = pulled(server)
    assert [one["id"] for one in chart.of_type("DiagnosticReport")] == ["r-1"]
    assert not [gap for gap in chart.gaps if gap.query == "reports"]


def test_only_missing_keys_are_asked() -> None:
    prefetch: dict[str, Any] = {"imaging": None, "findings": None, "lesions": hostile.searchset(lesion())}
    with serving(by_type(ImagingStudy=always(lambda: hostile.bundle(study())))) as server:
        chart = pulled(server, prefetch)
        assert server.asked("BodyStructure") == []
        assert not [one for one in server.asked("Observation") if one.query.get("category") == ["imaging"]]
        assert len(server.asked("ImagingStudy")) == 1
    assert chart.decisive_gaps == ()


def test_prefetched_pages_are_followed() -> None:
    with paging(paged(3)) as server:
        first = hostile.searchset(observation("obs-1"), next_url=f"{server.base}?_getpages=abc&_page=2")
        chart = pulled(server, {"imaging": first, "findings": None, "studies": None, "lesions": None})
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1", "obs-2", "obs-3"]
    assert chart.decisive_gaps == ()


def test_a_client_that_failed_is_not_asked_around() -> None:
    prefetch = {"imaging": outcome("error", "exception")}
    with with_observations(always(lambda: hostile.bundle(observation())))() as server:
        chart = pulled(server, prefetch)
        assert not [one for one in server.asked("Observation") if one.query.get("category") == ["imaging"]]
    assert gap_of(chart).decisive


def test_prefetch_and_pull_give_the_same_resources() -> None:
    resources = {
        "imaging": [observation(), observation("obs-2")],
        "lesions": [lesion()],
        "studies": [study()],
    }
    prefetch: dict[str, Any] = {key: hostile.searchset(*found) for key, found in resources.items()}

    def observations(request: Request, server: Hostile) -> Reply:
        return (
            hostile.bundle(*resources["imaging"])
            if request.query.get("category") == ["imaging"]
            else hostile.empty()
        )

    with with_observations(observations)() as server:
        fetched = pulled(server)
    before = pull(call(prefetch={**prefetch, "patient": patient()}), settings())
    assert before.resources == fetched.resources
