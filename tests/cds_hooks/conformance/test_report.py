"""The report: nothing a service says can run in it, break it, or show a secret; and the command's exit codes."""

import json
import ssl
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from rich.console import Console

from cds_hooks.app import create_app
from cds_hooks.conformance import shown
from cds_hooks.conformance.checks import CHECKS
from cds_hooks.conformance.exchange import Client
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.patients import patients
from cds_hooks.conformance.report.html import as_html
from cds_hooks.conformance.report.junit import as_junit
from cds_hooks.conformance.report.table import as_json, print_report
from cds_hooks.conformance.run import Report, inspect_service
from tests.cds_hooks.jwts import elliptic
from tests.cds_hooks.serving import Said, advice, free_port, open_settings, served
from tests.cds_hooks.test_cli import complaint, vestige
from tests.require import ROOT
from tests.servers.certificates import Authority
from tests.servers.hostile import Hostile, Reply, Request

EVIL = "</pre><script>alert(1)</script>\x1b[31m]]>&<!--\u202e"
CARD = {
    "uuid": EVIL,
    "summary": EVIL,
    "detail": EVIL,
    "indicator": EVIL,
    "source": {"label": EVIL, "url": f"javascript:{EVIL}"},
    "links": [{"label": EVIL, "url": EVIL, "type": EVIL}],
}
ENTRY = {"id": EVIL, "hook": EVIL, "title": EVIL, "description": 5, "prefetch": {EVIL: EVIL}}
BEARER = "a-secret-bearer-token-of-the-site"
ONE = ("--sample", "nothing-to-say")


def script(request: Request, _: Hostile) -> Reply:
    document: Any = (
        {"services": [ENTRY]} if request.path.rstrip("/").endswith("/cds-services") else {"cards": [CARD]}
    )
    echo = {"echo": request.headers.get("authorization", ""), "sent": request.body.decode("latin-1")[:5000]}
    return Reply(200, json.dumps({**document, **echo}).encode(), {"Content-Type": f"text/html; {EVIL[:8]}"})


@pytest.fixture(scope="module")
def evil() -> Iterator[Report]:
    with Hostile(script) as server:
        options = Options(base=server.origin, patients=patients(("nothing-to-say",)), bearer=BEARER)
        yield inspect_service(options, Client(seconds=60, secrets=(BEARER,)))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_html_holds_no_element_of_the_service(evil: Report) -> None:
    page = as_html(evil).decode()
    tags = Tags()
    tags.feed(page)
    assert not {"script", "img", "iframe", "link", "object", "form"} & tags.tags
    assert tags.attributes <= {"lang", "charset", "http-equiv", "content", "id", "class", "href"}
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page
    assert "default-src 'none'" in page


def test_junit_is_xml_with_a_case_for_every_check(evil: Report) -> None:
    root = ElementTree.fromstring(as_junit(evil))
    cases = root.findall("./testsuite/testcase")
    assert {case.get("name") for case in cases} == set(CHECKS)
    suites = root.findall("./testsuite")
    assert sum(int(suite.get("failures", "")) for suite in suites) == evil.count("fail") > 5
    assert sum(int(suite.get("skipped", "")) for suite in suites) == evil.count("skip")
    outputs = [one.text or "" for one in root.findall(".//system-out")]
    assert len(outputs) == evil.count("warn") + evil.count("fail")
    assert sum(one.startswith("WARNING") for one in outputs) == evil.count("warn")
    assert any('"request"' in one and '"response"' in one for one in outputs)
    for case, verdict in zip(cases, evil.verdicts, strict=True):
        told = {one.get("name"): one.get("value") for one in case.findall("./properties/property")}
        numbers = ", ".join(map(str, verdict.check.numbers))
        assert told == {"requirements": numbers, "strength": verdict.check.weight}


def test_json_gives_the_exchanges_that_verdicts_rest_on(evil: Report) -> None:
    found = json.loads(as_json(evil))
    numbers = {exchange["number"] for exchange in found["exchanges"]}
    assert {number for verdict in found["verdicts"] for number in verdict["exchanges"]} == numbers
    failed = [verdict for verdict in found["verdicts"] if verdict["result"] == "fail"]
    assert all(verdict["requirements"] and verdict["strength"] and verdict["reasons"] for verdict in failed)
    first = found["exchanges"][0]
    assert first["request"]["method"] == "GET"
    assert first["request"]["headers"]["Authorization"] == shown.HIDDEN
    assert first["response"]["status"] == 200


def test_the_terminal_gets_no_control_characters(evil: Report) -> None:
    out = Console(
        record=True, width=100, markup=False, emoji=False, highlight=False, file=open("/dev/null", "w")
    )
    with out.file:
        print_report(out, evil)
        text = out.export_text()
    assert "\x1b" not in text
    assert "FAIL" in text
    assert "found a SHALL broken" in text


