"""`vestige doctor`: what it says of real servers, of the imitations, and of servers that lie."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from cds_hooks.cli.doctor import problems_of
from plugin.probe.access import Access
from plugin.probe.asker import Asker
from plugin.probe.examination import Examination, Verdict
from plugin.probe.examine import HARMLESS, examine
from plugin.probe.imagined import imagine
from plugin.probe.journal import Journal
from plugin.probe.losses import losses
from plugin.probe.pages import next_form
from plugin.pull.queries import QUERIES
from plugin.settings import Fhir, FhirServer, Settings, today
from rules.evaluate import Evaluator
from tests.interop.command import vestige
from tests.plugin.fhir import PATIENT, observation, patient
from tests.plugin.keys import pair
from tests.servers.certificates import Authority
from tests.servers.ehr import Epic, Oracle, Plain
from tests.servers.hostile import Hostile, Reply, Request, bundle, html, resource, serving, status
from tests.servers.sekmet import TOKEN, Sekmet, free_port, running

LIMITS = Fhir(budget=60.0, read_timeout=60.0, connect_timeout=20.0)


def examined(base: str, access: Access = Access(), of: str = HARMLESS, **more: Any) -> Examination:
    server = FhirServer(base=base, **more)
    entrance = access.opened(server, LIMITS)
    asker = Asker(server, base, entrance, LIMITS, Journal(entrance.secrets))
    context = None if server.ca_bundle is None else ssl.create_default_context(cafile=str(server.ca_bundle))
    try:
        return examine(asker, patient=of, context=context)
    finally:
        asker.close()


def verdicts(found: Examination) -> dict[str, Verdict]:
    return {one.key: one.verdict for one in found.searches}


def with_data(count: int = 60) -> list[dict[str, Any]]:
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}
    seen = [observation(f"o{number}", category=[{"coding": [category]}]) for number in range(count)]
    return [patient(), *seen]


# ---------------------------------------------------------------------------------------- real servers
def test_sekmet_cannot_search_lesions_and_is_read_all_the_same(sekmet: Sekmet, tmp_path: Path) -> None:
    ran = vestige("doctor", sekmet.base, "--json", "--timeout", 120, cwd=tmp_path)
    assert ran.code == 0
    told = ran.json
    by_key = {one["key"]: one for one in told["searches"]}
    assert by_key.pop("lesions")["verdict"] == "refused"
    assert {one["verdict"] for one in by_key.values()} == {"supported"}
    assert told["strict"] is True
    (lesions,) = [one for one in told["searches"] if one["key"] == "lesions"]
    # The dangerous one: asked leniently, it drops the patient from the search.
    assert lesions["lenient_leak"] is True
    assert lesions["readable"] is True
    assert not [one for one in told["patients"] if one["changes"]]
    assert "system/BodyStructure.rs" in told["scopes"]


def test_hapi_answers_everything(hapi: str) -> None:
    found = examined(hapi)
    assert set(verdicts(found).values()) == {Verdict.SUPPORTED}
    assert (found.dialect, found.strict) == ("HAPI FHIR", True)


def test_a_token_is_wanted_and_none_is_shown(sekmet_bearer: Sekmet, tmp_path: Path) -> None:
    without = vestige("doctor", sekmet_bearer.base, "--json", "--timeout", 120, cwd=tmp_path)
    assert without.code == 1
    assert {one["verdict"] for one in without.json["searches"]} == {"forbidden"}
    ran = vestige(
        *("doctor", sekmet_bearer.base, "--json", "--timeout", 120, "--auth", "bearer"),
        cwd=tmp_path,
        VESTIGE_FHIR_TOKEN=TOKEN,
    )
    assert ran.code == 0
    assert TOKEN not in ran.out + ran.err


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_backend_services(algorithm: str, tmp_path: Path) -> None:
    own = pair(tmp_path, algorithm)
    client = {"client_id": "vestige", "public_key_path": str(own.public), "scopes": "system/*.rs"}
    with running(tmp_path, TOKEN, [client]) as server:
        ran = vestige(
            *(
                "doctor",
                server.base,
                "--json",
                "--timeout",
                120,
                "--auth",
                "backend",
                "--client-id",
                "vestige",
            ),
            *("--key", own.private, "--kid", "key-1", "--algorithm", algorithm),
            cwd=tmp_path,
        )
    assert ran.code == 0
    assert ran.json["smart"]["backend_services"] is True


# ---------------------------------------------------------------------------------------- imitations
def test_what_epic_wants_is_asked_so(rules: Evaluator) -> None:
    with serving(Epic(with_data())) as server:
        found = examined(server.base)
        assert not [
            one for one in server.requests if one.path.endswith("/CarePlan") and "category" not in one.query
        ]
    bad = {key: verdict for key, verdict in verdicts(found).items() if verdict is not Verdict.SUPPORTED}
    assert bad == {"medications": Verdict.REFUSED}
    assert not [one for one in imagine(found, rules, today(Settings())) if one.changes]


def test_what_oracle_lacks_is_named_with_its_cost(tmp_path: Path) -> None:
    with serving(Oracle(with_data(), throttles=["Procedure"])) as server:
        ran = vestige("doctor", server.base, "--json", "--timeout", 120, cwd=tmp_path)
        table = vestige("doctor", server.base, "--timeout", 120, cwd=tmp_path, COLUMNS="150")
    assert (ran.code, table.code) == (1, 1)
    told = ran.json
    lacking = {one["resource"] for one in told["searches"] if one["verdict"] == "lacking"}
    assert lacking == {"ImagingStudy", "BodyStructure", "MedicationStatement"}
    changes = [change for one in told["patients"] for change in one["changes"]]
    assert {change["here"] for change in changes} == {"CANNOT_DECIDE"}
    assert any("CONFIRMED_DLM" in change["expected"] for change in changes)
    # What is said instead stands there, in the words of the cards.
    assert all(one["cardsInstead"] for one in told["patients"] if one["changes"])
    assert not {"system/BodyStructure.rs", "system/ImagingStudy.rs"} & set(told["scopes"])
    for word in ("Oracle Health has no BodyStructure", "CANNOT_DECIDE here", "Problem:", "Smallest scopes"):
        assert word in table.out


def test_pages_and_their_links_are_told() -> None:
    with serving(Oracle(with_data(260))) as server:
        found = examined(server.base, of=PATIENT)
    attempt = found.of("imaging").attempts[-1]
    assert (attempt.entries, attempt.next_form) == (200, "absolute, at the type")


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://fhir.example/r4?_getpages=1", "absolute, at the base"),
        ("https://fhir.example/r4/Observation?page=2", "absolute, at the type"),
        ("Observation?page=2", "relative, at the type"),
        ("https://other.example/r4/Observation?page=2", "at another address"),
        ("https://fhir.example/pages/2", "absolute, elsewhere"),
    ],
)
def test_forms_of_a_next_link(url: str, form: str) -> None:
    assert next_form(url, "https://fhir.example/r4", "Observation") == form


# ---------------------------------------------------------------------------------------- servers that lie
def test_a_server_that_drops_the_patient_is_a_problem(tmp_path: Path) -> None:
    def everybody(request: Request, server: Hostile) -> Reply:
        kind = request.path.split("/")[2]
        return (
            bundle(observation(of="somebody-else")) if kind == "Observation" else Plain([])(request, server)
        )

    with serving(everybody) as server:
        found = examined(server.base)
        ran = vestige("doctor", server.base, "--json", "--timeout", 120, cwd=tmp_path)
    assert found.of("imaging").verdict is Verdict.IGNORED
    assert found.of("imaging").attempts[0].strangers == 1
    assert ran.code == 1
    assert any("ignores the patient" in one for one in ran.json["problems"])
    assert "somebody-else" not in ran.out


def test_a_self_link_without_the_patient_is_enough() -> None:
    def script(request: Request, server: Hostile) -> Reply:
        kind = request.path.split("/")[2]
        link = [{"relation": "self", "url": f"{server.base}/{kind}?_count=50"}]
        return resource({"resourceType": "Bundle", "type": "searchset", "link": link})

    with serving(script) as server:
        found = examined(server.base)
    searched = [one for one in found.searches if one.key != "patient"]
    assert {one.verdict for one in searched} == {Verdict.IGNORED}


def test_a_self_link_of_a_narrower_search_is_told() -> None:
    def script(request: Request, server: Hostile) -> Reply:
        kind = request.path.split("/")[2]
        asked = urlencode(request.query, doseq=True)
        link = [{"relation": "self", "url": f"{server.base}/{kind}?{asked}&status=final"}]
        return resource({"resourceType": "Bundle", "type": "searchset", "link": link})

    with serving(script) as server:
        found = examined(server.base)
    assert found.of("imaging").verdict is Verdict.FAILED
    assert "less than was asked" in found.of("imaging").detail


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"entry": "x"}, "1 parts of the Bundle cannot be read"),
        ({"entry": ["x", None, {}]}, "3 parts of the Bundle cannot be read"),
        ({"total": 5}, "0 of 5 results came"),
        ({"total": "many"}, "cannot be read"),
        ({"link": "x"}, "a further page may be lost"),
        ({"type": "history"}, "of a type that no search is answered with"),
    ],
)
def test_an_answer_that_a_hook_call_could_not_rely_on_is_failed(given: dict[str, Any], said: str) -> None:
    answer = resource({"resourceType": "Bundle", "type": "searchset", **given})
    with serving(lambda request, server: answer) as server:
        found = examined(server.base)
    imaging = found.of("imaging")
    assert (imaging.verdict, said in imaging.detail) == (Verdict.FAILED, True), imaging.detail


@pytest.mark.parametrize(
    ("version", "problem"), [("4.0.1", False), ("4.3.0", False), ("5.0.0", True), ("1.0.2", True)]
)
def test_a_server_of_another_fhir_is_a_problem(version: str, problem: bool) -> None:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": version}

    def script(request: Request, server: Hostile) -> Reply:
        return (
            resource(statement) if request.path.endswith("/metadata") else Plain(with_data())(request, server)
        )

    with serving(script) as server:
        found = examined(server.base)
    told = [one for one in problems_of(found, []) if f"FHIR {version}" in one]
    assert bool(told) is problem


def test_what_came_in_place_of_the_statement_is_told() -> None:
    with serving(lambda request, server: resource({"resourceType": "Basic"})) as server:
        found = examined(server.base)
    assert found.statement_detail == "HTTP 200, but another resource"


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (html(), Verdict.FAILED),
        (status(500), Verdict.FAILED),
        (status(403), Verdict.FORBIDDEN),
        (status(429, **{"Retry-After": "100000"}), Verdict.THROTTLED),
        (status(302, Location="/elsewhere"), Verdict.FAILED),
    ],
)
def test_whatever_it_answers_is_a_verdict(reply: Reply, verdict: Verdict) -> None:
    with serving(lambda request, server: reply) as server:
        found = examined(server.base)
    assert {one.verdict for one in found.searches} == {verdict}


def test_nothing_but_get_is_sent() -> None:
    with serving(Epic(with_data())) as server:
        examined(server.base)
        assert {one.method for one in server.requests} == {"GET"}


def test_few_requests_at_a_time_and_waiting_when_asked_to() -> None:
    waits: list[float] = []
    refused = {"left": 2}

    def busy(request: Request, server: Hostile) -> Reply:
        if request.path.endswith("/Procedure") and refused["left"]:
            refused["left"] -= 1
            return status(429, **{"Retry-After": "7"})
        return Plain([])(request, server)

    with serving(busy) as server:
        entrance = Access().opened(FhirServer(base=server.base), LIMITS)
        asker = Asker(
            *(FhirServer(base=server.base), server.base, entrance, LIMITS, Journal()),
            parallel=2,
            sleep=waits.append,
        )
        found = examine(asker)
        asker.close()
    assert waits == [7.0, 7.0]
    assert found.of("procedures").verdict is Verdict.SUPPORTED


# ---------------------------------------------------------------------------------------- the command
def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    ran = vestige("doctor", f"http://127.0.0.1:{free_port()}/fhir", cwd=tmp_path)
    assert ran.code == 3
    assert "cannot be reached" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://fhir.example/r4"], "plain http"),
        (["ftp://fhir.example/r4"], "no http or https"),
        (["https://user:secret-word@fhir.example/r4"], "user name or password"),
        (["http://127.0.0.1/fhir", "--auth", "magic"], "none of none, bearer"),
        (["http://127.0.0.1/fhir", "--auth", "bearer"], "VESTIGE_FHIR_TOKEN"),
        (["http://127.0.0.1/fhir", "--auth", "backend"], "--client-id"),
        (["http://127.0.0.1/fhir", "--auth", "client-credentials"], "--client-id"),
        (["http://127.0.0.1/fhir", "--dialect", "epik"], "vestige: --dialect: unknown; did you mean"),
        (["http://127.0.0.1/fhir", "--ca-bundle", "none.pem"], "vestige: --ca-bundle: there is no file"),
        (["http://127.0.0.1/fhir", "--ca-bundle", __file__], "holds no certificate in PEM"),
    ],
)
def test_unusable_input(arguments: list[str], words: str, tmp_path: Path) -> None:
    ran = vestige("doctor", *arguments, cwd=tmp_path)
    assert ran.code == 2
    assert words in ran.err
    assert "secret-word" not in ran.err


def test_tls_is_told_and_the_authority_must_be_known(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own.certificate, own.key)
    with serving(Plain(with_data()), tls) as server:
        found = examined(server.base, ca_bundle=authority.bundle)
        ran = vestige("doctor", server.base, cwd=tmp_path)
    assert found.security.tls in ("TLSv1.2", "TLSv1.3")
    assert (found.security.issuer, found.security.note) == ("Test authority", "")
    assert found.security.expires
    assert ran.code == 3
    assert "TLS" in ran.err


def test_client_credentials(tmp_path: Path) -> None:
    """A client secret is sent to the token endpoint alone, and shown nowhere."""
    secret, token = "client-secret-0815", "given-token-4711"

    def script(request: Request, server: Hostile) -> Reply:
        if request.path.endswith("smart-configuration"):
            return Reply(200, json.dumps({"token_endpoint": f"{server.origin}/token"}).encode())
        if request.path == "/token":
            good = f"client_secret={secret}".encode() in request.body
            body = {"access_token": token, "token_type": "bearer", "expires_in": 300}
            return Reply(200, json.dumps(body).encode()) if good else status(401)
        if request.headers.get("authorization") != f"Bearer {token}":
            return status(401)
        return Plain(with_data())(request, server)

    (tmp_path / "secret").write_text(secret + "\n")
    with serving(script) as server:
        ran = vestige(
            *("doctor", server.base, "--json", "--auth", "client-credentials", "--client-id", "vestige"),
            *("--secret-file", tmp_path / "secret"),
            cwd=tmp_path,
        )
        sent = [one for one in server.requests if secret.encode() in one.body]
    assert ran.code == 0
    assert {one.path for one in sent} == {"/token"}
    assert secret not in ran.out + ran.err
    assert token not in ran.out + ran.err


# ---------------------------------------------------------------------------------------- what rules lose
def test_without_a_query_only_its_rules_are_lost(rules: Evaluator) -> None:
    assert losses([], rules.pack).rules == ()
    assert losses([], rules.pack).exposed == ()
    blind = losses([query.key for query in QUERIES], rules.pack)
    assert "DA-01" in blind.rules
    markers = losses(["markers"], rules.pack)
    assert markers.kinds == ("marker_series",)
    assert set(markers.rules) < set(blind.rules)


def test_more_lost_queries_never_lose_fewer_rules(rules: Evaluator) -> None:
    gone: list[str] = []
    before: set[str] = set()
    for query in QUERIES:
        gone.append(query.key)
        now = set(losses(gone, rules.pack).rules)
        assert before <= now
        before = now


@pytest.fixture
def imagined_of_nothing(rules: Evaluator) -> Iterator[Any]:
    with serving(lambda request, server: status(403)) as server:
        yield imagine(examined(server.base), rules, today(Settings()))


def test_a_server_that_gives_nothing_makes_no_lesion_vanish(imagined_of_nothing: Any) -> None:
    gone = {"APPARENT_DLM", "CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS"}
    for one in imagined_of_nothing:
        assert not {lesion.status for lesion in one.here.lesions} & gone
        assert one.cards or not one.here.findings
