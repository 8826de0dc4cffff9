"""The Markdown of a card: the table, why, for, against, what is not recorded, options, footer."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.advice.card import LINES, Group, instead, text_case
from plugin.advice.lesions import lesion_table
from plugin.advice.markdown import bullets
from plugin.advice.missing import MRI_RULES, not_recorded, situation
from plugin.advice.modifiers import RULE as MODIFIERS
from plugin.advice.modifiers import modifier_lines
from plugin.advice.signs import sign_lines
from plugin.advice.slots import Filler, variant
from plugin.advice.text import Texts
from plugin.advice.values import alike, number
from plugin.decision import Decision, Shown
from rules.finding import Finding
from rules.language.model import Parameter

MOST = 3
_MOST_OPTIONS = 4
_ALL_LESIONS = frozenset({"F6", "F8", "F10", "F12"})
NONE_FOUND = "none-found"


def detail_of(
    group: Group, decision: Decision, texts: Texts, filler: Filler, also: Sequence[str] = ()
) -> str:
    """Returns the detail of a card; `also` are the titles of cards that were folded into it."""
    blocks: list[str] = []
    lesions = _lesions(group, decision)
    if lesions:
        blocks.append(lesion_table(decision, texts, filler, lesions))
        described = sign_lines(texts, filler, lesions)
        if described:
            blocks.append(bullets(described))
    blocks.append(f"**{texts.words('why')}**\n\n{' '.join(why(group, decision, texts, filler))}")
    lines = also_lines(group, decision, texts, filler)
    if lines:
        blocks.append(f"**{texts.words('also')}**\n\n{bullets(lines)}")
    if group.family != "F7":
        blocks += evidence_blocks(group, decision, texts)
    missing = not_recorded(group, decision, texts, filler)
    if missing:
        blocks.append(f"**{texts.words('missing')}**\n\n{bullets(missing)}")
    options = options_of(group, decision, texts, filler)
    if options:
        blocks.append(f"**{texts.words('options')}**\n\n{bullets(options)}")
    if also:
        blocks.append(f"**{texts.words('also_found')}**\n\n{bullets(also)}")
    blocks.append(footer(group, decision, texts))
    return "\n\n".join(blocks)


def _lesions(group: Group, decision: Decision) -> list[str]:
    """Returns the lesions of the table: those of the findings, or all where the card is about the patient."""
    found = list(group.subjects)
    found += [each.finding.subject for each in group.reduced if each.finding.subject]
    if not found and group.family in _ALL_LESIONS:
        found = [lesion.id for lesion in decision.lesions]
    return list(dict.fromkeys(found))


def why(group: Group, decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    """Returns a sentence for each rule and case of the card's own findings, then what the situation adds."""
    sentences: list[str] = []
    for findings in by_case(group.ordered, decision):
        case, other = text_case(findings[0], decision), instead(decision)
        template = texts.rule(findings[0].rule, case, "why", instead=other) or f"{findings[0].title}."
        sentences += [filler.text(str(template), group) for group in alike(str(template), findings)]
    return list(dict.fromkeys(sentences))[: MOST * 2] + situation(group, decision, texts, filler)


def by_case(findings: Sequence[Finding], decision: Decision) -> list[list[Finding]]:
    """Returns the findings by rule and case, in the order given."""
    groups: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, text_case(finding, decision)), []).append(finding)
    return list(groups.values())


