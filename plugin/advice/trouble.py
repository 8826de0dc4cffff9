"""Cards for what the rules could not say: withheld findings, switched-off rules; a fault is never silent."""

from __future__ import annotations

from collections.abc import Iterable

from plugin.advice.families import RESPONSE
from plugin.advice.markdown import bullets
from plugin.advice.missing import gap_lines
from plugin.advice.placing import fits
from plugin.advice.text import Texts
from plugin.decision import Advice, Decision

FAMILY = "F7"


def trouble(decision: Decision, texts: Texts, hook: str) -> list[Advice]:
    """Returns a card where findings were withheld, and one where a switched-off rule would have spoken."""
    found: list[Advice] = []
    if decision.evaluation.refused:
        found.append(_card("REFUSED", "warning", decision.evaluation.refused, decision, texts))
    off = sorted(
        {
            finding.rule
            for finding in decision.findings
            if finding.status == "off"
            and finding.display == "card"
            and finding.family != RESPONSE
            and fits(finding, decision, hook)
        }
    )
    if off:
        found.append(_card("SWITCHED-OFF", "info", off, decision, texts))
    return found


def _card(name: str, indicator: str, rules: Iterable[str], decision: Decision, texts: Texts) -> Advice:
    names = tuple(rules)
    reason = str(texts.rule(name, None, "why")).format(rules=", ".join(names))
    blocks = [f"**{texts.words('why')}**\n\n{reason}"]
    lines = gap_lines(decision, texts)
    if lines:
        blocks.append(f"**{texts.words('missing')}**\n\n{bullets(lines)}")
    options = [str(one) for one in texts.rule(name, None, "options") or ()]
    if options:
        blocks.append(f"**{texts.words('options')}**\n\n{bullets(options)}")
    blocks.append(f"{texts.words('footer_pack')} {decision.pack_revision}.")
    return Advice(
        family=FAMILY,
        indicator=indicator,
        summary=str(texts.rule(name, None, "summary")),
        detail="\n\n".join(blocks),
        rules=names,
        subjects=(),
        topic=f"{FAMILY}{name}",
    )
