"""What an analyst enters, held against the registries it comes from."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import pytest

from cds_hooks import integration as module
from cds_hooks.cli.integrate_page import page
from cds_hooks.hooks import HOOKS
from cds_hooks.integration import as_document, integration
from cds_hooks.profiles import PROFILES
from cds_hooks.services import SERVICES
from cds_hooks.templates import problems
from cds_hooks.timeline_page.page import Page as TimelinePage
from cds_hooks.timeline_page.session import Flow
from cds_hooks.timeline_page.smart import Found
from plugin.advice.text import texts_of
from plugin.pull import PREFETCH, QUERIES
from plugin.settings import (
    CardLink,
    Cards,
    Codes,
    Fhir,
    FhirServer,
    Issuer,
    OrderCode,
    Service,
    Settings,
    Trust,
    load,
)
from plugin.settings_page import Page, PageClient
from rules.language import load_pack
from tests.cds_hooks.test_cli import vestige

BASE = "https://cds.hospital.example"
TEXTS = texts_of(load_pack().folder, "en")


def made(client: str, settings: Settings | None = None) -> dict[str, Any]:
    return as_document(integration(PROFILES[client], settings or Settings(), TEXTS, base=BASE))


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    return vestige("integrate", *arguments)


def test_the_timeline_page_is_registered_as_it_signs_in() -> None:
    server = "https://fhir.hospital.example/r4"
    on = Settings(
        service=Service(public_url=BASE),
        fhir=Fhir(servers=(FhirServer(base=server, issuer="https://ehr.hospital.example"),)),
        page=Page(
            enabled=True,
            frame_ancestors=("https://ehr.hospital.example",),
            clients=(PageClient(server=server, client_id="vestige-page", write=True),),
        ),
    )
    (app,) = made("generic", on)["apps"]
    found = Found(
        issuer=None,
        authorization_endpoint=f"{server}/authorize",
        token_endpoint=f"{server}/token",
        jwks_uri=None,
        v1=False,
    )
    flow = Flow(
        **dict.fromkeys(("verifier", "nonce", "browser"), "n" * 43),
        server=server,
        issuer=None,
        token_endpoint=found.token_endpoint,
        jwks_uri=None,
        launch="chart",
        purpose="read",
        session=None,
    )
    address = TimelinePage(on, Mock(), BASE).smart.address(found, flow, "state")
    sent = parse_qs(urlsplit(address).query)
    assert (app["server"], app["launch"]) == (server, f"{BASE}/timeline/launch")
    assert (sent["redirect_uri"], sent["client_id"]) == ([app["redirect"]], [app["clientId"]])
    assert sent["scope"][0].split() == app["scopes"]["v2"]
    assert app["writeScopes"]["v2"] == ["patient/Observation.c", "patient/Provenance.c"]
    told = page(integration(PROFILES["generic"], on, TEXTS, base=BASE))
    assert f"`{BASE}/timeline/callback`" in told
    assert "public with PKCE" in told
    assert made("generic")["apps"] == []
    assert "SMART app" not in page(integration(PROFILES["generic"], Settings(), TEXTS, base=BASE))


@pytest.mark.parametrize("client", PROFILES)
def test_services_are_those_the_client_fires(client: str) -> None:
    document = made(client)
    listed = {one["id"]: one["hook"] for one in document["services"]}
    missing = {one["name"] for one in document["notFired"]}
    assert set(listed) | missing == set(SERVICES)
    assert set(listed.values()) == set(PROFILES[client].fires)
    for one in document["services"]:
        assert one["url"] == f"{BASE}/cds-services/{one['id']}"
        assert one["feedback"] == one["url"] + "/feedback"


@pytest.mark.parametrize("client", PROFILES)
def test_prefetch_is_the_registry_as_this_client_is_served(client: str) -> None:
    document = made(client)
    entered = {one["key"]: one["query"] for one in document["prefetch"]}
    lacking = {one["name"]: one["why"] for one in document["notServed"]}
    assert [key for key in PREFETCH if key in entered] == list(entered)
    assert set(entered) | set(lacking) == set(PREFETCH)
    for query in QUERIES:
        if query.key in entered:
            assert entered[query.key] in (query.template, *query.alternatives)
            assert problems(HOOKS["patient-view"], query.key, entered[query.key]) == ()


def test_without_a_known_server_the_templates_are_those_of_discovery() -> None:
    assert {one["key"]: one["query"] for one in made("generic")["prefetch"]} == dict(PREFETCH)


def test_what_oracle_health_lacks_is_named_and_not_entered() -> None:
    document = made("oracle")
    assert {one["name"] for one in document["notServed"]} == {"studies", "lesions", "medications"}
    assert all("Oracle Health" in one["why"] for one in document["notServed"])
    queries = {one["key"]: one["query"] for one in document["prefetch"]}
    assert "category=assess-plan" in queries["plans"]
    assert "date=ge2000-01-01" in queries["appointments"]
    assert not any("ImagingStudy" in scope for scope in document["scopes"]["v2"])


def test_scopes_are_what_is_read_and_no_more() -> None:
    scopes = made("generic")["scopes"]
    assert {scope.split("/")[1].split(".")[0] for scope in scopes["v2"]} == {
        "Medication",
        *(query.resource for query in QUERIES),
    }
    assert all(scope.endswith((".rs", ".r")) for scope in scopes["v2"])
    assert all(scope.endswith(".read") for scope in scopes["v1"])


def test_a_new_query_is_in_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written by hand: what changes in the registry changes here."""
    template = "Goal?patient={{context.patientId}}"
    more = replace(QUERIES[-1], key="goals", resource="Goal", template=template, alternatives=())
    before = page(integration(PROFILES["epic"], Settings(), TEXTS, base=BASE))
    monkeypatch.setattr(module, "QUERIES", (*QUERIES, more))
    after = page(integration(PROFILES["epic"], Settings(), TEXTS, base=BASE))
    assert "goals = Goal?patient={{context.patientId}}" in after
    assert "patient/Goal.rs" in after
    assert len(after.splitlines()) == len(before.splitlines()) + 1