def test_no_secret_is_in_any_form(evil: Report) -> None:
    for content in (as_html(evil), as_json(evil), as_junit(evil)):
        assert BEARER.encode() not in content


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def", "abc.def"),
        ('{"access_token": "s3cret", "x": 1}', "s3cret"),
        ("token eyJhbGciOiJFUzM4NCJ9.eyJpc3MiOiJ4In0.c2ln here", "eyJ"),
        ("eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0. unsigned", "eyJ"),
        ("known-secret in the middle", "known-secret"),
    ],
)
def test_secrets_are_hidden(text: str, secret: str) -> None:
    found = shown.shown(text, secrets=("known-secret",))
    assert secret not in found
    assert shown.HIDDEN in found


def test_a_secret_across_the_cut_is_hidden() -> None:
    assert "known" not in shown.shown("x" * 297 + "known-secret", secrets=("known-secret",))


def test_long_text_is_cut_and_says_so() -> None:
    assert shown.shown("x" * 500) == "x" * 300 + "… (500 characters)"


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    port = free_port()
    with served(create_app(open_settings(port=port), Said((advice(),))), port) as address:
        yield address


def test_the_command_writes_every_form(base: str, tmp_path: Path) -> None:
    for form, start in {"html": b"<!doctype html>", "json": b"{", "junit": b"<?xml"}.items():
        output = tmp_path / form
        run = vestige("conformance", f"{base}/cds-services/", *ONE, "--report", form, "--output", output)
        assert output.read_bytes().startswith(start)
        assert run.returncode == 0, run.stdout
        assert "no SHALL of CDS Hooks 2.0.1 found broken" in run.stdout
        assert run.stderr == ""


def test_a_broken_shall_is_exit_code_1() -> None:
    with served(create_app(open_settings(), Said((advice(),)))) as address:
        # Its own address in the cards is fine, but nothing is served below /wrong.
        run = vestige("conformance", f"{address}/wrong", *ONE)
    assert run.returncode == 1
    assert "FAIL" in run.stdout
    assert "GET /cds-services: status 404" in run.stdout


def test_one_group_alone(base: str) -> None:
    run = vestige("conformance", base, *ONE, "--only", "discovery", "--json")
    found = json.loads(run.stdout)
    assert {verdict["check"].partition(".")[0] for verdict in found["verdicts"]} == {"discovery"}
    assert found["exchangesMade"] < 15


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), "nonsense"),
        (("ftp://x.example",), "ftp"),
        (("http://user:password@x.example",), "user"),
        (("http://x.example/?a=b",), "query"),
        (("http://x.example:99999",), "99999"),
        (("http://127.0.0.1", "--client", "nobody"), "generic"),
        (("http://127.0.0.1", "--sample", "nobody"), "nothing-to-say"),
        (("http://127.0.0.1", "--only", "nothing"), "discovery"),
        (("http://127.0.0.1", "--report", "pdf"), "junit"),
        (("http://127.0.0.1", "--output", "x"), "--report"),
        (("http://127.0.0.1", "--json", "--report", "html"), "--json"),
        (("http://127.0.0.1", "--bearer-env", "VESTIGE_NO_SUCH"), "VESTIGE_NO_SUCH"),
        (("http://127.0.0.1", "--jwk", "no-such-file.json"), "cannot be read"),
        (("http://127.0.0.1", "--origin", "x"), "--origin"),
        (("http://127.0.0.1", "--discovery", "http://y"), "--discovery"),
        (("http://127.0.0.1", "--service", "x"), "--service"),
        (("http://127.0.0.1", "--audience", "x"), "address"),
        (("http://127.0.0.1", "--ca-bundle", "no-such-file.pem"), "No such file"),
        (("http://127.0.0.1", "--ca-bundle", str(ROOT / "README.md")), "PEM"),
        (("http://127.0.0.1", "--report", "html", "--output", "/no/such/folder/x"), "cannot be written"),
        (("http://127.0.0.1", "--report", "html", "--output", "/"), "cannot be written"),
    ],
)
def test_unusable_input_is_exit_code_2(arguments: tuple[str, ...], words: str) -> None:
    complaint(vestige("conformance", *arguments), 2, words)


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e300", "0"])
@pytest.mark.parametrize("option", ["--timeout", "--slow"])
def test_seconds_have_bounds(option: str, seconds: str) -> None:
    run = vestige("conformance", "http://127.0.0.1", option, seconds)
    assert run.returncode == 2
    assert option in run.stderr
    assert "Traceback" not in run.stderr


