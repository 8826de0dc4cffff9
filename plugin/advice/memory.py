"""Answers of clinicians to earlier messages: the same message steps back while nothing has changed (R-80)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from plugin.advice.digest import digest
from plugin.decision import Decision, Shown
from rules.facts import Value

ANSWERED = "answer"
"""What hides a message that was answered, where a rule would stand otherwise."""


def remembered(shown: Iterable[Shown], decision: Decision, hook: str) -> list[Shown]:
    """Returns the places of findings, with messages that were answered before in the background.

    On patient-view such a message is a row. On every other hook a critical one comes back once as a warning,
    any other is a row. A lesion seen at operation and what could not be read or decided are never held back:
    the rules it may concern are the table `remembered` of the pack.
    """
    places = list(shown)
    answers = answered(decision)
    if not answers:
        return places
    placed = [_placed(each, len(answers.get(each.finding.rule, ())), hook) for each in places]
    return [_alone(each, placed, answers) for each in placed]


def answered(decision: Decision) -> Mapping[str, list[Mapping[str, Value]]]:
    """Returns, for each rule that may step back, the answers whose digest is that of its message now.

    None holds where a part of the record was not read or a finding was withheld: nobody can tell there that
    nothing has changed.
    """
    return decision.once("answered", lambda: _answered(decision))


def _answered(decision: Decision) -> dict[str, list[Mapping[str, Value]]]:
    given = decision.put_in("override")
    if not given or not _whole(decision):
        return {}
    known = {str(row["rule"]) for row in decision.pack.tables.get("remembered", ())}
    found: dict[str, list[Mapping[str, Value]]] = {}
    for values in given:
        rule = str(values.get("rule"))
        if rule in known and values.get("digest") == digest(rule, decision):
            found.setdefault(rule, []).append(values)
    return {rule: sorted(answers, key=_when) for rule, answers in found.items()}


def _whole(decision: Decision) -> bool:
    unread = any(gap.decisive for gap in decision.gaps) or decision.fact("record_cut")
    return not unread and not decision.evaluation.refused


def _placed(each: Shown, answers: int, hook: str) -> Shown:
    if not answers or each.shown != "card":
        return each
    if hook != "patient-view" and each.finding.indicator == "critical" and answers == 1:
        return replace(each, finding=replace(each.finding, indicator="warning"))
    return replace(each, shown="row", hidden_by=ANSWERED)


def _alone(each: Shown, placed: Iterable[Shown], answers: Mapping[str, object]) -> Shown:
    """Gives a message its own card back where the card it stood in was answered and it was not."""
    finding = each.finding
    if each.merged_into is None or finding.rule in answers or finding.display != "card":
        return each
    hosts = [one for one in placed if one.finding.rule == each.merged_into]
    if hosts and all(one.hidden_by == ANSWERED for one in hosts):
        return replace(each, shown="card", hidden_by=None, merged_into=None)
    return each


def _when(answer: Mapping[str, Value]) -> tuple[date, str]:
    day = answer.get("day")
    return (day if isinstance(day, date) else date.min), str(answer.get("id"))
