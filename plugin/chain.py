"""The chain below a finding as plain JSON values, and the labels people know lesions and studies by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.decision import Decision
from rules.explain import Reason, Why
from rules.facts import Fact


def chain_of(finding: Why) -> dict[str, Any]:
    """Returns a finding with the facts below it; a fact that stands there already is named only."""
    one, seen = finding.finding, set[Fact]()
    case = f"/{one.case}" if one.case else ""
    return {
        "said": f"{one.rule}{case} ({one.indicator}): {one.title}; {one.conclusion}",
        "rule": one.rule,
        "because": [_below(reason, seen) for reason in finding.rests_on],
    }


def _below(reason: Reason, seen: set[Fact]) -> dict[str, Any]:
    giver = f"{reason.rule}/{reason.case}" if reason.case else reason.rule
    by = f" by {giver}" if giver else ""
    if reason.fact in seen:
        return {"said": f"{reason.fact.kind}{by} (see above)"}
    seen.add(reason.fact)
    made: dict[str, Any] = {"said": f"{told(reason.fact)}{by}"}
    if reason.rule is None:
        return {**made, "resources": list(reason.sources)}
    return {**made, "rule": reason.rule, "because": [_below(one, seen) for one in reason.rests_on]}


def told(fact: Fact) -> str:
    """Returns a fact on one line, without what is not stated."""
    stated = [f"{name} {value}" for name, value in fact.values.items() if value not in (None, "unknown")]
    return f"{fact.kind}: {', '.join(stated)}"


def labels_of(decision: Decision) -> Mapping[str, str]:
    """Returns what people call lesions and studies, by id; the longest id first."""
    labels = {fact.values["id"]: fact.values.get("label") for fact in decision.facts if "id" in fact.values}
    named = {str(name): str(label) for name, label in labels.items() if label}
    return dict(sorted(named.items(), key=lambda pair: -len(pair[0])))


def labelled(text: str, labels: Mapping[str, str]) -> str:
    """Returns the text with labels in place of ids."""
    for name, label in labels.items():
        text = text.replace(name, label)
    return text
