"""The cards of the sample patients on every hook: what an EHR is sent, held against the whole of the protocol."""

import json
import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt

from cds_hooks.cards import INDICATORS, response
from cds_hooks.hooks import HOOKS
from cds_hooks.model import HookResponse, encoded
from cds_hooks.profiles import PROFILES
from cds_hooks.rulebook import evaluator_here
from fhir_profiles import samples
from fhir_profiles.check import check
from plugin.advice import advise
from plugin.advice.suggest import OVERRIDE_SYSTEM
from plugin.advice.text import texts_of
from plugin.decide import decide
from plugin.decision import Decision
from plugin.pull.files import chart_from_files
from plugin.settings import Rules, Settings
from rules.language import load_pack

TODAY = date(2026, 11, 21)
SETTINGS = Settings(rules=Rules(engine="reference"))
EVERYWHERE = [(name, hook) for name in samples.names() for hook in HOOKS]
WIDEST_TABLE = 6
LONGEST_DETAIL = 6000
LONGEST_CELL = 120
NO_ADVICE = ("F6", "F7")


@lru_cache(maxsize=len(samples.names()))
def decided(name: str) -> Decision:
    import tempfile

    sample = samples.sample(name, TODAY)
    context = {**sample.hook["context"], "encounterId": "e-1"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bundle.json"
        file.write_text(json.dumps(sample.bundle))
        chart = chart_from_files([file], {"hook": sample.hook["hook"], "context": context})
    with evaluator_here(SETTINGS) as evaluator:
        return decide(chart, evaluator, today=TODAY, settings=SETTINGS)


@lru_cache(maxsize=1000)
def made(name: str, hook: str, profile: str = "generic") -> list[dict[str, Any]]:
    advices = advise(decided(name), hook, settings=SETTINGS)
    body = encoded(
        response(advices, profile=PROFILES[profile], source_url="https://cds.example"), HookResponse
    )
    cards: list[dict[str, Any]] = json.loads(body)["cards"]
    return cards


def resources(cards: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for card in cards:
        for suggestion in card.get("suggestions", []):
            yield from (action["resource"] for action in suggestion["actions"])


def test_there_is_something_to_look_at() -> None:
    assert sum(len(made(*where)) for where in EVERYWHERE) > 50
    assert len(list(resources([card for where in EVERYWHERE for card in made(*where)]))) > 5


@pytest.mark.parametrize(("name", "hook"), EVERYWHERE)
def test_urgency_descends_and_the_same_call_gives_the_same_cards(name: str, hook: str) -> None:
    cards = made(name, hook)
    ranks = [
        INDICATORS.index(card["indicator"]) for card in cards if card["source"]["topic"]["code"][:3] != "F12"
    ]
    assert ranks == sorted(ranks, reverse=True)
    bare = [re.sub(r'"uuid": "[^"]+"', "", json.dumps(one)) for one in (cards, made.__wrapped__(name, hook))]
    assert bare[0] == bare[1]


@pytest.mark.parametrize(("name", "hook"), EVERYWHERE)
def test_a_summary_is_one_plain_sentence(name: str, hook: str) -> None:
    for card in made(name, hook):
        assert not re.search(r"[*_`#<>\[\]|\n]", card["summary"]), card["summary"]
        assert len(card["summary"].encode("utf-16-le")) // 2 < 140


@pytest.mark.parametrize(("name", "hook"), EVERYWHERE)
def test_detail_is_readable_in_a_narrow_pane_and_as_plain_text(name: str, hook: str) -> None:
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for card in made(name, hook):
        detail = card["detail"]
        kinds = {token.type for block in parser.parse(detail) for token in [block, *(block.children or [])]}
        assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_block", "fence"}
        assert len(detail) <= LONGEST_DETAIL
        for row in [line for line in detail.splitlines() if line.startswith("|")]:
            cells = row.strip("|").split(" | ")
            assert len(cells) <= WIDEST_TABLE
            assert max(len(cell.strip()) for cell in cells) <= LONGEST_CELL
        assert not re.search(r"&[a-z]+;|https?://", detail)


@pytest.mark.parametrize(("name", "hook"), EVERYWHERE)
def test_every_clinical_card_names_the_days_of_its_data(name: str, hook: str) -> None:
    for card in made(name, hook):
        if not card["source"]["topic"]["code"].startswith(NO_ADVICE):
            assert re.search(r"\b20\d\d-\d\d-\d\d\b", card["detail"]), card["detail"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", samples.names())
def test_drafts_are_new_valid_orders_of_this_patient_in_this_encounter(name: str, profile: str) -> None:
    patient = decided(name).patient
    for hook in HOOKS:
        for resource in resources(made(name, hook, profile)):
            assert check(resource) == ()
            assert "id" not in resource
            assert (resource["resourceType"], resource["status"]) == ("ServiceRequest", "draft")
            assert resource["intent"] == "order"
            assert resource["subject"] == {"reference": f"Patient/{patient}"}
            assert resource["encounter"] == {"reference": "Encounter/e-1"}


@pytest.mark.parametrize(("name", "hook"), EVERYWHERE)
def test_uuids_topics_sources_and_reasons(name: str, hook: str) -> None:
    cards = made(name, hook)
    uuids = re.findall(r'"uuid": "([^"]+)"', json.dumps(cards))
    assert len(set(uuids)) == len(uuids)
    topics = [card["source"]["topic"]["code"] for card in cards]
    assert len(set(topics)) == len(topics)
    for card in cards:
        where = urlsplit(card["source"]["url"])
        assert (where.scheme, where.query, where.fragment) == ("https", "", "")
        assert set(card["source"]) == {"label", "url", "topic"}
        assert card.get("selectionBehavior", "any") == "any"
        assert "links" not in card
    assert "actionSelectionBehavior" not in json.dumps(cards)
    assert "systemActions" not in json.dumps(cards)


@pytest.mark.parametrize("name", samples.names())
def test_dispatch_says_what_was_to_be_said_before_the_signature(name: str) -> None:
    said = [[card["summary"] for card in made(name, hook)] for hook in ("order-sign", "order-dispatch")]
    assert said[0] == said[1]


def test_override_reasons_have_one_meaning_each() -> None:
    """Epic maps each code once: a code has one system and one display on every card of every hook."""
    given = {
        (reason["system"], reason["code"], reason["display"])
        for where in EVERYWHERE
        for card in made(*where)
        for reason in card.get("overrideReasons", [])
    }
    listed = texts_of(load_pack().folder, "en").data["override"]
    assert {(code, display) for _, code, display in given} == set(listed.items())
    assert {system for system, _, _ in given} == {OVERRIDE_SYSTEM}


def test_no_rule_writes_an_address() -> None:
    texts = list((load_pack().folder / "text").glob("*.yaml"))
    assert texts
    assert not [path.name for path in texts if re.search(r"https?://|\]\(", path.read_text())]
