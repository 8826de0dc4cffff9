"""Cards for what the rules could not say: withheld findings, switched-off rules; a fault is never silent."""

from __future__ import annotations

from collections.abc import Iterable

from plugin.advice.detail import setting_lines
from plugin.advice.families import RESPONSE
from plugin.advice.markdown import bullets
from plugin.advice.missing import gap_lines
from plugin.advice.placing import fits
from plugin.advice.text import Texts
from plugin.decision import Advice, Decision

FAMILY = "F7"

_UNWRITTEN = {
    "summary": "Could not assess: a card cannot be written; nothing follows from its absence.",
    "why": "There is no usable text for these rules: {rules}.",
}


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


def unwritten(indicator: str, rules: Iterable[str], decision: Decision, texts: Texts) -> Advice:
    """Returns the card for one whose text cannot be filled: what its rules found is not silently lost."""
    return _card("UNWRITTEN", indicator, rules, decision, texts)


def _card(name: str, indicator: str, rules: Iterable[str], decision: Decision, texts: Texts) -> Advice:
    names = tuple(rules)
    # A site's own file of texts may be older than an entry.
    summary, why = (str(texts.rule(name, None, key) or _UNWRITTEN[key]) for key in ("summary", "why"))
    reason = why.format(rules=", ".join(names))
    blocks = [f"**{texts.words('why')}**\n\n{reason}"]
    lines = gap_lines(decision, texts)
    if lines:
        blocks.append(f"**{texts.words('missing')}**\n\n{bullets(lines)}")
    options = [str(one) for one in texts.rule(name, None, "options") or ()]
    if options:
        blocks.append(f"**{texts.words('options')}**\n\n{bullets(options)}")
    pack = f"{texts.words('footer_pack')} {decision.pack_revision}"
    blocks.append("; ".join([pack, *setting_lines((), decision, texts)]) + ".")
    return Advice(
        family=FAMILY,
        indicator=indicator,
        summary=summary,
        detail="\n\n".join(blocks),
        rules=names,
        subjects=(),
        topic=f"{FAMILY}{name}",
    )
