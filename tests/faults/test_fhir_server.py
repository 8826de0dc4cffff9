"""Faults of a FHIR server that no other test has: a certificate out of its time, a length that is too short."""

from __future__ import annotations

import json
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from plugin.chart import Chart, GapReason
from plugin.pull import pull
from plugin.settings import Fhir, FhirServer, Settings
from tests.plugin.fhir import authorization, call, observation
from tests.servers import hostile
from tests.servers.certificates import HOUR, Authority
from tests.servers.hostile import FHIR_JSON, Handler, Hostile, Reply, by_type, serving


def pulled(server: Hostile, **of_server: Path) -> Chart:
    listed = FhirServer(base=server.base, **of_server)
    # One connection: what is left over of an answer would be read as the next one.
    chosen = Settings(fhir=Fhir(servers=(listed,), budget=60.0, read_timeout=60.0, parallel=1))
    return pull(call(fhir_server=server.base, authorization=authorization()), chosen)


@pytest.mark.parametrize("life", [(-2 * HOUR, -HOUR), (HOUR, 2 * HOUR)], ids=["over", "yet to come"])
def test_a_certificate_out_of_its_time_is_refused(life: tuple[timedelta, timedelta], tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", life)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    sound = by_type(Observation=lambda *_: hostile.bundle(observation()))
    with serving(sound, context) as server:
        chart = pulled(server, ca_bundle=authority.bundle)
        assert server.requests == [], "nothing of a patient was asked of it"
    assert {(gap.reason, gap.detail) for gap in chart.gaps} == {
        (GapReason.SERVER_ERROR, "TLS could not be established")
    }
    assert chart.decisive_gaps


def too_short(said: object, left_over: bytes) -> Reply:
    """Promises less than it sends, over a connection that stays open: the rest looks like another answer."""

    def act(handler: Handler) -> None:
        body = json.dumps(said).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR_JSON)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body + left_over)
        handler.close_connection = False

    return Reply(act=act)


def test_what_comes_beyond_the_length_is_never_taken_for_the_next_answer() -> None:
    planted = json.dumps(hostile.searchset(observation("planted"))).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {FHIR_JSON}\r\nContent-Length: {len(planted)}\r\n\r\n".encode()
    script = by_type(lambda: too_short(hostile.searchset(total=0), head + planted))
    with serving(script) as server:
        chart = pulled(server)
        assert len(server.requests) > 3
    assert "planted" not in repr(chart.resources)


def test_an_answer_cut_off_by_its_own_length_is_no_answer() -> None:
    body = json.dumps(hostile.searchset(observation())).encode()

    def half(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR_JSON)
        handler.send_header("Content-Length", str(len(body) // 2))
        handler.end_headers()
        handler.wfile.write(body)

    with serving(by_type(Observation=lambda *_: Reply(act=half))) as server:
        chart = pulled(server)
    assert not list(chart.of_type("Observation"))
    reasons = {gap.reason for gap in chart.decisive_gaps if gap.resource == "Observation"}
    assert reasons == {GapReason.UNREADABLE}
