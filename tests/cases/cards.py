"""What every card must keep to: a short sentence, no banned word, both sides, figures of the register only."""

from __future__ import annotations

import re
from functools import lru_cache

from plugin.decision import Advice
from rules.language import load_pack

BANNED = re.compile(
    r"\b(cured?|cures|sterile|safe to leave|must resect|gone|clear of disease|all clear)\b"
    r"|\b(stop|start|switch|continue|change)\w*\s+(?:\w+\s+)?"
    r"(chemotherapy|bevacizumab|cetuximab|antibod|drug|regimen|oxaliplatin|therapy)"
    r"|(percent|%|in 100)[^.\n]{0,40}\b(this patient|this lesion|your|probab|risk of)"
    r"|\b(this patient|this lesion|your|probab|risk of)[^.\n]{0,40}(percent|%|in 100)"
    r"|\b83\b[^.\n]{0,40}patholog|patholog[^.\n]{0,40}\b83\b",
    re.IGNORECASE,
)
FIGURE = re.compile(r"\d+(?:\.\d+)?")
SOURCE_YEAR = re.compile(r"\((?:[^()]*\s)?(?:19|20)\d\d(?:, [^()]*)?\)|\bRECIST 1\.1\b|\bT2\b")
BOTH_SIDES = {"F1", "F2", "F3", "F4", "F5", "F8", "F9", "F10", "F11"}


def short(card: Advice) -> str | None:
    """What is wrong with the sentence of a card."""
    units = len(card.summary.encode("utf-16-le")) // 2
    if units >= 140 or "\n" in card.summary:
        return f"{units} units: {card.summary}"
    return f"a percentage: {card.summary}" if "%" in card.summary else None


def clean(card: Advice) -> str | None:
    """A banned word of a card."""
    found = BANNED.search(f"{card.summary}\n{card.detail}")
    return None if found is None else f"banned: {found.group()!r} in {card.detail!r}"


def sided(card: Advice) -> str | None:
    """A card of advice that does not show both sides; advice on the site says that no trial was found."""
    if card.family not in BOTH_SIDES:
        return None
    if not all(f"**{side}**\n\n- " in card.detail for side in ("For", "Against")):
        return f"{card.rules}: one side is missing: {card.detail}"
    trial = {"DA-05", "DA-06", "DA-07", "DA-09"} & set(card.rules[:1])
    if trial and "No randomised trial was found" not in card.detail:
        return f"{card.rules}: nothing on trials"
    return None


def sourced(card: Advice) -> str | None:
    """A figure among the evidence that no printable entry of the register holds."""
    known = printable()
    for line in evidence(card):
        strange = set(FIGURE.findall(SOURCE_YEAR.sub("", line))) - known
        if strange:
            return f"{sorted(strange)} in {line!r}"
    return None


@lru_cache(maxsize=1)
def printable() -> frozenset[str]:
    """The figures of the register that may be printed."""
    entries = load_pack().evidence.values()
    return frozenset(
        figure for one in entries if one.printable for text in one.figures for figure in FIGURE.findall(text)
    )


def evidence(card: Advice) -> list[str]:
    """The lines For and Against of a card."""
    blocks = card.detail.split("\n\n")
    found = [
        blocks[place + 1] for place, block in enumerate(blocks[:-1]) if block in ("**For**", "**Against**")
    ]
    return [line for block in found for line in block.splitlines()]