def short_rsa() -> dict[str, Any]:
    # A key of 1024 bits is what is refused here.
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    made: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key))
    return made


def test_key_files_that_cannot_be_used(tmp_path: Path) -> None:
    jwk = json.loads(ECAlgorithm.to_jwk(elliptic().key))
    public = {name: held for name, held in jwk.items() if name != "d"}
    for document, words in (
        (public, "no private JWK"),
        (jwk, "--kid"),
        ({**jwk, "kid": "x", "x": "!!"}, "no private key"),
        ({"kty": "oct", "k": "c2VjcmV0", "kid": "x", "d": "x"}, "no private key"),
        ([], "no private JWK"),
        ({**jwk, "kid": "x", "alg": "ES512"}, "does not fit"),
        ({**jwk, "kid": "x", "alg": "none"}, "does not fit"),
        ({"kty": "OKP", "crv": "Ed25519", "kid": "x", "d": "x", "alg": "EdDSA"}, "no private key"),
        ({**short_rsa(), "kid": "x"}, "2048"),
    ):
        path = tmp_path / "key.json"
        path.write_text(json.dumps(document))
        run = vestige("conformance", "http://127.0.0.1:9", "--jwk", path)
        complaint(run, 2, words)
        assert jwk["d"] not in run.stderr
        assert "Warning" not in run.stderr
    path.write_text("[" * 100_000)
    complaint(vestige("conformance", "http://127.0.0.1:9", "--jwk", path), 2, "no JSON")
    path.write_text("-----BEGIN")
    complaint(vestige("conformance", "http://127.0.0.1:9", "--jwk", path), 2, "no JSON")


def test_nothing_there_is_exit_code_3() -> None:
    complaint(vestige("conformance", f"http://127.0.0.1:{free_port()}"), 3, "cannot be reached")
    complaint(vestige("conformance", "https://no-such-host.invalid"), 3, "cannot be reached")


def test_a_way_that_leads_nowhere_is_exit_code_3(base: str) -> None:
    complaint(vestige("conformance", base.replace("http:", "https:")), 3, "TLS")
    dead = f"http://127.0.0.1:{free_port()}"
    complaint(vestige("conformance", "http://cds.invalid", HTTP_PROXY=dead, http_proxy=dead), 3, "proxy")
    here = vestige("conformance", f"http://127.0.0.1:{free_port()}", HTTP_PROXY=dead, http_proxy=dead)
    complaint(here, 3, "cannot be reached")


def test_authorities_of_its_own_vouch_for_a_service_on_this_machine(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair, tls = authority.issue("server"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with Hostile(script, tls) as server:
        refused = vestige("conformance", server.origin, *ONE, "--only", "discovery")
        trusted = ("--only", "discovery", "--ca-bundle", authority.bundle)
        run = vestige("conformance", server.origin, *ONE, *trusted)
    complaint(refused, 3, "--ca-bundle")
    assert run.returncode == 1
    assert "GET /cds-services" not in run.stdout


def test_nothing_is_left_where_the_report_would_have_stood(tmp_path: Path) -> None:
    output, nowhere = tmp_path / "report.html", f"http://127.0.0.1:{free_port()}"
    complaint(vestige("conformance", nowhere, "--report", "html", "--output", output), 3, "reached")
    assert not output.exists()
    output.write_text("an older report")
    complaint(vestige("conformance", nowhere, "--report", "html", "--output", output), 3, "reached")
    assert output.read_text() == "an older report"


def test_a_service_that_stops_answering_is_exit_code_1() -> None:
    left = [12]

    def dying(request: Request, server: Hostile) -> Reply:
        left[0] -= 1
        return script(request, server) if left[0] > 0 else Reply(act=lambda handler: None)

    with Hostile(dying) as server:
        run = vestige("conformance", server.origin, *ONE, "--only", "readiness", "--only", "errors")
    assert run.returncode == 1
    assert "it stopped answering after" in " ".join(run.stdout.split())


def test_a_service_that_wants_a_token_for_calls_only_is_no_success() -> None:
    def listed_for_all(request: Request, _: Hostile) -> Reply:
        if request.path.rstrip("/").endswith("/cds-services"):
            service = {"hook": "patient-view", "id": "x", "title": "x", "description": "x"}
            return Reply(
                200, json.dumps({"services": [service]}).encode(), {"Content-Type": "application/json"}
            )
        return Reply(401, b"{}", {"Content-Type": "application/json", "WWW-Authenticate": "Bearer"})

    with Hostile(listed_for_all) as server:
        run = vestige("conformance", server.origin, *ONE)
        alone = vestige("conformance", server.origin, *ONE, "--only", "templates")
    complaint(run, 2, "--jwk")
    assert "little was looked at" in run.stdout
    assert alone.returncode == 0
