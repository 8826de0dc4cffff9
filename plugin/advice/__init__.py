"""From a decision to what a person reads: which cards, in which order, in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from plugin.advice.card import Group, summary_of, topic_of
from plugin.advice.detail import detail_of
from plugin.advice.digest import digests
from plugin.advice.families import RESPONSE, family_rank, indicator_rank
from plugin.advice.memory import ANSWERED
from plugin.advice.placing import placed
from plugin.advice.slots import Filler
from plugin.advice.suggest import offered_once, override_reasons, suggestions
from plugin.advice.summary import opens, response
from plugin.advice.text import Texts, texts_of
from plugin.advice.trouble import trouble, unwritten
from plugin.decision import Advice, Decision, Shown
from plugin.errors import TextError
from plugin.settings import Codes, Settings

__all__ = ["advise", "shown"]


def shown(decision: Decision, hook: str) -> tuple[Shown, ...]:
    """Returns where each active finding goes on a hook: a card, a row of a table, or nowhere."""
    return placed(decision, hook)


def advise(decision: Decision, hook: str, *, settings: Settings, language: str = "en") -> tuple[Advice, ...]:
    """Returns the cards of a hook, most urgent first: one a family, at most so many, then the response.

    What a fault or a gap keeps from being decided is a card too. Raises SettingsError for an unknown
    language.
    """
    texts = texts_of(decision.pack.folder, language)
    writer = _Writer(decision, texts, hook, settings.codes)
    places = placed(decision, hook)
    groups = sorted(groups_of(places), key=lambda group: group.order(decision, writer.brief))
    kept, folded = fold(groups, settings.cards.max_cards)
    titles = [writer.title(group) for group in folded]
    cards = [writer.advice(group, titles if group is kept[-1] else ()) for group in kept]
    cards = offered_once(sorted([*trouble(decision, texts, hook), *cards], key=_urgency))
    always = settings.cards.response_summary
    # Where a part of the record was not read, a count of what is visible would pass for an answer.
    cut = bool(decision.fact("record_cut"))
    # A message that was answered and is not repeated leaves its line, where nothing else is said too.
    remembered = any(each.hidden_by == ANSWERED for each in places)
    wanted = hook == "patient-view" and (cards or always or remembered)
    if (wanted or opens(places, decision, hook)) and not cut:
        cards += writer.response(places, always=always)
    return tuple(cards)


def groups_of(places: Sequence[Shown]) -> list[Group]:
    """Returns the findings by family: those that are cards, those merged into them, those they reduced."""
    own: dict[str, list[Shown]] = {}
    merged: dict[str, list[Shown]] = {}
    reduced: dict[str, list[Shown]] = {}
    home: dict[tuple[str, str | None], str] = {}
    for each in places:
        family = each.finding.family
        if each.shown == "card" and family is not None:
            own.setdefault(family, []).append(each)
            home[(each.finding.rule, each.finding.subject)] = family
            home.setdefault((each.finding.rule, None), family)
    for each in sorted(places, key=lambda one: one.merged_into is None):
        actor = each.merged_into or (each.hidden_by if each.shown == "row" else None)
        found = home.get((actor, each.finding.subject), home.get((actor, None))) if actor else None
        if found is not None and (each.finding.family != RESPONSE or each.merged_into):
            (merged if each.merged_into else reduced).setdefault(found, []).append(each)
            home.setdefault((each.finding.rule, each.finding.subject), found)
    return [
        Group(family, tuple(mine), tuple(merged.get(family, ())), tuple(reduced.get(family, ())))
        for family, mine in own.items()
    ]


def fold(groups: Sequence[Group], most: int) -> tuple[list[Group], list[Group]]:
    """Returns the cards shown, and those that become a title in the last of them; never a critical one."""
    kept = [group for place, group in enumerate(groups) if place < most or group.indicator == "critical"]
    return kept, [group for group in groups if group not in kept]


class _Writer:
    """Writes cards of one decision on one hook."""

    def __init__(self, decision: Decision, texts: Texts, hook: str, codes: Codes) -> None:
        self.decision, self.texts, self.codes = decision, texts, codes
        self.brief = Filler(decision, texts, hook, short=True)
        self.full = Filler(decision, texts, hook, short=False)

    def title(self, group: Group) -> str:
        """Returns the summary of a card that is folded into another one."""
        try:
            return summary_of(group, self.decision, self.texts, self.brief)
        except TextError:
            return self.unwritten(group.rules, group.indicator, group.subjects).summary

    def response(self, places: Sequence[Shown], *, always: bool) -> list[Advice]:
        """Returns the response card, where there is one."""
        try:
            return response(self.decision, self.texts, self.brief, self.full, places, always=always)
        except TextError:
            rules = dict.fromkeys(each.finding.rule for each in places if each.finding.family == RESPONSE)
            return [self.unwritten(tuple(rules), "info", ())]

    def unwritten(self, rules: tuple[str, ...], indicator: str, subjects: tuple[str, ...]) -> Advice:
        """Returns the card that stands for one whose text cannot be filled, as urgent as that one."""
        card = unwritten(indicator, rules, self.decision, self.texts)
        return replace(card, subjects=subjects)

    def advice(self, group: Group, also: Sequence[str]) -> Advice:
        """Returns the card of a group; `also` are the titles of cards folded into it."""
        try:
            return self._card(group, also)
        except TextError:
            return self.unwritten(group.rules, group.indicator, group.subjects)

    def _card(self, group: Group, also: Sequence[str]) -> Advice:
        decision, texts, rules = self.decision, self.texts, group.rules
        return Advice(
            family=group.family,
            indicator=group.indicator,
            summary=summary_of(group, decision, texts, self.brief),
            detail=detail_of(group, decision, texts, self.full, also),
            rules=rules,
            subjects=group.subjects,
            topic=topic_of(group.family, rules),
            suggestions=suggestions(group, decision, texts, self.codes),
            override_reasons=() if group.family in ("F6", "F7") else override_reasons(texts),
            sources=tuple(sorted({token for finding in group.findings for token in finding.sources})),
            digests=digests(rules, decision),
        )


def _urgency(advice: Advice) -> tuple[int, tuple[int, int]]:
    return indicator_rank(advice.indicator), family_rank(advice.family, advice.indicator)