def test_the_settings_of_the_site_are_in_the_tables() -> None:
    settings = Settings(
        service=Service(result_review_hook="org.hospital.results"),
        cards=Cards(links=(CardLink(label="x", url="https://intranet.example/liver"),)),
        codes=Codes(liver_mri=(OrderCode(system="urn:s", code="1"), OrderCode(system="urn:s", code="2"))),
        trust=Trust(
            issuers=(Issuer(issuer="https://e.example", jku=("https://e.example/k",), profile="epic"),),
            max_lifetime=900,
        ),
    )
    document = made("epic", settings)
    assert "org.hospital.results" in {one["hook"] for one in document["services"]}
    assert document["links"] == [BASE, "https://intranet.example/liver"]
    assert {one["setting"]: one["codes"] for one in document["orders"]}["codes.liver_mri"] == 2
    assert (document["jwt"]["issuer"], document["jwt"]["jku"]) == ("https://e.example", "https://e.example/k")
    assert document["jwt"]["maxSeconds"] == 900


def test_nothing_of_another_client_is_pasted_and_nothing_is_lost(tmp_path: Path) -> None:
    """What is pasted over our settings must leave this client as it was, and give it no other's server."""
    (tmp_path / "k.json").write_text('{"keys": []}')
    one, two, other = "https://one.example", "https://two.example", "https://other.example"
    first = Issuer(
        issuer=one,
        jwks_file=tmp_path / "k.json",
        audiences=("the site's",),
        tenants=("main",),
        algorithms=("RS384",),
        profile="epic",
    )
    second = Issuer(issuer=two, jku=(f"{two}/a", f"{two}/b"), profile="epic")
    servers = (
        FhirServer(base="https://fhir.one.example", issuer=one, dialect="epic"),
        FhirServer(base="https://fhir.other.example", issuer=other),
        FhirServer(base="https://fhir.all.example", allow_http=True),
    )
    trust = Trust(issuers=(first, second, Issuer(issuer=other, jku=(f"{other}/k",))))
    settings = Settings(trust=trust, fhir=Fhir(servers=servers))
    whole = integration(PROFILES["epic"], settings, TEXTS, base=BASE)
    told = page(whole)
    assert other not in told
    assert "`the site's`" in told
    assert "PLACEHOLDER" not in told
    pasted = tmp_path / "vestige.toml"
    pasted.write_text(re.findall(r"```toml\n(.*?)\n```", told, re.DOTALL)[0])
    again = load(pasted, {})
    assert again.trust.issuers == (first, second)
    assert again.fhir.servers == (servers[0], servers[2])
    document = as_document(whole)
    assert document["fhirServers"] == [servers[0].base, servers[2].base]
    assert document["jwt"]["audiences"] == ["the site's"]


