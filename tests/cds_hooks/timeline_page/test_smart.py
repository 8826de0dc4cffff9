"""SMART App Launch against an authorisation server written by others, and what an attacker tries."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from cds_hooks.app import create_app
from cds_hooks.timeline_page.scopes import read_scopes, write_scopes
from fhir_profiles import samples
from tests.cds_hooks.serving import served
from tests.cds_hooks.timeline_page.site import SECONDS, Visitor, page_settings
from tests.servers.sekmet import free_port
from tests.servers.smart_server import SmartServer, running

SAMPLE = samples.sample("report-silent")
PATIENT = SAMPLE.hook["context"]["patientId"]
PUBLIC = {"client_id": "page", "token_endpoint_auth_method": "none"}
SCOPES = sorted(
    {
        *read_scopes(v1=False, launched=True),
        *read_scopes(v1=False, launched=False),
        *write_scopes(v1=False),
    }
    - {"openid"}
)


@dataclass(frozen=True)
class Site:
    """The service, and the authorisation server that it is registered with."""

    service: str
    server: SmartServer

    def launch(self, name: str, visitor: Visitor | None = None) -> requests.Response:
        visitor = visitor or Visitor(self.service)
        return visitor.http.get(self.address(name), timeout=SECONDS)

    def address(self, name: str | None) -> str:
        named = {} if name is None else {"launch": name}
        return f"{self.service}/timeline/launch?{urlencode({'iss': self.server.base, **named})}"

    def opened(self, name: str = "chart") -> Visitor:
        visitor = Visitor(self.service)
        answer = self.launch(name, visitor)
        assert answer.url == f"{self.service}/timeline/", (answer.url, answer.text)
        visitor.take_up()
        return visitor

    def stopped(self, name: str, visitor: Visitor) -> str:
        """The address with which the authorisation server sends the browser back; it is not followed."""
        answer = visitor.http.get(self.address(name), timeout=SECONDS, allow_redirects=False)
        for _ in range(10):
            place = answer.headers["location"]
            if "/timeline/callback" in place:
                return place
            place = place if place.startswith("http") else self.server.origin + place
            answer = visitor.http.get(place, timeout=SECONDS, allow_redirects=False)
        raise AssertionError("the sign-in did not come back")


@contextlib.contextmanager
def page_site(
    folder: Path, client: dict[str, Any], registered: dict[str, Any] | None = None, **server: Any
) -> Iterator[Site]:
    port, smart_port = free_port(), free_port()
    service = f"http://127.0.0.1:{port}"
    told = {"redirect": f"{service}/timeline/callback", "patient": PATIENT, "other": "someone-else"}
    with running(
        folder, smart_port, clients=[client], scopes=SCOPES, bundle=SAMPLE.bundle, **told, **server
    ) as smart:
        ours = {"client_id": client["client_id"], **(registered or {})}
        settings = page_settings(folder, smart.base, service, today=SAMPLE.anchor, **ours)
        with served(create_app(settings), port):
            yield Site(service=service, server=smart)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with page_site(tmp_path_factory.mktemp("smart"), PUBLIC) as running_site:
        yield running_site


# ------------------------------------------------------------------------------------------ as it should be


def test_a_launch_from_the_ehr_opens_the_patient(site: Site) -> None:
    document = site.opened().ask("data").json()
    assert document["patient"]["id"] == PATIENT
    assert document["lesions"]
    assert document["gaps"] == []


def test_a_launch_that_stands_alone_asks_for_a_patient(site: Site) -> None:
    visitor = Visitor(site.service)
    first = visitor.http.get(site.address(None), timeout=SECONDS, allow_redirects=False)
    asked = parse_qs(urlsplit(first.headers["location"]).query)
    assert "launch/patient" in asked["scope"][0].split()
    assert "launch" not in asked
    assert visitor.http.get(first.headers["location"], timeout=SECONDS).url == f"{site.service}/timeline/"


def test_what_is_asked_for(site: Site) -> None:
    first = requests.get(site.address("chart"), timeout=SECONDS, allow_redirects=False)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(first.headers["location"]).query).items()}
    assert asked["aud"] == site.server.base
    assert asked["launch"] == "chart"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"] == f"{site.service}/timeline/callback"
    assert asked["nonce"] != asked["state"]
    scopes = asked["scope"].split()
    assert "launch" in scopes
    assert not [one for one in scopes if one.startswith(("user/", "system/")) or "*" in one]
    assert {one.rpartition(".")[2] for one in scopes if "/" in one} == {"rs"}
    assert "offline_access" not in scopes


def test_a_reading_is_signed_by_the_person_and_stored_under_a_scope_of_its_own(site: Site) -> None:
    visitor = site.opened("reading")
    assert visitor.take_up()["writes"] == "ask"
    form = visitor.ask("reading/form").json()
    lesion = form["asks"][0]["lesion"]
    reading = {"study": form["study"], "lesions": [{"lesion": lesion, "visibility": "sought-not-seen"}]}
    assert visitor.ask("reading", reading).json() == {"stored": False, "authorise": "write"}
    before = visitor.http.cookies.get("vestige-timeline")
    back = visitor.http.get(f"{site.service}/timeline/write", timeout=SECONDS)
    assert back.url == f"{site.service}/timeline/"
    assert visitor.http.cookies.get("vestige-timeline") != before
    session = visitor.take_up()
    assert session["writes"] == "granted"
    stored = visitor.ask("reading", session["pending"])
    assert stored.status_code == 200, stored.text
    tokens = stored.json()["resources"]
    assert len(tokens) == 2
    observation = visitor.ask("resources", {"tokens": [tokens[0].split("/_history")[0]]}).json()
    made = next(iter(observation.values()))
    assert made["performer"] == [{"reference": "Practitioner/vestige-test-reader"}]
    session = visitor.take_up()
    assert (session["pending"], session["demo"]) == (None, False)


def test_a_refused_right_to_write_leaves_the_reading_to_be_downloaded(site: Site) -> None:
    visitor = site.opened("reads-only")
    form = visitor.ask("reading/form").json()
    reading = {
        "study": form["study"],
        "lesions": [{"lesion": form["lesions"][0]["id"], "visibility": "indeterminate"}],
    }
    assert visitor.ask("reading", reading).json()["authorise"] == "write"
    visitor.http.get(f"{site.service}/timeline/write", timeout=SECONDS)
    assert visitor.take_up()["writes"] == "download"
    answer = visitor.ask("reading", reading).json()
    assert answer["stored"] is False
    assert answer["bundle"]["type"] == "transaction"


def test_a_client_with_a_secret(tmp_path: Path) -> None:
    secret = tmp_path / "page.secret"
    secret.write_text("not-for-anything-but-this-test\n")
    client = {"client_id": "page", "client_secret": secret.read_text().strip()}
    with page_site(tmp_path, client, {"client_secret": secret}) as site:
        assert site.opened().ask("data").json()["patient"]["id"] == PATIENT


def test_a_client_that_signs_with_its_key(tmp_path: Path) -> None:
    private = generate_private_key(SECP384R1())
    file = tmp_path / "page.pem"
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    client = {
        "client_id": "page",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES384",
        "jwks": {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "ES384"}]},
    }
    with page_site(tmp_path, client, {"key": file, "kid": "k1"}) as site:
        assert site.opened().ask("data").json()["patient"]["id"] == PATIENT


# ------------------------------------------------------------------------------------------ as it should not be


@pytest.mark.parametrize(
    "iss",
    [
        "http://127.0.0.1:9/fhir",
        "https://elsewhere.example/fhir",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://user@127.0.0.1/fhir",
        "//elsewhere.example",
    ],
)
def test_an_issuer_that_is_not_ours_is_never_asked(site: Site, iss: str) -> None:
    before = len(site.server.asked())
    answer = requests.get(f"{site.service}/timeline/launch?{urlencode({'iss': iss})}", timeout=SECONDS)
    assert answer.status_code == 403
    assert not answer.history
    assert iss not in answer.text
    assert len(site.server.asked()) == before + 1


def test_a_server_below_or_beside_ours_is_not_ours(site: Site) -> None:
    for iss in (
        site.server.base + "/x",
        site.server.origin,
        site.server.base + "?x",
        site.server.base + "/../y",
    ):
        answer = requests.get(f"{site.service}/timeline/launch?{urlencode({'iss': iss})}", timeout=SECONDS)
        assert answer.status_code == 403, iss


def test_a_state_serves_once(site: Site) -> None:
    visitor = Visitor(site.service)
    back = site.stopped("chart", visitor)
    assert visitor.http.get(back, timeout=SECONDS).url == f"{site.service}/timeline/"
    again = visitor.http.get(back, timeout=SECONDS)
    assert again.status_code == 403


def test_a_sign_in_of_another_browser_is_not_taken_up(site: Site) -> None:
    attacker, victim = Visitor(site.service), Visitor(site.service)
    back = site.stopped("chart", attacker)
    assert victim.http.get(back, timeout=SECONDS).status_code == 403
    assert "error" not in victim.take_up()
    assert victim.csrf == ""


def test_a_code_of_another_sign_in_is_of_no_use(site: Site) -> None:
    attacker, victim = Visitor(site.service), Visitor(site.service)
    stolen = parse_qs(urlsplit(site.stopped("chart", attacker)).query)["code"][0]
    back = urlsplit(site.stopped("chart", victim))
    asked = {name: values[0] for name, values in parse_qs(back.query).items()}
    answer = victim.http.get(
        f"{site.service}/timeline/callback?{urlencode({**asked, 'code': stolen})}", timeout=SECONDS
    )
    assert answer.status_code == 403
    assert stolen not in answer.text
    victim.take_up()
    assert victim.csrf == ""


def test_an_answer_of_another_issuer_is_refused(site: Site) -> None:
    visitor = Visitor(site.service)
    back = urlsplit(site.stopped("chart", visitor))
    asked = {name: values[0] for name, values in parse_qs(back.query).items()}
    assert asked["iss"] == site.server.origin
    mixed = urlencode({**asked, "iss": "https://elsewhere.example"})
    assert visitor.http.get(f"{site.service}/timeline/callback?{mixed}", timeout=SECONDS).status_code == 403


@pytest.mark.parametrize("missing", ["state", "code", "both"])
def test_a_callback_without_its_parts_is_refused(site: Site, missing: str) -> None:
    visitor = Visitor(site.service)
    back = urlsplit(site.stopped("chart", visitor))
    asked = {name: values[0] for name, values in parse_qs(back.query).items()}
    left = {name: value for name, value in asked.items() if name != missing and missing != "both"}
    answer = visitor.http.get(f"{site.service}/timeline/callback?{urlencode(left)}", timeout=SECONDS)
    assert answer.status_code == 403


def test_a_session_id_that_was_there_before_is_not_taken_over(site: Site) -> None:
    visitor = Visitor(site.service)
    visitor.http.cookies.set("vestige-timeline", "fixed-by-somebody", domain="127.0.0.1", path="/")
    site.launch("chart", visitor)
    values = [one.value for one in visitor.http.cookies if one.name == "vestige-timeline"]
    assert "fixed-by-somebody" not in values
    fixed = requests.get(
        f"{site.service}/timeline/session",
        cookies={"vestige-timeline": "fixed-by-somebody"},
        timeout=SECONDS,
    )
    assert fixed.status_code == 401


def test_nothing_in_a_request_decides_where_the_browser_goes(site: Site) -> None:
    evil = "https://elsewhere.example/"
    names = ("redirect", "redirect_uri", "next", "return", "target_link_uri", "url")
    more = "&" + urlencode(dict.fromkeys(names, evil))
    first = requests.get(site.address("chart") + more, timeout=SECONDS, allow_redirects=False)
    place = urlsplit(first.headers["location"])
    assert f"{place.scheme}://{place.netloc}" == site.server.origin
    assert "elsewhere" not in first.headers["location"]
    visitor = Visitor(site.service)
    back = site.stopped("chart", visitor) + more
    answer = visitor.http.get(back, timeout=SECONDS, allow_redirects=False)
    assert answer.headers["location"] == "./"


def test_a_parameter_that_is_there_twice_is_refused(site: Site) -> None:
    twice = f"{site.address('chart')}&{urlencode({'iss': site.server.base})}"
    assert requests.get(twice, timeout=SECONDS).status_code == 400


def test_a_person_who_refuses_sees_a_page_and_has_no_session(site: Site) -> None:
    visitor = Visitor(site.service)
    answer = site.launch("refused", visitor)
    assert answer.status_code == 403
    assert "could not be opened" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    visitor.take_up()
    assert visitor.csrf == ""


def test_a_token_for_nobody_opens_nothing(site: Site) -> None:
    answer = site.launch("nobody")
    assert answer.status_code == 502
    assert "no patient in context" in answer.text


def test_an_id_token_that_was_tampered_with_opens_nothing(site: Site) -> None:
    answer = site.launch("tampered")
    assert answer.status_code == 502
    assert "id_token does not hold" in answer.text


def test_a_second_sign_in_for_another_patient_stores_nothing(site: Site) -> None:
    visitor = site.opened("switch")
    form = visitor.ask("reading/form").json()
    reading = {
        "study": form["study"],
        "lesions": [{"lesion": form["lesions"][0]["id"], "visibility": "not-assessed"}],
    }
    posts = site.server.asked().count("POST /fhir")
    assert visitor.ask("reading", reading).json()["stored"] is False
    back = visitor.http.get(f"{site.service}/timeline/write", timeout=SECONDS)
    assert back.status_code == 403
    assert visitor.take_up()["writes"] == "ask"
    assert site.server.asked().count("POST /fhir") == posts


def test_a_session_ends_with_its_token(tmp_path: Path) -> None:
    with page_site(tmp_path, PUBLIC, tokenSeconds=1) as site:
        visitor = Visitor(site.service)
        site.launch("chart", visitor)
        until = 0
        while visitor.http.get(f"{site.service}/timeline/session", timeout=SECONDS).status_code == 200:
            until += 1
            assert until < 10_000
        visitor.csrf = "x"
        assert visitor.ask("data").status_code == 401
