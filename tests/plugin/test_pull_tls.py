"""TLS: certificates are always verified; a hospital's own authority and client certificates work."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from plugin.chart import Chart, GapReason
from plugin.pull import pull
from plugin.settings import Fhir, FhirServer, Settings
from tests.plugin.fhir import authorization, call, observation
from tests.servers import hostile
from tests.servers.certificates import Authority
from tests.servers.hostile import Hostile, by_type, serving


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server_side(authority: Authority, *, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.issue("server")
    context.load_cert_chain(pair.certificate, pair.key)
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.bundle)
    return context


def pulled(server: Hostile, budget: float = 5.0, **of_server: Path) -> Chart:
    listed = FhirServer(base=server.base, **of_server)
    chosen = Settings(fhir=Fhir(servers=(listed,), budget=budget, parallel=4))
    return pull(call(fhir_server=server.base, authorization=authorization()), chosen)


SOUND = by_type(Observation=lambda request, server: hostile.bundle(observation()))


def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    with serving(SOUND, server_side(authority)) as server:
        chart = pulled(server)
        assert server.requests == []
    assert {(gap.reason, gap.detail) for gap in chart.gaps} == {
        (GapReason.SERVER_ERROR, "TLS could not be established")
    }


def test_the_authority_of_the_hospital_is_accepted_where_it_is_configured(authority: Authority) -> None:
    with serving(SOUND, server_side(authority)) as server:
        chart = pulled(server, ca_bundle=authority.bundle)
    assert [one["id"] for one in chart.of_type("Observation")] == ["obs-1"]
    assert chart.decisive_gaps == ()


def test_a_client_certificate_is_shown_where_it_is_configured(authority: Authority) -> None:
    pair = authority.issue("client")
    with serving(SOUND, server_side(authority, wants_client=True)) as server:
        with_it = pulled(
            server, ca_bundle=authority.bundle, client_cert=pair.certificate, client_key=pair.key
        )
        without = pulled(server, ca_bundle=authority.bundle)
    assert with_it.decisive_gaps == ()
    assert without.resources == ()
    assert without.decisive_gaps


@pytest.mark.parametrize("drip", [hostile.drip_body, hostile.drip_headers])
def test_a_server_that_drips_over_tls_is_cut_off(authority: Authority, drip: object) -> None:
    assert callable(drip)
    with serving(lambda request, server: drip(), server_side(authority)) as server:
        chart = pulled(server, budget=0.6, ca_bundle=authority.bundle)
    assert {gap.reason for gap in chart.gaps} == {GapReason.TIMEOUT}