def test_placeholders_are_marked_as_such() -> None:
    told = page(integration(PROFILES["epic"], Settings(), TEXTS, base=BASE))
    assert len(re.findall(r"^(issuer|jku|base) = .*# PLACEHOLDER", told, re.MULTILINE)) == 3
    oracle = page(integration(PROFILES["oracle"], Settings(), TEXTS, base=BASE))
    assert re.findall(r"^(\w+) = .*# PLACEHOLDER", oracle, re.MULTILINE) == ["base"]


def test_override_reasons_are_those_on_the_cards() -> None:
    reasons = made("generic")["overrideReasons"]
    assert {one["code"] for one in reasons} == set(TEXTS.data["override"])
    assert all(one["display"] and one["system"] for one in reasons)


@pytest.mark.parametrize("name", module.ORDERS)
def test_each_order_has_a_setting_and_a_name(name: str) -> None:
    assert name in Codes.__struct_fields__
    assert module.ORDERS[name] in TEXTS.data["suggestions"]


@pytest.mark.parametrize("client", PROFILES)
def test_the_page_to_work_from(client: str, tmp_path: Path) -> None:
    answer = ran(client, "--base", BASE + "/")
    assert answer.returncode == 0, answer.stderr
    document = json.loads(ran(client, "--base", BASE, "--json").stdout)
    assert document == made(client)
    blocks = re.findall(r"```(\w+)\n(.*?)\n```", answer.stdout, re.DOTALL)
    pasted = dict(line.split(" = ", 1) for line in blocks[0][1].splitlines())
    assert pasted == {one["key"]: one["query"] for one in document["prefetch"]}
    for one in (*document["services"], *document["overrideReasons"]):
        assert one.get("url", one.get("code")) in answer.stdout
    for limit in document["limits"]:
        assert limit in answer.stdout
    settings = tmp_path / "vestige.toml"
    settings.write_text(dict(blocks)["toml"])
    issuer = load(settings, {}).trust.issuers[0]
    assert (issuer.profile, list(issuer.algorithms)) == (client, document["jwt"]["algorithms"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["cerner", "--base", BASE], "no client is called 'cerner'"),
        (["epic"], "--base"),
        (["epic", "--base", "cds.example"], "no http or https address"),
        (["epic", "--base", "https://cds.example?x=1"], "it holds a query or fragment"),
        (["epic", "--base", ""], "--base cannot be used: it is empty"),
        (["epic", "--base", "https://u:secret@cds.example"], "user name or password"),
        (["epic", "--base", "https://cds.example:99999"], "no valid address"),
        (["epic", "--base", "https://cds example"], "a character that no address has"),
        (["epic", "--base", "https://cds.example/a|b"], "a character that no address has"),
        (["epic", "--base", BASE + "/cds-services/"], "end before /cds-services"),
        (["epic", "--base", "http://cds.example"], "by https"),
    ],
)
def test_what_cannot_be_said_is_2(arguments: list[str], named: str) -> None:
    answer = ran(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert named in answer.stderr
    assert "secret" not in answer.stderr
