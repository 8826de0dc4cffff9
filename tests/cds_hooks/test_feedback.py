"""Feedback over real HTTP: every dialect that clients send, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from cds_hooks.app import create_app
from cds_hooks.feedback import read_feedback
from plugin.errors import StoreError
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
    (item,) = read_feedback(body, service="s", client=None, comments=True)
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
        accepted(acceptedSuggestions=[{"id": "a"}, {"id": "b", "foo": 1}]),
        accepted(outcomeTimestamp="2026-11-21T10:00:00+01:00"),
        accepted(outcomeTimestamp="2026-11-21T10:00:00Z", unknown={"x": None}),
    ],
)
def test_dialects_taken(address: str, said: Said, item: dict[str, Any]) -> None:
    assert post(address, {"feedback": [item]}).status_code == 200
    assert len(said.feedback) == 1


def test_epic_reason_from_the_extension() -> None:
    import json

    prefix = "com.epic.cdshooks.feedback.overrideReason."
    item = overridden(extension={prefix + "reasonCategory": "7", prefix + "reasonDisplay": "Not now"})
    (kept,) = read_feedback(
        json.dumps({"feedback": [item]}).encode(), service="s", client="c", comments=False
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


def test_counts(said: Said, address: str) -> None:
    post(address, {"feedback": [accepted(), overridden()]})
    counts = requests.get(address.replace(PATH, "/metrics"), timeout=10).text
    assert 'vestige_feedback_total{outcome="accepted",service="crlm-order-sign"} 1' in counts
