"""Checks of cards: their own members, source, codings and override reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.items import Item, filled, listed, present
from cds_hooks.conformance.shown import value
from cds_hooks.conformance.subject import Subject

SUMMARY = 140
INDICATORS = ("info", "warning", "critical")
BEHAVIOURS = ("at-most-one", "any")
_TAG = re.compile(r"<[A-Za-z/!][^>]*>")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_MARKUP = re.compile(r"[\r\n]|\*\*|^#|\]\(|`")
_DOTTED = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+|https?://.+|urn:.+")


@check("cards.summary", 114)
def summary(subject: Subject) -> Iterator[Problem]:
    """Every card has a summary of text."""
    for card in subject.cards():
        if not filled(card.held.get("summary")):
            yield _problem(card, f"summary is {value(card.held.get('summary'))}")


@check("cards.summary-length", 114)
def summary_length(subject: Subject) -> Iterator[Problem]:
    """A summary has fewer than 140 characters."""
    for card, held in present(subject.cards(), "summary"):
        if isinstance(held, str) and len(held) >= SUMMARY:
            yield _problem(card, f"summary has {len(held)} characters")


@check("cards.summary-line", 115)
def summary_line(subject: Subject) -> Iterator[Problem]:
    """A summary is one line of plain text."""
    for card, held in present(subject.cards(), "summary"):
        if isinstance(held, str) and _MARKUP.search(held):
            yield _problem(card, f"summary {value(held)} has line breaks or Markdown")


@check("cards.detail", 116)
def detail(subject: Subject) -> Iterator[Problem]:
    """Detail is text."""
    for card, held in present(subject.cards(), "detail"):
        if not isinstance(held, str):
            yield _problem(card, f"detail is {value(held)}, no text")


@check("cards.detail-html", 116, strength="silent")
def detail_html(subject: Subject) -> Iterator[Problem]:
    """Detail holds no raw HTML, which some clients run and others show as it is."""
    for card, held in present(subject.cards(), "detail"):
        tag = _TAG.search(_CODE.sub("", held)) if isinstance(held, str) else None
        if tag:
            yield _problem(card, f"detail holds {value(tag[0])}")


@check("cards.indicator", 118)
def indicator(subject: Subject) -> Iterator[Problem]:
    """The indicator is info, warning or critical."""
    for card in subject.cards():
        if card.held.get("indicator") not in INDICATORS:
            yield _problem(card, f"indicator is {value(card.held.get('indicator'))}")


@check("cards.order", 111)
def order(subject: Subject) -> Iterator[Problem]:
    """The most urgent card comes first."""
    subject.cards()
    for call in subject.answered:
        ranks = [
            INDICATORS.index(card["indicator"])
            for card in call.cards
            if isinstance(card, dict) and card.get("indicator") in INDICATORS
        ]
        if ranks != sorted(ranks, reverse=True):
            yield Problem(f"{call.service.id}, {call.patient.name}: an urgent card comes late", call.answer)


@check("cards.uuid", 113, strength="SHALL")
def own_uuid(subject: Subject) -> Iterator[Problem]:
    """A card's uuid is text, and unlike that of every other card."""
    yield from unique_text(subject.cards())


@check("cards.source", 119)
def source(subject: Subject) -> Iterator[Problem]:
    """Every card has a source."""
    for card in subject.cards():
        if not isinstance(card.held.get("source"), dict):
            yield _problem(card, f"source is {value(card.held.get('source'))}")


@check("cards.source-label", 126)
def source_label(subject: Subject) -> Iterator[Problem]:
    """A source has a label of text."""
    for one in _sources(subject):
        if not filled(one.held.get("label")):
            yield _problem(one, f"label is {value(one.held.get('label'))}")


@check("cards.source-url", 127)
def source_url(subject: Subject) -> Iterator[Problem]:
    """A source's url is absolute."""
    yield from _addresses(subject, "url")


@check("cards.icon", 128)
def icon(subject: Subject) -> Iterator[Problem]:
    """A source's icon is an absolute address."""
    yield from _addresses(subject, "icon")


@check("cards.topic", 129, 130)
def topic(subject: Subject) -> Iterator[Problem]:
    """A topic is a Coding with code and system; an absent one is a warning, since some clients need it."""
    for one in _sources(subject):
        held = one.held.get("topic")
        if held is None:
            yield _problem(one, "there is no topic", mild=True)
        else:
            yield from _coding(one, "topic", held)


@check("cards.selection-behavior", 120, 121)
def selection_behavior(subject: Subject) -> Iterator[Problem]:
    """Suggestions come with a selectionBehavior of at-most-one or any."""
    for card, held in present(subject.cards(), "suggestions"):
        if held and card.held.get("selectionBehavior") not in BEHAVIOURS:
            yield _problem(card, f"selectionBehavior is {value(card.held.get('selectionBehavior'))}")


@check("cards.selection-alone", 122)
def selection_alone(subject: Subject) -> Iterator[Problem]:
    """No selectionBehavior stands on a card without suggestions."""
    for card, _ in present(subject.cards(), "selectionBehavior"):
        if not card.held.get("suggestions"):
            yield _problem(card, "selectionBehavior without suggestions")


