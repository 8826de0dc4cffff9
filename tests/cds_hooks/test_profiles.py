"""Client profiles as data: what each client can fill, take in and send, held against what we publish and make."""

import json
from typing import Any, get_args

import pytest

from cds_hooks.app import create_app
from cds_hooks.cards import card
from cds_hooks.feedback import read_feedback
from cds_hooks.hooks import HOOKS
from cds_hooks.profiles import PROFILES
from cds_hooks.services import SERVICES
from cds_hooks.templates import TOKEN
from cds_hooks.trust import ANYBODY
from plugin.decision import Suggestion
from plugin.errors import SettingsError
from plugin.pull import PREFETCH
from plugin.pull.queries import path
from plugin.settings import CardLink, Cards, Issuer, Profile, Service, Settings, Trust, checked
from tests.cds_hooks.clients import CLIENTS, Unfilled, parsed
from tests.cds_hooks.jwts import PUBLIC, key_file, rsa_client
from tests.cds_hooks.serving import DRAFT, Said, advice, body, post, served

CONTEXT = {"patientId": "e.b-C9", "userId": "PractitionerRole/r-1"}
LINKS = (
    CardLink(label="Guideline", url="https://intranet.example/liver"),
    CardLink(label="Viewer", url="https://viewer.example/launch", type="smart"),
)


def test_every_profile_a_site_may_choose_is_there() -> None:
    assert set(get_args(Profile)) == set(PROFILES)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_whole(name: str) -> None:
    profile = PROFILES[name]
    assert profile.source
    assert profile.limits or name == "generic"
    assert set(profile.fires) <= set(HOOKS)
    assert profile.cards.selection_behavior in profile.cards.selection_behaviors
    assert profile.cards.detail_type is None or profile.cards.detail_type in profile.cards.detail_types
    assert set(profile.cards.link_types) <= {"absolute", "smart"}


@pytest.mark.parametrize("key", PREFETCH)
@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_asks_for_what_we_would_ask_for(client: str, key: str) -> None:
    """The matrix of clients: each fills each template, and comes out with the search that the pull would send."""
    assert CLIENTS[client](PREFETCH[key], CONTEXT) == parsed(path(PREFETCH[key], CONTEXT["patientId"]))


@pytest.mark.parametrize("key", PREFETCH)
@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_knows_the_tokens(name: str, key: str) -> None:
    assert set(TOKEN.findall(PREFETCH[key])) <= set(PROFILES[name].prefetch.tokens)


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda one: one.id)
def test_templates_need_no_more_than_the_hook_gives(service: Any) -> None:
    context = dict.fromkeys(service.hook.required, "x") | {"userId": "Practitioner/x"}
    for template in PREFETCH.values():
        for fill in CLIENTS.values():
            fill(template, context)


@pytest.mark.parametrize(
    ("client", "template"),
    [
        ("specification", "Encounter/{{context.encounterId}}"),
        ("sandbox", "Encounter/{{context.encounterId}}"),
        ("epic", "Patient/{{userPatientId}}"),
        ("hapi", "Practitioner/{{userPractitionerId}}"),
        ("hapi", "Encounter?patient={{context.patientId}}&_id={{context.encounterId}}"),
    ],
)
def test_the_clients_of_the_matrix_can_fail(client: str, template: str) -> None:
    with pytest.raises(Unfilled):
        CLIENTS[client](template, CONTEXT)


def test_the_sandbox_turns_and_into_or() -> None:
    twice = "Observation?patient={{context.patientId}}&date=ge2020&date=le2021"
    assert CLIENTS["sandbox"](twice, CONTEXT) != CLIENTS["specification"](twice, CONTEXT)


@pytest.mark.parametrize("name", PROFILES)
def test_a_card_for_each_client(name: str) -> None:
    profile = PROFILES[name]
    made = card(advice(), profile=profile, links=LINKS)
    assert made["selectionBehavior"] in profile.cards.selection_behaviors
    for suggestion in made["suggestions"]:
        assert len(suggestion["actions"]) <= (profile.cards.actions_per_suggestion or 99)
        assert {action["type"] for action in suggestion["actions"]} <= set(profile.cards.action_types)
    assert {link["type"] for link in made["links"]} <= set(profile.cards.link_types)
    assert ("extension" in made) == (profile.cards.detail_type is not None)
    assert not [link for link in made["links"] if "appContext" in link or "autolaunchable" in link]


