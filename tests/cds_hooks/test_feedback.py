"""Feedback over real HTTP: every dialect that clients send, and what is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from cds_hooks.app import create_app
from cds_hooks.feedback import MAX_ITEMS, read_feedback
from cds_hooks.services import SERVICES
from cds_hooks.trust.caller import ANYBODY
from plugin.errors import CallError, StoreError
from plugin.rows import FeedbackItem
from tests.cds_hooks.serving import Said, open_settings, post, served

PATH = "/cds-services/crlm-order-sign/feedback"
WHEN = "2026-11-21T10:00:00.123Z"


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def address(said: Said) -> Iterator[str]:
    with served(create_app(open_settings(), said)) as base:
        yield base + PATH


def accepted(**changes: Any) -> dict[str, Any]:
    return {
        "card": "c1",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "s1"}],
        "outcomeTimestamp": WHEN,
        **changes,
    }


def overridden(**changes: Any) -> dict[str, Any]:
    return {"card": "c1", "outcome": "overridden", "outcomeTimestamp": WHEN, **changes}


def test_accepted_and_overridden_are_kept(address: str, said: Said) -> None:
    reason = {
        "reason": {"system": "urn:s", "code": "limited-time", "display": "No time"},
        "userComment": "free text",
    }
    answer = post(address, {"feedback": [accepted(), overridden(card="c2", overrideReason=reason)]})
    assert (answer.status_code, answer.content) == (200, b"")
    one, two = said.feedback
    assert (one.service, one.card, one.outcome, one.accepted) == (
        "crlm-order-sign",
        "c1",
        "accepted",
        ("s1",),
    )
    assert one.at == datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC)
    assert (two.reason_system, two.reason_code, two.reason_display) == ("urn:s", "limited-time", "No time")
    assert two.comment is None, "free text is kept only where the site says so"


def test_comments_are_kept_where_the_site_says_so() -> None:
    body = b'{"feedback":[{"card":"c","outcome":"overridden","outcomeTimestamp":"2026-11-21T10:00:00Z","overrideReason":{"userComment":"x"}}]}'
    (item,) = read_feedback(body, service="s", caller=ANYBODY, comments=True)
    assert item.comment == "x"


@pytest.mark.parametrize(
    "item",
    [
        overridden(),
        overridden(overrideReason={"userComment": "only words"}),
        overridden(overrideReason={"reason": {"code": "a", "system": "b"}}),
        overridden(overrideReasons={"reason": {"code": "a", "system": "b"}}),
        overridden(extension={"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "7"}),
        overridden(card="12345-not-a-uuid"),
        overridden(overrideReasons=[{"reason": {"code": "a", "system": "b"}}, {"reason": {"code": "c"}}]),
        overridden(overrideReasons=[]),
        overridden(overrideReason=None, acceptedSuggestions=None, extension=None),
        overridden(overrideReason={"reason": None, "userComment": None}),
        overridden(overrideReason={"reason": {}, "extension": {"x": 1}}, acceptedSuggestions=[]),
        overridden(acceptedSuggestions="not looked at where nothing was accepted"),
        accepted(outcomeTimestamp="2026-11-21t10:00:00.123456789z"),
        accepted(outcomeTimestamp="2026-11-21T10:00:00-05:30"),
        accepted(acceptedSuggestions=[{"id": "a"}, {"id": "b", "foo": 1}]),
        accepted(outcomeTimestamp="2026-11-21T10:00:00+01:00"),
        accepted(outcomeTimestamp="2026-11-21T10:00:00Z", unknown={"x": None}),
    ],
)
def test_dialects_taken(address: str, said: Said, item: dict[str, Any]) -> None:
    assert post(address, {"feedback": [item]}).status_code == 200
    assert len(said.feedback) == 1


def test_epic_reason_from_the_extension() -> None:
    prefix = "com.epic.cdshooks.feedback.overrideReason."
    item = overridden(extension={prefix + "reasonCategory": "7", prefix + "reasonDisplay": "Not now"})
    (kept,) = read_feedback(
        json.dumps({"feedback": [item]}).encode(),
        service="s",
        caller=replace(ANYBODY, issuer="c"),
        comments=False,
    )
    assert (kept.reason_code, kept.reason_display, kept.client) == ("7", "Not now", "c")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({}, "feedback must be"),
        ([], "feedback must be"),
        ({"feedback": []}, "feedback must be"),
        ({"feedback": {}}, "feedback must be"),
        ({"feedback": [7]}, "feedback[0] must be"),
        ({"feedback": [accepted(card=None)]}, "feedback[0].card"),
        ({"feedback": [accepted(card=7)]}, "feedback[0].card"),
        ({"feedback": [accepted(card="")]}, "feedback[0].card"),
        ({"feedback": [accepted(card="a\0b")]}, "feedback[0].card"),
        ({"feedback": [overridden(overrideReasons=["text"])]}, "feedback[0].overrideReasons"),
        ({"feedback": [accepted(outcome="ignored")]}, "feedback[0].outcome"),
        ({"feedback": [accepted(acceptedSuggestions=None)]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [accepted(acceptedSuggestions=[])]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [accepted(acceptedSuggestions=["s1"])]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [accepted(acceptedSuggestions=[{"id": 7}])]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [overridden(overrideReason="text")]}, "feedback[0].overrideReason"),
        ({"feedback": [overridden(overrideReason={"reason": "text"})]}, "feedback[0].overrideReason"),
        ({"feedback": [overridden(overrideReason={"userComment": 7})]}, "feedback[0].overrideReason"),
        ({"feedback": [accepted(outcomeTimestamp=None)]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [accepted(outcomeTimestamp="yesterday")]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [accepted(outcomeTimestamp="2026-11-21")]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [accepted(outcomeTimestamp="2026-11-21T10:00:00")]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [accepted(outcomeTimestamp="2026-13-41T10:00:00Z")]}, "feedback[0].outcomeTimestamp"),
        (
            {"feedback": [accepted(outcomeTimestamp="0001-01-01T00:00:00+23:00")]},
            "feedback[0].outcomeTimestamp",
        ),
        ({"feedback": [accepted(), overridden(outcome="x")]}, "feedback[1].outcome"),
    ],
)
def test_refused_as_a_whole(address: str, said: Said, document: Any, named: str) -> None:
    answer = post(address, document)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["diagnostics"].startswith(named)
    assert said.feedback == []


def test_a_store_that_fails_is_no_success(said: Said, address: str) -> None:
    said.store_error = StoreError("the database cannot be written")
    answer = post(address, {"feedback": [accepted()]})
    assert answer.status_code == 503
    assert answer.json()["resourceType"] == "OperationOutcome"


def kept(*items: dict[str, Any], comments: bool = False) -> list[FeedbackItem]:
    body = json.dumps({"feedback": list(items)}).encode()
    return read_feedback(body, service="s", caller=ANYBODY, comments=comments)


def test_epic_reason_beside_the_override_itself() -> None:
    """Epic's sample holds its extension inside `overrideReasons`, in place of `reason`."""
    prefix = "com.epic.cdshooks.feedback.overrideReason."
    inside = {"extension": {prefix + "reasonCategory": "7", prefix + "reasonTitle": "Not now"}}
    (one,) = kept(overridden(overrideReasons=inside))
    assert (one.reason_code, one.reason_display) == ("7", "Not now")