def also_lines(group: Group, decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    """Returns one line for each merged or reduced rule; the same lesion in the same card is not repeated."""
    own = group.own_rules
    others: list[Shown] = [*group.merged, *group.reduced]
    lines: list[str] = []
    for findings in by_case([each.finding for each in others if each.finding.rule not in own], decision):
        if findings[0].rule == MODIFIERS:
            lines += modifier_lines(findings, decision, texts, filler)
            continue
        case, other = text_case(findings[0], decision), instead(decision)
        template = texts.rule(findings[0].rule, case, "line", instead=other)
        said = set(texts.rule(findings[0].rule, None, "silent_with") or ()) & own
        if template and not said:
            lines += [filler.text(str(template), group) for group in alike(str(template), findings)]
    return list(dict.fromkeys(lines))


def evidence_blocks(group: Group, decision: Decision, texts: Texts) -> list[str]:
    """Returns the two sides of the evidence, each at most three lines, or the printed "none found"."""
    for_, against = side(group, decision, texts, "for"), side(group, decision, texts, "against")
    if group.family == "F4" and for_ and against:
        most = min(len(for_), len(against), MOST)
        for_, against = for_[:most], against[:most]
    none = [texts.words("none_found")]
    blocks = [
        f"**{texts.words('for')}**\n\n{bullets(for_[:MOST] or none)}",
        f"**{texts.words('against')}**\n\n{bullets(against[:MOST] or none)}",
    ]
    notes = [line for rule in group.rules for line in neutral(rule, decision, texts, group)]
    if any(texts.rule(rule, None, "trial") for rule in group.rules):
        notes.append(texts.words("no_trial"))
    return [*blocks, " ".join(notes)] if notes else blocks


def neutral(rule: str, decision: Decision, texts: Texts, group: Group) -> list[str]:
    """Returns the lines of sources that stand on neither side."""
    cited = texts.rule(rule, None, "neutral") or ()
    figures = not group.stripped
    lines = [evidence_line(str(id_), "for", decision, texts, (), figures=figures) for id_ in cited]
    return [line for line in lines if line]


def side(group: Group, decision: Decision, texts: Texts, name: str) -> list[str]:
    """Returns the lines of one side, the leading rule's first; without figures where they do not apply."""
    lines: list[str] = []
    own = {each.finding.rule for each in group.own}
    for rule in (one for one in group.rules if one in own):
        lesions = [one.subject for one in group.ordered if one.rule == rule and one.subject]
        if name == "against":
            lines += texts.rule(rule, None, "against") or []
        statement = decision.pack.statements.get(rule)
        cited = () if statement is None else getattr(statement, f"evidence_{name}")
        for id_ in cited:
            line = evidence_line(id_, name, decision, texts, lesions, figures=not group.stripped, rule=rule)
            if line:
                lines.append(line)
    return list(dict.fromkeys(lines))


def evidence_line(
    id_: str,
    name: str,
    decision: Decision,
    texts: Texts,
    lesions: Sequence[str],
    *,
    figures: bool,
    rule: str | None = None,
) -> str | None:
    """Returns the line of a source; None for none-found, a source nobody read, and figures left out.

    A source may have a line for one rule, which cites it for something else than the others do.
    """
    entry = decision.pack.evidence.get(id_)
    if id_ == NONE_FOUND or entry is None or not entry.read:
        return None
    if not figures and entry.printable:
        return None
    return texts.evidence(id_, rule, "against" if name == "against" else None, variant(decision, lesions))


def options_of(group: Group, decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    """Returns what can be done, at most four; what is said where MRI is not possible takes its place."""
    other = instead(decision)
    lines: list[str] = []
    merged = [each.finding for each in group.merged if each.finding.rule not in LINES]
    findings_by_case = by_case([*group.ordered, *merged], decision)
    if decision.fact("mri_first"):
        # There is time: the MRI is named before the search at operation.
        findings_by_case.sort(key=lambda findings: findings[0].rule not in MRI_RULES)
    for findings in findings_by_case:
        rule, case = findings[0].rule, text_case(findings[0], decision)
        if set(texts.rule(rule, None, "silent_with") or ()) & set(group.rules):
            continue
        for option in texts.rule(rule, case, "options", instead=other) or ():
            lines.append(filler.text(str(option), findings))
    return list(dict.fromkeys(lines))[:_MOST_OPTIONS]


def footer(group: Group, decision: Decision, texts: Texts) -> str:
    """Returns the rules, the revision of the pack, the certainty and the settings that were used."""
    parts = [f"{texts.words('footer_rules')} {', '.join(group.rules)}"]
    parts.append(f"{texts.words('footer_pack')} {decision.pack_revision}")
    grade = texts.rule(group.ordered[0].rule, None, "certainty")
    if grade:
        parts.append(f"{texts.words('footer_certainty')} {texts.words(str(grade))}")
    parts += setting_lines(group.rules, decision, texts)
    parts += state_lines(decision, texts)
    return "; ".join(parts) + "."


def state_lines(decision: Decision, texts: Texts) -> list[str]:
    """Returns the rules that are not in force here with their states, in one line; none where all are."""
    return decision.once(("states", texts.language), lambda: _state_lines(decision, texts))


def _state_lines(decision: Decision, texts: Texts) -> list[str]:
    named = [
        f"{one.id} ({texts.word('states', one.status)})"
        for one in decision.pack.statements.values()
        if one.status != "active" and one.finding_specs()
    ]
    return [f"{texts.words('footer_states')} {', '.join(sorted(named))}"] if named else []


def setting_lines(rules: Sequence[str], decision: Decision, texts: Texts) -> list[str]:
    """Returns the parameters of the rules with their values, and every one that this site has set.

    What a site has set may lie below any card: in the status of a lesion, or in what silences another rule.
    """
    statements = [decision.pack.statements[rule] for rule in rules if rule in decision.pack.statements]
    names = [name for statement in statements for name in statement.parameters]
    names += [name for name, parameter in decision.parameters.items() if parameter.site]
    return [_setting(name, decision.parameters[name], texts) for name in dict.fromkeys(names)]


def _setting(name: str, parameter: Parameter, texts: Texts) -> str:
    said = "footer_site" if parameter.site else None if parameter.read else "footer_default"
    origin = f" ({texts.words(said)})" if said else ""
    return f"{texts.word('parameters', name)} {number(parameter.value)} {parameter.unit}{origin}"
