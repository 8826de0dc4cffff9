"""The response card: RECIST 1.1 of the targets, how many lesions are visible, and the lines of family F12."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from plugin.advice.card import instead, short
from plugin.advice.detail import MOST, by_case, evidence_line, setting_lines
from plugin.advice.families import NOTED, QUIET, RESPONSE, RULES
from plugin.advice.lesions import lesion_table
from plugin.advice.markdown import bullets, escape
from plugin.advice.memory import answered
from plugin.advice.modifiers import RULE as MODIFIERS
from plugin.advice.modifiers import modifier_lines
from plugin.advice.slots import VISIBLE, Filler, Slots, fill
from plugin.advice.text import Texts
from plugin.advice.values import alike
from plugin.decision import Advice, Decision, Shown
from rules.finding import Finding

_LINES = {rule: place for place, rule in enumerate((*NOTED, *RULES[RESPONSE]))}


def response(
    decision: Decision, texts: Texts, brief: Filler, full: Filler, places: Sequence[Shown], *, always: bool
) -> list[Advice]:
    """Returns the response card where a finding has a line for it, else nothing.

    `brief` fills its summary, `full` its detail.

    Lines that only stand beside others open no card unless `always`.
    """
    findings = [
        each.finding
        for each in places
        if noted(each)
        or (
            each.finding.family == RESPONSE
            and each.shown == "row"
            and each.merged_into is None
            and each.finding.rule in _LINES
        )
    ]
    findings.sort(key=lambda one: (_LINES[one.rule], one.subject or ""))
    by_rule = by_case(findings, decision)
    lines = [line for group in by_rule for line in _line(group, decision, texts, full)]
    lines += _answers(decision, texts)
    held = answered(decision)
    loud = any(group[0].rule not in QUIET for group in by_rule) or bool(held)
    if not lines or not (loud or always):
        return []
    rules = tuple(dict.fromkeys(one.rule for one in findings))
    lesions = [lesion.id for lesion in decision.lesions]
    blocks = [lesion_table(decision, texts, full, lesions)] if lesions else []
    blocks.append(bullets(lines))
    reason = "why" if {"RC-01", "RC-02"} & set(rules) else "why_plain"
    blocks.append(f"**{texts.words('why')}**\n\n{texts.rule(RESPONSE, None, reason)}")
    blocks += _sides(findings, decision, texts)
    footer = [
        f"{texts.words('footer_rules')} {', '.join(dict.fromkeys([*rules, *held]))}",
        f"{texts.words('footer_pack')} {decision.pack_revision}",
        *setting_lines(rules, decision, texts),
    ]
    blocks.append("; ".join(footer) + ".")
    return [
        Advice(
            family=RESPONSE,
            indicator="info",
            summary=_summary(decision, texts, brief),
            detail="\n\n".join(blocks),
            rules=rules,
            subjects=tuple(lesions),
            topic=RESPONSE,
            sources=tuple(sorted({token for one in findings for token in one.sources})),
        )
    ]


def noted(each: Shown) -> bool:
    """Tells whether a finding of another family is a line that no other card carries."""
    return each.finding.rule in NOTED and each.shown == "row" and each.hidden_by is None


def opens(places: Sequence[Shown], decision: Decision, hook: str) -> bool:
    """Tells whether a noted line asks for the card: where the chart is opened, and beside its own order."""
    about = [each.finding.subject for each in places if noted(each)]
    drafted = [one for one in about if one and decision.about("lesion", one).get("dispositionDraft") == "yes"]
    return bool(about if hook == "patient-view" else drafted)


def _summary(decision: Decision, texts: Texts, brief: Filler) -> str:
    values = dict(brief.of_patient)
    # The status holds as of today, whatever study it rests on; what was treated is in no study any more.
    open_ = [
        lesion.status
        for lesion in decision.lesions
        if lesion.status != "TREATED" and decision.about("lesion", lesion.id).get("nature") != "benign"
    ]
    values["seen_count"] = str(sum(status in VISIBLE for status in open_))
    values["all_count"] = str(len(open_))
    target = decision.fact("target_response").get("value")
    values["target"] = str(target)
    # Progression that the targets do not show must not be hidden behind their category.
    overall = decision.fact("overall_response").get("value") == "PD" and target != "PD"
    key = "summary_plain" if target is None else "summary_progression" if overall else "summary"
    key = key if open_ else "summary_treated"
    return short(fill(str(texts.rule(RESPONSE, None, key)), Slots([lambda: values], texts.words("no_date"))))


def _line(findings: list[Finding], decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    if findings[0].rule == MODIFIERS:
        return modifier_lines(findings, decision, texts, filler)
    template = texts.rule(findings[0].rule, findings[0].case, "line", instead=instead(decision))
    return [filler.text(str(template), group) for group in alike(str(template), findings)] if template else []


def _answers(decision: Decision, texts: Texts) -> list[str]:
    """Returns one line for each message that was answered before and has not changed."""
    lines = []
    for rule, answers in answered(decision).items():
        last = answers[-1]
        day, reason = last.get("day"), str(last.get("reason") or last.get("outcome"))
        when = day.isoformat() if isinstance(day, date) else texts.words("no_date")
        said = texts.word("override" if reason in texts.data.get("override", {}) else "answer", reason)
        title = decision.pack.statements[rule].title
        lines.append(texts.words("answered").format(rule=rule, title=title, reason=escape(said), date=when))
    return lines


def _sides(findings: Sequence[Finding], decision: Decision, texts: Texts) -> list[str]:
    """Returns both sides of the evidence of the response rules, or the printed "none found"."""
    blocks = []
    for name in ("for", "against"):
        lines: list[str] = []
        for rule in dict.fromkeys(one.rule for one in findings):
            # A noted rule is about a lesion, and a source with several figures gives the one that fits it.
            about = [one.subject for one in findings if rule in NOTED and one.rule == rule and one.subject]
            for id_ in getattr(decision.pack.statements[rule], f"evidence_{name}"):
                line = evidence_line(id_, name, decision, texts, about, figures=True)
                if line:
                    lines.append(line)
        shown = list(dict.fromkeys(lines))[:MOST] or [texts.words("none_found")]
        blocks.append(f"**{texts.words(name)}**\n\n{bullets(shown)}")
    return blocks