def test_a_uuid_in_capitals_is_the_one_we_made() -> None:
    made = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    (one,) = kept(accepted(card=made.upper(), acceptedSuggestions=[{"id": made.upper()}]))
    assert (one.card, one.accepted) == (made, (made,))
    (other,) = kept(overridden(card="ABC-1"))
    assert other.card == "ABC-1"


@pytest.mark.parametrize("words", [None, "", "   ", "because"])
def test_that_there_were_words_is_known_where_they_are_not_kept(words: str | None) -> None:
    (one,) = kept(overridden(overrideReason={"userComment": words}))
    assert (one.commented, one.comment) == (words == "because", None)


def test_control_characters_do_not_reach_the_database() -> None:
    reason = {"reason": {"code": "a\0b", "system": "c\x07"}, "userComment": "x\0y"}
    (one,) = kept(overridden(overrideReason=reason), comments=True)
    assert (one.reason_code, one.reason_system, one.comment) == ("ab", "c", "xy")
    for item in (overridden(card="a\0b"), accepted(acceptedSuggestions=[{"id": "a\0b"}])):
        with pytest.raises(CallError, match="control characters"):
            kept(item)


def test_who_answered_is_taken_from_the_token_and_not_from_the_body() -> None:
    caller = replace(ANYBODY, issuer="https://ehr.example", tenant="t1")
    body = json.dumps({"feedback": [overridden(client="https://evil.example", tenant="t2")]}).encode()
    (one,) = read_feedback(body, service="s", caller=caller, comments=False)
    assert (one.client, one.tenant) == ("https://ehr.example", "t1")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_takes_feedback(service: str, address: str, said: Said) -> None:
    base = address.removesuffix(PATH)
    answer = post(f"{base}/cds-services/{service}/feedback", {"feedback": [overridden()]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert [one.service for one in said.feedback] == [service]


def test_several_cards_in_one_body_and_the_limit(address: str, said: Said) -> None:
    many = [overridden(card=f"c{number}") for number in range(MAX_ITEMS)]
    assert post(address, {"feedback": many}).status_code == 200
    assert len(said.feedback) == MAX_ITEMS
    assert post(address, {"feedback": [*many, overridden()]}).status_code == 400
    assert len(said.feedback) == MAX_ITEMS


def test_feedback_on_a_service_that_there_is_not(address: str, said: Said) -> None:
    answer = post(address.replace("crlm-order-sign", "unknown"), {"feedback": [overridden()]})
    assert answer.status_code == 404
    assert said.feedback == []


def test_the_analytics_address_of_old_drafts_is_not_there(address: str) -> None:
    answer = post(address.replace("/feedback", "/analytics/d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"), {})
    assert answer.status_code == 404


def test_words_of_a_person_are_not_logged(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        post(address, {"feedback": [overridden(overrideReason={"userComment": "Secret words"})]})
        post(address, {"feedback": [overridden(outcome="Secret words")]})
    assert "Secret words" not in caplog.text


def test_counts(said: Said, address: str) -> None:
    post(address, {"feedback": [accepted(), overridden()]})
    counts = requests.get(address.replace(PATH, "/metrics"), timeout=60).text
    assert 'vestige_feedback_total{outcome="accepted",service="crlm-order-sign"} 1' in counts
