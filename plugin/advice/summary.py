"""The response card: RECIST 1.1 of the targets, how many lesions are visible, and the lines of family F12."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.advice.card import short
from plugin.advice.detail import MOST, by_case, setting_lines
from plugin.advice.families import RESPONSE, RULES
from plugin.advice.lesions import lesion_table
from plugin.advice.markdown import bullets
from plugin.advice.slots import VISIBLE, Filler, Slots, fill
from plugin.advice.text import Texts
from plugin.decision import Advice, Decision, Shown
from rules.finding import Finding

_LINES = RULES[RESPONSE]


def response(decision: Decision, texts: Texts, hook: str, places: Sequence[Shown]) -> list[Advice]:
    """Returns the response card where a finding has a line for it, else nothing."""
    findings = [
        each.finding
        for each in places
        if each.finding.family == RESPONSE and each.shown == "row" and each.finding.rule in _LINES
    ]
    findings.sort(key=lambda one: (_LINES.index(one.rule), one.subject or ""))
    full = Filler(decision, texts, hook, short=False)
    lines = [line for group in by_case(findings, decision) for line in _line(group, decision, texts, full)]
    if not lines:
        return []
    rules = tuple(dict.fromkeys(one.rule for one in findings))
    lesions = [lesion.id for lesion in decision.lesions]
    blocks = [lesion_table(decision, texts, full, lesions)] if lesions else []
    blocks.append(bullets(lines))
    reason = "why" if {"RC-01", "RC-02"} & set(rules) else "why_plain"
    blocks.append(f"**{texts.words('why')}**\n\n{texts.rule(RESPONSE, None, reason)}")
    blocks += _sides(rules, decision, texts)
    footer = [
        f"{texts.words('footer_rules')} {', '.join(rules)}",
        f"{texts.words('footer_pack')} {decision.pack_revision}",
        *setting_lines(rules, decision, texts),
    ]
    blocks.append("; ".join(footer) + ".")
    return [
        Advice(
            family=RESPONSE,
            indicator="info",
            summary=_summary(decision, texts, hook),
            detail="\n\n".join(blocks),
            rules=rules,
            subjects=tuple(lesions),
            topic=RESPONSE,
            sources=tuple(sorted({token for one in findings for token in one.sources})),
        )
    ]


def _summary(decision: Decision, texts: Texts, hook: str) -> str:
    values = dict(Filler(decision, texts, hook, short=True).of_patient)
    values["seen_count"] = str(sum(lesion.status in VISIBLE for lesion in decision.lesions))
    values["all_count"] = str(len(decision.lesions))
    target = decision.fact("target_response").get("value")
    values["target"] = str(target)
    key = "summary" if target is not None else "summary_plain"
    return short(fill(str(texts.rule(RESPONSE, None, key)), Slots([lambda: values], texts.words("no_date"))))


def _line(findings: list[Finding], decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    if findings[0].rule == "DA-12":
        return _modifiers(findings, decision, texts, filler)
    template = texts.rule(findings[0].rule, findings[0].case, "line")
    return [filler.text(str(template), findings)] if template else []


def _modifiers(findings: list[Finding], decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    """Returns, for each lesion, what speaks for and against a true complete response, in words only."""
    words = texts.rule("DA-12", None, "modifiers") or {}
    template = str(texts.rule("DA-12", None, "line"))
    lines = []
    for finding in findings:
        slots = filler.slots([finding])
        known: list[str] = []
        for direction in ("for", "against"):
            codes = [
                str(fact.values["code"])
                for fact in decision.evaluation.of("modifier")
                if fact.values.get("direction") == direction and fact.values.get("lesion") == finding.subject
            ]
            named = [str(words.get(code, code)).format_map(slots) for code in sorted(set(codes))]
            known += named
            slots[f"{direction}_list"] = ", ".join(named) or str(words.get("none", ""))
        if known:
            lines.append(fill(template, slots))
    return lines


def _sides(rules: tuple[str, ...], decision: Decision, texts: Texts) -> list[str]:
    """Returns both sides of the evidence of the response rules, or the printed "none found"."""
    blocks = []
    for name in ("for", "against"):
        lines: list[str] = []
        for rule in rules:
            statement = decision.pack.statements[rule]
            for id_ in getattr(statement, f"evidence_{name}"):
                line = texts.evidence(id_, "against" if name == "against" else None)
                entry = decision.pack.evidence.get(id_)
                if line and entry is not None and entry.read:
                    lines.append(line)
        shown = list(dict.fromkeys(lines))[:MOST] or [texts.words("none_found")]
        blocks.append(f"**{texts.words(name)}**\n\n{bullets(shown)}")
    return blocks
