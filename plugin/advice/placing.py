"""Where each finding goes on a hook: the suppression matrix and the one-message-a-lesion rule, applied.

What acts on what is decided by the rules (the facts `suppressed`, from the table of the pack); here the order
is kept: a message gives way only to one that is itself shown, so nothing can fall between two chairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from plugin.advice.families import RESPONSE, URGENT, owner_rank
from plugin.advice.memory import remembered
from plugin.decision import Decision, Shown
from rules.facts import Value
from rules.finding import Finding

Key = tuple[str, str | None]
Act = Mapping[str, Value]

_STRENGTH = ("hide", "merge", "reduce")

ORDER_HOOKS = ("order-select", "order-sign", "order-dispatch")


def placed(decision: Decision, hook: str) -> tuple[Shown, ...]:
    """Returns every active finding with its place on the hook, in the order of the findings."""
    return decision.once(("placed", hook), lambda: _placed(decision, hook))


def _placed(decision: Decision, hook: str) -> tuple[Shown, ...]:
    places = _Placing(decision, hook)
    shown = [places.place(finding) for finding in decision.active]
    return tuple(remembered(_one_message(shown), decision, hook))


def speaks(finding: Finding, hook: str) -> bool:
    """Tells whether a finding may be shown on a hook."""
    return "all" in finding.hooks or hook in finding.hooks


def fits(finding: Finding, decision: Decision, hook: str) -> bool:
    """Tells whether a finding is worth a word on a hook: beside an unrelated order only what cannot wait."""
    if not speaks(finding, hook):
        return False
    if decision.order_matters or hook not in ORDER_HOOKS:
        return True
    return finding.family in URGENT and finding.indicator in ("critical", "warning")


class _Placing:
    def __init__(self, decision: Decision, hook: str) -> None:
        self.hook, self.decision = hook, decision
        self.findings: dict[Key, list[Finding]] = {}
        for finding in decision.active:
            self.findings.setdefault((finding.rule, finding.subject), []).append(finding)
        self.acts: dict[Key, list[Act]] = {}
        for act in decision.evaluation.values("suppressed"):
            self.acts.setdefault(_key(act, "target", "subject"), []).append(act)
        self.known: dict[int, Shown] = {}
        self.open: set[int] = set()

    def place(self, finding: Finding) -> Shown:
        """Returns where a finding goes; what acts on it is placed first."""
        mark = id(finding)
        known = self.known.get(mark)
        if known is None:
            self.open.add(mark)
            known = self.known[mark] = self._place(finding)
            self.open.discard(mark)
        return known

    def _place(self, finding: Finding) -> Shown:
        if not fits(finding, self.decision, self.hook):
            return Shown(finding=finding, shown="hidden")
        card = finding.display == "card" and finding.family is not None and finding.family != RESPONSE
        start = Shown(finding=finding, shown="card" if card else "row")
        acts = [act for act in self.acts.get((finding.rule, finding.subject), ()) if self.effective(act)]
        if not acts:
            return start
        stripped = any(act["action"] == "strip" for act in acts)
        for action in _STRENGTH:
            actors = [str(act["actor"]) for act in acts if act["action"] == action]
            if actors:
                return _acted(start, action, min(actors), stripped=stripped)
        return replace(start, stripped=stripped)

    def effective(self, act: Act) -> bool:
        """Tells whether a message acts: it is a card, stands in one, or acts in any case."""
        actors = self.findings.get(_key(act, "actor", "actorSubject"), [])
        if act.get("always") == "yes" and act["action"] != "merge":
            return any(self._not_overruled(actor) for actor in actors)
        for actor in actors:
            if id(actor) in self.open:
                continue
            place = self.place(actor)
            if place.shown == "card" or place.merged_into is not None:
                return True
        return False

    def _not_overruled(self, actor: Finding) -> bool:
        """A message that acts in any case still does not act once it is hidden by another."""
        if id(actor) in self.open or not fits(actor, self.decision, self.hook):
            return True
        place = self.place(actor)
        return not (place.shown == "hidden" and place.hidden_by is not None)


def _acted(start: Shown, action: str, actor: str, *, stripped: bool) -> Shown:
    if action == "hide":
        return replace(start, shown="hidden", hidden_by=actor)
    if action == "merge":
        return replace(start, shown="row", hidden_by=actor, merged_into=actor, stripped=stripped)
    if start.shown != "card":
        return replace(start, hidden_by=actor)
    return replace(start, shown="row", hidden_by=actor, stripped=stripped)


def _key(act: Act, rule: str, subject: str) -> Key:
    about = act.get(subject)
    return str(act[rule]), None if about is None else str(about)


def _one_message(shown: list[Shown]) -> list[Shown]:
    """Gives each lesion to the first message on treating or leaving it; elsewhere it becomes a row."""
    owner: dict[str, tuple[int, str, str | None]] = {}
    for each in shown:
        rank = owner_rank(each.finding.rule)
        if each.shown == "card" and each.finding.subject is not None and rank is not None:
            mine = (rank, each.finding.rule, each.finding.family)
            owner[each.finding.subject] = min(owner.get(each.finding.subject, mine), mine)
    return [_given(each, owner) for each in shown]


def _given(each: Shown, owner: dict[str, tuple[int, str, str | None]]) -> Shown:
    subject = each.finding.subject
    if each.shown != "card" or subject is None or owner_rank(each.finding.rule) is None:
        return each
    _, rule, family = owner[subject]
    return each if family == each.finding.family else replace(each, shown="row", hidden_by=rule)
