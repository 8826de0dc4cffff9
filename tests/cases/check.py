"""Compares a decision with what a case expects; gives one line for each difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plugin.advice import advise
from plugin.decision import Advice, Decision
from plugin.settings import Settings
from rules.finding import Finding

ROWS = ("DQ-", "LS-", "RC-")
OPEN = frozenset({"DA-12", "DA-13", "DC-01s", "DC-12", "DC-14i", "DA-03p"})
CLOSED_DQ = frozenset({"DQ-09", "DQ-09w", "DQ-11", "LS-10"})
RESPONSE = "F12"


def differences(decision: Decision, told: Mapping[str, Any], settings: Settings) -> list[str]:
    """What the decision has that the case does not expect, and the other way round."""
    expect = told["expect"]
    return [
        *_lesions(decision, expect.get("lesions", {})),
        *_patient(decision, expect),
        *_response(decision, expect, settings),
        *_rules(decision, expect),
        *_cards(decision, expect.get("cards", {}), settings),
    ]


def _lesions(decision: Decision, expect: Mapping[str, str]) -> Iterator[str]:
    found = {each.label: " ".join([each.status, *each.reasons]) for each in decision.lesions}
    for label in sorted({*found, *expect}):
        if found.get(label) != expect.get(label):
            yield f"lesion {label}: expected {expect.get(label)}, is {found.get(label)}"


def _patient(decision: Decision, expect: Mapping[str, Any]) -> Iterator[str]:
    if "patient" in expect:
        found = " ".join(filter(None, [decision.patient_status, decision.certainty]))
        wanted = str(expect["patient"])
        if found != wanted and decision.patient_status != wanted:
            yield f"patient: expected {wanted}, is {found}"


def _response(decision: Decision, expect: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    for key, kind in (("target", "target_response"), ("overall", "overall_response")):
        found = decision.fact(kind).get("value")
        if key in expect and found != expect[key]:
            yield f"{key} response: expected {expect[key]}, is {found}"
    if "response" in expect:
        cards = advise(decision, "patient-view", settings=settings)
        text = "\n".join(one.detail for one in cards if one.family == RESPONSE)
        yield from (
            f"{word!r} is not in the response" for word in expect["response"] if str(word) not in text
        )


def _rules(decision: Decision, expect: Mapping[str, Any]) -> Iterator[str]:
    names = {each.id: each.label for each in decision.lesions}
    found: dict[str, dict[str, set[str]]] = {}
    for finding in decision.findings:
        if finding.status == "active":
            about = found.setdefault(finding.rule, {}).setdefault(finding.indicator, set())
            if finding.subject is not None:
                about.add(names.get(finding.subject, finding.subject))
    rules: Mapping[str, str] = expect.get("rules", {})
    for rule, said in rules.items():
        wanted = _wanted(said)
        here = found.get(rule, {})
        if set(wanted) != set(here):
            yield f"rule {rule}: expected {_shown(wanted)}, is {_shown(here) or 'silent'}"
        else:
            for indicator, lesions in wanted.items():
                if lesions and lesions != here[indicator]:
                    yield f"rule {rule}: expected {_shown(wanted)}, is {_shown(here)}"
    for rule in sorted(set(found) - set(rules)):
        if rule in expect.get("not", ()) or _closed(rule):
            yield f"rule {rule}: expected silent, is {_shown(found[rule])}"


def _wanted(said: str) -> dict[str, set[str]]:
    parts = (one.split() for one in said.split(";"))
    return {words[0]: set(words[1:]) for words in parts}


def _shown(rule: Mapping[str, set[str]]) -> str:
    return "; ".join(" ".join([indicator, *sorted(rule[indicator])]) for indicator in sorted(rule))


def _closed(rule: str) -> bool:
    """Whether a rule that a case does not name must be silent: every one that can be a card."""
    return rule in CLOSED_DQ or not (rule.startswith(ROWS) or rule in OPEN)


def _cards(decision: Decision, expect: Mapping[str, Sequence[Any]], settings: Settings) -> Iterator[str]:
    for hook, wanted in expect.items():
        found = [one for one in advise(decision, hook, settings=settings) if one.family != RESPONSE]
        shown = [f"{one.family} {one.indicator}" for one in found]
        named = [one if isinstance(one, str) else one["card"] for one in wanted]
        if shown != named:
            yield f"cards on {hook}: expected {named}, are {[(s, c.summary) for s, c in zip(shown, found, strict=True)]}"
            continue
        for one, card in zip(wanted, found, strict=True):
            if not isinstance(one, str):
                yield from _words(one, card, hook)


def _words(one: Mapping[str, Any], card: Advice, hook: str) -> Iterator[str]:
    for part, text in (("summary", card.summary), ("detail", card.detail)):
        for word in one.get(part, ()):
            if str(word).casefold() not in text.casefold():
                yield f"{hook} {card.family}: {word!r} is not in the {part}: {text!r}"
    for word in one.get("never", ()):
        if str(word).casefold() in f"{card.summary}\n{card.detail}".casefold():
            yield f"{hook} {card.family}: {word!r} is on the card"
    codes = {
        coding["code"]
        for order in card.suggestions
        for coding in order.resource.get("code", {}).get("coding", ())
    }
    if one.get("no_order") in codes:
        yield f"{hook} {card.family}: {one['no_order']} is offered"
    options = card.detail.partition("**Options**")[2]
    places = [options.find(str(word)) for word in one.get("options", ())]
    if places != sorted(places) or -1 in places:
        yield f"{hook} {card.family}: {one['options']} do not stand in this order: {options!r}"
    offered = len(card.suggestions)
    if "orders" in one and offered != one["orders"]:
        yield f"{hook} {card.family}: expected {one['orders']} suggestions, are {offered}"


def spoken(findings: Sequence[Finding]) -> set[tuple[str, str | None, str | None, str]]:
    """Findings without their sources, to compare two decisions."""
    return {(one.rule, one.case, one.subject, one.indicator) for one in findings}