@pytest.mark.parametrize("name", PROFILES)
def test_the_link_to_the_timeline_says_what_it_is_about_to_who_hands_it_on(name: str) -> None:
    profile = PROFILES[name]
    launch = "https://cds.example/timeline/launch"
    links = card(advice(), profile=profile, links=LINKS, timeline=launch)["links"]
    about = {link["url"]: link.get("appContext") for link in links}
    assert {url for url, text in about.items() if text} <= {launch}, "on no other link"
    assert about.get(launch) == (
        json.dumps({"lesions": list(advice().subjects)}, separators=(",", ":"))
        if profile.cards.app_context and launch in about
        else None
    )
    assert (launch in about) == ("smart" in profile.cards.link_types)
    assert all("lesion" not in url and "patient" not in url.lower() for url in about)


def test_there_are_clients_that_hand_the_context_on_and_one_that_does_not() -> None:
    assert PROFILES["generic"].cards.app_context
    assert not PROFILES["oracle"].cards.app_context


def test_an_order_that_a_client_does_not_make_is_not_suggested() -> None:
    task = Suggestion(label="Ask", description="Ask", resource={"resourceType": "Task", "status": "draft"})
    assert len(card(advice(suggestions=(task,)))["suggestions"]) == 1
    kept = card(advice(suggestions=(task,)), profile=PROFILES["epic"])
    assert kept["suggestions"] == []
    assert "selectionBehavior" not in kept


def test_a_clients_own_order_codes_stand_first() -> None:
    own = PROFILES["epic"].orders.systems[0]
    codings = [*DRAFT["code"]["coding"], {"system": own, "code": "7"}]
    one = Suggestion(label="l", description="d", resource={**DRAFT, "code": {"coding": codings, "text": "t"}})
    sent = {
        name: card(advice(suggestions=(one,)), profile=PROFILES[name])["suggestions"][0]["actions"][0][
            "resource"
        ]
        for name in ("generic", "epic")
    }
    assert [coding["system"] for coding in sent["epic"]["code"]["coding"]] == [own, "http://loinc.org"]
    assert sent["generic"]["code"]["coding"] == codings
    assert sent["epic"]["code"]["text"] == "t"


def test_links_are_those_of_the_site_to_the_letter() -> None:
    made = card(advice(detail="[x](https://elsewhere.example)"), links=LINKS)
    assert made["links"] == [
        {"label": "Guideline", "url": "https://intranet.example/liver", "type": "absolute"},
        {"label": "Viewer", "url": "https://viewer.example/launch", "type": "smart"},
    ]
    assert card(advice())["links"] == []


@pytest.mark.parametrize(
    "address",
    [
        "intranet.example",
        "http://intranet.example",
        "https://a@b.example",
        "https://b.example/x y",
        "javascript:x",
        "https://",
    ],
)
def test_links_that_no_client_should_follow(address: str) -> None:
    with pytest.raises(SettingsError, match=r"cards.links\[0\].url"):
        checked(Settings(cards=Cards(links=(CardLink(label="x", url=address),))))


@pytest.mark.parametrize("name", PROFILES)
def test_each_dialect_of_feedback_is_read(name: str) -> None:
    dialect = PROFILES[name].feedback
    base = {"card": "c1", "outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"}
    items = [
        {**base, member: {"reason": {"system": "urn:s", "code": "limited-time"}}}
        for member in dialect.reason_members
    ]
    if dialect.reason_extension:
        items.append({**base, "extension": {dialect.reason_extension + "reasonCategory": "limited-time"}})
    sent = json.dumps({"feedback": items}).encode()
    read = read_feedback(sent, service="s", caller=ANYBODY, comments=False)
    assert [item.reason_code for item in read] == ["limited-time"] * len(items)


def test_the_profile_is_that_of_the_issuer(tmp_path: Any) -> None:
    client = rsa_client()
    issuer = Issuer(issuer=client.issuer, jwks_file=key_file(tmp_path, client), profile="epic")
    settings = Settings(
        service=Service(public_url=PUBLIC),
        trust=Trust(issuers=(issuer,), replay_store="process"),
        cards=Cards(links=LINKS),
    )
    with served(create_app(settings, Said(advices=(advice(),)))) as base:
        answer = post(
            f"{base}/cds-services/crlm-lesion-review", body(), Authorization=f"Bearer {client.token()}"
        )
    (made,) = answer.json()["cards"]
    assert made["extension"] == {"com.epic.cdshooks.card.detail.content-type": "text/markdown"}
    assert [link["url"] for link in made["links"]] == [link.url for link in LINKS]
