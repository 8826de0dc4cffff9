"""No text of the record can break a summary or a table, whatever it holds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from plugin.advice import advise
from plugin.advice.markdown import clean, cut, escape, natural, plain, table, units
from plugin.settings import Settings
from tests.plugin.advising import decided, fact, lesion

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
AUTOLINK = re.compile(r"(?i)www\.|https?:/|ftp:/|[\w.+-]@[\w]")
"""What GitHub-flavoured Markdown makes a link of without any brackets."""
NASTY = [
    "a|b", "`code`", "**bold**", "_x_", "<script>alert(1)</script>", "[x](http://evil.example)", "&lt;b&gt;", "a\nb", "a\r\n\r\n# b",
    "www.evil.example", "x@evil.example", "~~s~~", "\\|", "\\", "|", "||||", "<!-- x", "![i](j)", "- [ ] x", "1. x", "\u202eevil", "\u200b",
    "\U0001f9ec" * 10, "e\u0301" * 20, "x" * 500, "--- | ---", "$x$", "^1", ":smile:", "http://evil.example", "\x00\x07", "{lesions}", "%s", "",
]  # fmt: skip
LABELS = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))


def tokens(text: str) -> list[str]:
    found = []
    for token in READER.parse(text):
        found.append(token.type)
        found += [child.type for child in token.children or ()]
    return found


def rows(text: str) -> list[int]:
    """The number of cells of each row of the tables in a text."""
    counts: list[int] = []
    for token in READER.parse(text):
        if token.type == "tr_open":
            counts.append(0)
        elif token.type in ("td_open", "th_open"):
            counts[-1] += 1
    return counts


@given(LABELS, LABELS)
@hypothesis_settings(max_examples=100)
def test_no_label_breaks_a_table(first: str, second: str) -> None:
    made = table(["A", "B", "C"], [[escape(first), escape(second), "end"]])
    assert rows(made) == [3, 3]
    assert not AUTOLINK.search(made)
    assert not {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "code_inline",
        "em_open",
        "strong_open",
        "s_open",
    } & set(tokens(made))


@given(LABELS)
@hypothesis_settings(max_examples=100)
def test_a_label_reads_as_it_was_written(label: str) -> None:
    """What a reader sees is the label, cut and on one line; nothing is added and nothing acts."""
    inline = READER.parseInline(escape(label, 40))[0]
    shown = "".join(child.content for child in inline.children or ())
    assert shown == plain_of(label)


def plain_of(label: str) -> str:
    return cut(clean(label), 40).strip()


@given(LABELS)
@hypothesis_settings(max_examples=100)
def test_a_label_in_a_summary_is_short_and_plain(label: str) -> None:
    made = plain(label)
    assert units(made) <= 8
    assert "\n" not in made
    assert not set(made) & set("\\`*_{}[]<>|#~&")


@given(st.lists(LABELS, min_size=1, max_size=12))
@hypothesis_settings(max_examples=40)
def test_every_card_survives_every_label(labels: list[str]) -> None:
    plan = {"disposition": "watch-and-wait"}
    statuses = ("VISIBLE", "APPARENT_DLM", "CONFIRMED_DLM", "CANNOT_DECIDE", "MISSING_IOUS")
    facts = [
        lesion(f"BodyStructure/{place}", statuses[place % 5], label=label or "-", reason="quality", **plan)
        for place, label in enumerate(labels)
    ]
    made = decided(
        *facts,
        fact("patient", id="P", today=lesion("x", "VISIBLE")[1].values["asOf"], trackedLesions=1),
        today=facts[0][1].values["asOf"],
    )
    found = advise(made, "patient-view", settings=Settings())
    assert found
    for card in found:
        assert 0 < units(card.summary) < 140
        assert "\n" not in card.summary
        assert set(rows(card.detail)) <= {5}
        assert not {"html_inline", "html_block", "link_open", "image", "code_inline"} & set(
            tokens(card.detail)
        )
        assert card.topic.isalnum()


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["L10", "L2", "L1"], ["L1", "L2", "L10"]),
        (["b", "A", "10", "9"], ["9", "10", "A", "b"]),
        (["L2a", "L2", "L2b"], ["L2", "L2a", "L2b"]),
        (["", "L1"], ["", "L1"]),
    ],
)
def test_natural_order(labels: list[str], wanted: list[str]) -> None:
    assert sorted(labels, key=natural) == wanted


def test_a_plain_label_stays_readable_as_text() -> None:
    assert escape("L2") == "L2"
    assert escape("Segment VIII") == "Segment VIII"
