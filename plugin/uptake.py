"""Uptake of advice: how often cards were accepted and overridden, a rule and a reason at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import sqrt

import msgspec

from plugin.sent import Answered, Reply

Z = 1.959963984540054
"""The normal quantile of a two-sided interval of 95 %."""

NO_REASON = "no reason given"
WORDS_ONLY = "words only"
MAX_REASON = 80


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A count of a number, its share, and Wilson's 95 % interval (None where there is nothing to count)."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class Uptake(msgspec.Struct, frozen=True, kw_only=True):
    """What came of some cards; the rates are of the answered ones, `silent` are those without any answer."""

    name: str
    shown: int
    patients: int
    answered: int
    silent: int
    accepted: Rate
    overridden: Rate
    reasons: dict[str, Rate]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The uptake of all cards and of each rule; a card with several rules counts for each of them.

    `unmatched` feedback names no card of ours; a `foreign` acceptance names no suggestion of its card.
    """

    cards: Uptake
    rules: tuple[Uptake, ...]
    unmatched: int
    foreign: int
    revisions: tuple[str, ...]


def report(cards: Sequence[Answered], unmatched: int) -> Report:
    """Returns the uptake of cards, the rules by name."""
    accepted = _count(cards, lambda reply: reply.outcome == "accepted")
    by_rule: dict[str, list[Answered]] = {}
    for one in cards:
        for rule in {each.rule for each in one.sent.rules}:
            by_rule.setdefault(rule, []).append(one)
    return Report(
        cards=uptake("all cards", cards),
        rules=tuple(uptake(rule, by_rule[rule]) for rule in sorted(by_rule)),
        unmatched=unmatched,
        foreign=accepted - sum(one.took_ours for one in cards),
        revisions=tuple(sorted({one.sent.pack_revision for one in cards})),
    )


def uptake(name: str, cards: Sequence[Answered]) -> Uptake:
    """Returns what came of cards: of each the answer that stands."""
    accepted = _count(cards, lambda reply: reply.outcome == "accepted")
    overridden = _count(cards, lambda reply: reply.outcome == "overridden")
    reasons = Counter(reason(one.reply) for one in cards if one.reply and one.reply.outcome == "overridden")
    answered = accepted + overridden
    return Uptake(
        name=name,
        shown=len(cards),
        patients=len({one.sent.patient for one in cards}),
        answered=answered,
        silent=len(cards) - answered,
        accepted=rate(accepted, answered),
        overridden=rate(overridden, answered),
        reasons={
            text: rate(count, overridden)
            for text, count in sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
        },
    )


def reason(reply: Reply) -> str:
    """Returns the code of the reason of an override, never words that a person wrote."""
    if reply.reason_code:
        return reply.reason_code[:MAX_REASON]
    return WORDS_ONLY if reply.commented or reply.reason_display else NO_REASON


def rate(count: int, of: int) -> Rate:
    """Returns a share with Wilson's score interval of 95 %."""
    if of == 0:
        return Rate(count=count, of=of, share=None, low=None, high=None)
    low, high = wilson(count, of)
    return Rate(count=count, of=of, share=count / of, low=low, high=high)


def wilson(count: int, of: int) -> tuple[float, float]:
    """Returns the bounds of Wilson's score interval of 95 % without correction for continuity.

    Raises ValueError unless 0 <= count <= of and of > 0.
    """
    if not 0 <= count <= of or of == 0:
        raise ValueError(f"{count} of {of} is no share")
    share, square = count / of, Z * Z
    middle = share + square / (2 * of)
    half = Z * sqrt(share * (1 - share) / of + square / (4 * of * of))
    scale = 1 + square / of
    low, high = (middle - half) / scale, (middle + half) / scale
    # At the ends the bound is exactly the end; the sum above leaves a remainder of rounding.
    return (0.0 if count == 0 else low), (1.0 if count == of else high)


def _count(cards: Iterable[Answered], wanted: Callable[[Reply], bool]) -> int:
    return sum(one.reply is not None and wanted(one.reply) for one in cards)
