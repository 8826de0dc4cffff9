"""The cards of the page: each as it is sent, beside its evidence, what is missing and the parameters used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cds_hooks.cards import CANONICAL, response
from cds_hooks.timeline_page.values import plain
from cds_hooks.wire import pruned
from plugin.advice import groups_of, shown
from plugin.advice.card import Group
from plugin.advice.detail import side
from plugin.advice.missing import not_recorded
from plugin.advice.slots import Filler
from plugin.advice.text import Texts
from plugin.decision import Advice, Decision
from plugin.settings import Settings


def page_cards(
    decision: Decision, advices: Sequence[Advice], texts: Texts, settings: Settings, hook: str
) -> list[dict[str, Any]]:
    """Returns one entry an advice, in its order."""
    base = settings.service.public_url or CANONICAL
    sent = response(advices, source_url=base, links=settings.cards.links)["cards"]
    groups = {group.family: group for group in groups_of(shown(decision, hook))}
    filler = Filler(decision, texts, hook, short=False)
    return [
        _entry(pruned(card), advice, groups.get(advice.family), decision, texts, filler)
        for card, advice in zip(sent, advices, strict=True)
    ]


def _entry(
    card: Mapping[str, Any],
    advice: Advice,
    group: Group | None,
    decision: Decision,
    texts: Texts,
    filler: Filler,
) -> dict[str, Any]:
    weighed = group is not None and group.family != "F7"
    return {
        "card": card,
        "family": advice.family,
        "topic": advice.topic,
        "rules": list(advice.rules),
        "subjects": list(advice.subjects),
        "evidenceFor": side(group, decision, texts, "for") if weighed and group else [],
        "evidenceAgainst": side(group, decision, texts, "against") if weighed and group else [],
        "weighed": weighed,
        "missing": not_recorded(group, decision, texts, filler) if group else [],
        "parameters": parameters_of(advice.rules, decision, texts),
        "sources": list(advice.sources),
    }


def parameters_of(rules: Sequence[str], decision: Decision, texts: Texts) -> list[dict[str, Any]]:
    """Returns the parameters that the rules used, each with its source; `site` marks what the site chose."""
    named = dict.fromkeys(
        name
        for finding in decision.findings
        if finding.rule in rules and finding.status == "active"
        for name in finding.parameters
    )
    found = []
    for name in named:
        one = decision.parameters[name]
        found.append(
            {
                "name": name,
                "title": texts.word("parameters", name) if one.title is None else one.title,
                "value": plain(one.value),
                "unit": one.unit,
                "site": one.site,
                "read": one.read,
                "source": one.source,
            }
        )
    return found
