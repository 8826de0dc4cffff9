"""Advice to card: whatever the advice says, the card keeps to the specification."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_hooks.cards import card, late_card, one_line, response, without_tags
from cds_hooks.profiles import PROFILES
from cds_hooks.wire import pruned, render
from plugin.decision import Advice, OverrideReason, Suggestion
from tests.cds_hooks.serving import DRAFT, REASON, advice

NASTY = st.text(st.characters(codec="utf-8"), max_size=300) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "a|b",
        "`x`",
        "\n\n# h",
        "\u202e",
        "𝔘" * 100,
        "x" * 500,
        "</td>",
        "<!--",
        "<?php",
        "&lt;b&gt;",
    ]
)
SAID = NASTY.map(lambda text: "L1 " + text)
RESOURCES = st.fixed_dictionaries(
    {
        "resourceType": st.just("ServiceRequest"),
        "note": st.lists(NASTY, max_size=2),
        "empty": st.sampled_from([None, "", [], {}]),
    }
)
SUGGESTIONS = st.builds(
    Suggestion, label=SAID, description=NASTY, resource=RESOURCES, recommended=st.booleans()
)
REASONS = st.builds(OverrideReason, code=st.sampled_from(["a", "b"]), display=SAID, system=st.just("urn:s"))
ADVICES = st.builds(
    Advice,
    family=st.just("F1"),
    indicator=st.sampled_from(["info", "warning", "critical"]),
    summary=SAID,
    detail=NASTY,
    rules=st.lists(st.sampled_from(["DA-10", "DC-01"]), max_size=2).map(tuple),
    subjects=st.just(("L1",)),
    topic=NASTY.map(lambda text: "F1 " + text),
    suggestions=st.lists(SUGGESTIONS, max_size=3).map(tuple),
    override_reasons=st.lists(REASONS, max_size=3).map(tuple),
    sources=st.just(()),
)


def walk(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from walk(child, f"{path}/{key}")
    if isinstance(value, list):
        for child in value:
            yield from walk(child, f"{path}[]")


@given(st.lists(ADVICES, max_size=3))
def test_envelope(advices: list[Advice]) -> None:
    document = json.loads(render(response(advices, source_url="https://cds.example")))
    assert set(document) == {"cards"}
    assert len(document["cards"]) == len(advices)
    assert not [path for path, value in walk(document) if path != "/cards" and value in (None, "", [], {})]
    uuids = [UUID(value) for path, value in walk(document) if path.endswith("/uuid")]
    assert len(set(uuids)) == len(uuids)
    assert {uuid.version for uuid in uuids} <= {4}
    for made, given_advice in zip(document["cards"], advices, strict=True):
        check_card(made, given_advice)


def check_card(made: dict, given_advice: Advice) -> None:
    assert set(made) <= {
        "uuid",
        "summary",
        "detail",
        "indicator",
        "source",
        "suggestions",
        "selectionBehavior",
        "overrideReasons",
    }
    assert 0 < len(made["summary"].encode("utf-16-le")) // 2 < 140
    assert len(made["summary"].splitlines()) == 1
    assert made["indicator"] == given_advice.indicator
    assert made["source"]["label"] == "Vestige"
    assert made["source"]["url"] == "https://cds.example"
    topic = made["source"]["topic"]
    assert topic["code"].isascii()
    assert topic["code"].isalnum()
    assert len(topic["code"]) <= 100
    assert topic["system"]
    assert topic["display"]
    assert ("suggestions" in made) == ("selectionBehavior" in made) == bool(given_advice.suggestions)
    assert made.get("selectionBehavior", "any") == "any"
    for suggestion in made.get("suggestions", []):
        assert suggestion["label"]
        assert suggestion.get("isRecommended", True) is True
        (action,) = suggestion["actions"]
        assert action["type"] == "create"
        assert action["description"]
        assert action["resource"]["resourceType"] == "ServiceRequest"
    pairs = [(reason["system"], reason["code"]) for reason in made.get("overrideReasons", [])]
    assert len(set(pairs)) == len(pairs)
    assert all(reason["display"] for reason in made.get("overrideReasons", []))


@given(NASTY)
def test_no_raw_html_leaves(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(without_tags(text))
    kinds = [token.type for block in tokens for token in [block, *(block.children or [])]]
    assert "html_block" not in kinds
    assert "html_inline" not in kinds


def test_comparisons_are_left_alone() -> None:
    assert without_tags("size < 5 mm, <10 mm, a <= b") == "size < 5 mm, <10 mm, a <= b"


def test_table_survives() -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(card(advice())["detail"])
    assert "table_open" in [token.type for token in tokens]


@pytest.mark.parametrize("length", [138, 139, 140, 141, 500])
def test_summary_limit_counts_utf16(length: int) -> None:
    assert len(one_line("x" * length)) == min(length, 139)
    assert len(one_line("𝔘" * length).encode("utf-16-le")) // 2 < 140


def test_card_as_it_is_sent() -> None:
    made = json.loads(render(response([advice()], source_url="https://cds.example")))["cards"][0]
    suggestion = made["suggestions"][0]
    assert UUID(made.pop("uuid"))
    assert UUID(suggestion.pop("uuid"))
    assert made == {
        "summary": "Lesion L1 is not confirmed as gone",
        "detail": "| a | b |\n|---|---|\n| 1 | 2 |",
        "indicator": "warning",
        "source": {
            "label": "Vestige",
            "url": "https://cds.example",
            "topic": {
                "system": "https://vestige.example/fhir/CodeSystem/card-topic",
                "code": "F1DA10",
                "display": "DA-10",
            },
        },
        "suggestions": [
            {
                "label": "Order ultrasound",
                "isRecommended": True,
                "actions": [{"type": "create", "description": "Order it", "resource": DRAFT}],
            }
        ],
        "selectionBehavior": "any",
        "overrideReasons": [{"system": REASON.system, "code": REASON.code, "display": REASON.display}],
    }


def test_suggestion_that_is_not_recommended_says_nothing_of_it() -> None:
    made = card(advice(suggestions=(Suggestion(label="l", description="d", resource=DRAFT),)))
    assert "isRecommended" not in made["suggestions"][0]


def test_order_is_kept() -> None:
    made = response([advice(summary=f"No {number}") for number in range(5)])
    assert [one["summary"] for one in made["cards"]] == [f"No {number}" for number in range(5)]


def test_epic_names_the_content_type_of_the_detail() -> None:
    assert card(advice(), profile=PROFILES["epic"])["extension"] == {
        "com.epic.cdshooks.card.detail.content-type": "text/markdown"
    }


@pytest.mark.parametrize("changes", [{"indicator": "hard-stop"}, {"summary": " \n"}, {"topic": "--"}])
def test_advice_that_cannot_become_a_card_is_a_fault(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        card(advice(**changes))


def test_late_card_says_that_nothing_was_assessed() -> None:
    made = late_card(4.0, source_url="https://cds.example")
    assert made["indicator"] == "warning"
    assert len(made["summary"]) < 140
    assert "nothing was assessed" in made["detail"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=20,
    )
)
def test_pruning_leaves_nothing_empty_and_loses_nothing_else(value: object) -> None:
    kept = pruned(value)
    assert not [path for path, child in walk(kept) if path and child in (None, "", [], {})]
    leaves = [
        child for _, child in walk(value) if not isinstance(child, list | dict) and child not in (None, "")
    ]
    assert [
        child for _, child in walk(kept) if not isinstance(child, list | dict) and child not in (None, "")
    ] == leaves
