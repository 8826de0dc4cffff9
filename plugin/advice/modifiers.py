"""What speaks for and against a true complete response: in words, without figures (DA-12)."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.advice.slots import Filler, fill
from plugin.advice.text import Texts
from plugin.decision import Decision
from rules.finding import Finding

RULE = "DA-12"

Codes = tuple[tuple[str, ...], tuple[str, ...]]


def modifier_lines(
    findings: Sequence[Finding], decision: Decision, texts: Texts, filler: Filler
) -> list[str]:
    """Returns one line for the lesions that share their modifiers; none where nothing is recorded of them."""
    groups: dict[Codes, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_codes(finding, decision), []).append(finding)
    words = texts.rule(RULE, None, "modifiers") or {}
    template = str(texts.rule(RULE, None, "line"))
    lines = []
    for codes, about in groups.items():
        slots = filler.slots(about)
        for name, side in zip(("for", "against"), codes, strict=True):
            named = [str(words.get(code, code)).format_map(slots) for code in side]
            slots[f"{name}_list"] = ", ".join(named) or str(words.get("none", ""))
        if any(codes):
            lines.append(fill(template, slots))
    return lines


def _codes(finding: Finding, decision: Decision) -> Codes:
    """The codes for and against of one lesion, in the order of the words."""
    found: dict[str, list[str]] = {"for": [], "against": []}
    for values in decision.evaluation.values("modifier"):
        if values.get("lesion") == finding.subject:
            found.setdefault(str(values.get("direction")), []).append(str(values["code"]))
    return tuple(sorted(set(found["for"]))), tuple(sorted(set(found["against"])))