@check("cards.recommended", 123, 135)
def recommended(subject: Subject) -> Iterator[Problem]:
    """With at-most-one, at most one suggestion is recommended."""
    for card, behaviour in present(subject.cards(), "selectionBehavior"):
        suggestions = listed(card.held.get("suggestions"))
        marked = [one for one in suggestions if isinstance(one, dict) and one.get("isRecommended") is True]
        if behaviour == "at-most-one" and len(marked) > 1:
            yield _problem(card, f"at-most-one, and {len(marked)} are recommended")


@check("cards.lists", 132, 151, 159)
def lists(subject: Subject) -> Iterator[Problem]:
    """suggestions, links and overrideReasons are lists of objects."""
    for name in ("suggestions", "links", "overrideReasons"):
        for card, held in present(subject.cards(), name):
            if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
                yield _problem(card, f"{name} is no list of objects")


@check("cards.override-reasons", 159, 130)
def override_reasons(subject: Subject) -> Iterator[Problem]:
    """Every override reason has a display, a code and a system."""
    for reason in subject.inside("overrideReasons"):
        for name in ("display", "code", "system"):
            if not filled(reason.held.get(name)):
                yield _problem(reason, f"{name} is {value(reason.held.get(name))}")


@check("cards.reasons-unique", 160)
def reasons_unique(subject: Subject) -> Iterator[Problem]:
    """No override reason stands on a card twice."""
    for card, held in present(subject.cards(), "overrideReasons"):
        pairs = Counter(
            (str(one.get("system")), str(one.get("code"))) for one in listed(held) if isinstance(one, dict)
        )
        for (_, code), count in pairs.items():
            if count > 1:
                yield _problem(card, f"the override reason {value(code)} stands there {count} times")


@check("cards.extension", 203)
def extension(subject: Subject) -> Iterator[Problem]:
    """An extension is an object, wherever it stands."""
    for holder, held in present(_extended(subject), "extension"):
        if not isinstance(held, dict):
            yield _problem(holder, f"extension is {value(held)}, no object")


@check("cards.extension-names", 202)
def extension_names(subject: Subject) -> Iterator[Problem]:
    """Names inside an extension are reverse-domain names."""
    for holder, held in present(_extended(subject), "extension"):
        for name in held if isinstance(held, dict) else ():
            if not _DOTTED.fullmatch(name):
                yield _problem(holder, f"extension {value(name)} is no reverse-domain name")


@check("cards.client", 113, 121, 129, 205, 206, 207, strength="silent")
def client(subject: Subject) -> Iterator[Problem]:
    """The cards are what the chosen client can show."""
    profile = subject.options.profile
    if profile.name == "generic":
        raise Skip("no client was chosen")
    for card in subject.cards():
        behaviour, held = card.held.get("selectionBehavior"), card.held.get("source")
        code = (
            held["topic"].get("code")
            if isinstance(held, dict) and isinstance(held.get("topic"), dict)
            else ""
        )
        wanted = profile.selection_behavior
        if wanted and behaviour in BEHAVIOURS and behaviour != wanted:
            yield _problem(card, f"{profile.name} shows no suggestion with {behaviour}")
        if profile.plain_topic and isinstance(code, str) and not re.fullmatch(r"[A-Za-z0-9]{0,100}", code):
            yield _problem(
                card, f"{profile.name} takes a topic code of letters and digits, not {value(code)}"
            )
        if profile.needs_card_uuid and not filled(card.held.get("uuid")):
            yield _problem(card, f"{profile.name} needs the uuid of a card to dismiss it")


def _problem(item: Item, text: str, *, mild: bool = False) -> Problem:
    return Problem(f"{item.where}: {text}", item.call.answer, mild)


def _sources(subject: Subject) -> list[Item]:
    found = [
        Item(held, f"{card.where}.source", card.call)
        for card, held in present(subject.cards(), "source")
        if isinstance(held, dict)
    ]
    if not found:
        raise Skip("no card has a source")
    return found


def _addresses(subject: Subject, name: str) -> Iterator[Problem]:
    for one, held in present(_sources(subject), name):
        if not absolute(held):
            yield _problem(one, f"{name} is {value(held)}, no absolute address")


def _coding(item: Item, name: str, held: Any) -> Iterator[Problem]:
    if not isinstance(held, dict):
        yield _problem(item, f"{name} is {value(held)}, no Coding")
        return
    for member in ("code", "system"):
        if not filled(held.get(member)):
            yield _problem(item, f"{name}.{member} is {value(held.get(member))}")


def unique_text(items: list[Item]) -> Iterator[Problem]:
    """Yields a problem for each uuid that is no text or occurs twice in one answer."""
    seen: set[tuple[int, str]] = set()
    for item, held in present(items, "uuid"):
        if not filled(held):
            yield _problem(item, f"uuid is {value(held)}, no text")
        elif (item.call.answer.number, held) in seen:
            yield _problem(item, "uuid is that of another one in this answer")
        else:
            seen.add((item.call.answer.number, held))


def _extended(subject: Subject) -> list[Item]:
    """Cards, their suggestions and links, and the answers themselves."""
    found = [Item(call.answer.object, f"{call.service.id}", call) for call in subject.answered]
    for name in ("", "suggestions", "links"):
        try:
            found += subject.inside(name) if name else subject.cards()
        except Skip:
            continue
    return found


def absolute(held: Any) -> bool:
    """Returns whether a value is an absolute http or https address with a host."""
    if not isinstance(held, str):
        return False
    try:
        parts = urlsplit(held)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
