"""One card: the findings of one family on one hook, and the sentence that stands for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from plugin.advice.families import family_rank, indicator_rank, rule_rank
from plugin.advice.markdown import LIMIT, cut, natural, units
from plugin.advice.slots import Filler, capped
from plugin.advice.text import PREGNANT, WITHOUT_MRI, Texts
from plugin.advice.values import EXACT, alike, slots_of
from plugin.decision import Decision, Shown
from rules.finding import Finding

UNDECIDED = "CANNOT_DECIDE"

_UNDECIDED_CASES: Mapping[str | None, str] = {
    "mri-booked": "mri-booked",
    "operation-cancelled": "undecided-cancelled",
    "other-reason": "undecided-other-reason",
}

_CAPPED_CASES: Mapping[tuple[str, str | None], str] = {
    ("DA-01", "no-mri"): "despite-reason",
    ("DA-10", "watched"): "despite-reason",
    ("DA-10", "operation-cancelled"): "despite-reason-cancelled",
}
"""An adequate MRI was done although a reason against MRI is on record: that entry is to be checked (R-82)."""

LINES = frozenset({"DA-16"})
"""Rules that are a line in the card of another rule and no more (R-20)."""

Order = tuple[int, tuple[int, int], tuple[int, str], date, tuple[tuple[int, int, str], ...], str]


@dataclass(frozen=True)
class Group:
    """The findings of one card: its own, those merged into it, and those it reduced to a line."""

    family: str
    own: tuple[Shown, ...]
    merged: tuple[Shown, ...] = ()
    reduced: tuple[Shown, ...] = ()

    @cached_property
    def indicator(self) -> str:
        """The highest indicator of its findings, the merged ones too; a mere line does not raise it."""
        raising = [each.finding for each in self.merged if each.finding.rule not in LINES]
        found = [each.finding for each in self.own] + raising
        return min((finding.indicator for finding in found), key=indicator_rank)

    @cached_property
    def ordered(self) -> tuple[Finding, ...]:
        """Its own findings, the most urgent and first-ranked rule first."""
        return tuple(sorted([each.finding for each in self.own], key=self._rank))

    def _rank(self, finding: Finding) -> tuple[int, tuple[int, str], str]:
        rank = rule_rank(self.family, finding.rule)
        return indicator_rank(finding.indicator), rank, finding.subject or ""

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Its own findings, then the merged ones."""
        return (*self.ordered, *[each.finding for each in self.merged])

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """The rules of its own and merged findings, in order."""
        return tuple(dict.fromkeys([finding.rule for finding in self.findings]))

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """The lesions it is about."""
        return tuple(dict.fromkeys([finding.subject for finding in self.findings if finding.subject]))

    @cached_property
    def own_rules(self) -> frozenset[str]:
        """The rules that own the card, without those merged into it."""
        return frozenset(each.finding.rule for each in self.own)

    @cached_property
    def stripped(self) -> bool:
        """Whether figures of the literature are to be left out."""
        return any(each.stripped for each in (*self.own, *self.merged))

    def leading(self, decision: Decision, texts: Texts) -> list[Finding]:
        """Returns the findings the summary names: one rule, one indicator, one case where texts differ."""
        first = self.ordered[0]
        alike = [one for one in self.ordered if (one.rule, one.indicator) == (first.rule, first.indicator)]
        cases = {text_case(one, decision) for one in alike}
        if len(cases) > 1 and texts.rule(first.rule, None, "summary_mixed") is None:
            return [one for one in alike if text_case(one, decision) == text_case(first, decision)]
        return alike

    def order(self, decision: Decision, filler: Filler) -> Order:
        """Returns the key by which cards are sorted (R-104)."""
        first = self.ordered[0]
        return (
            indicator_rank(self.indicator),
            family_rank(self.family, self.indicator),
            rule_rank(self.family, first.rule),
            action_day(decision),
            min((natural(filler.label(one)) for one in self.subjects), default=()),
            first.rule,
        )


def action_day(decision: Decision) -> date:
    """Returns the day of the operation ahead, which cannot be undone, or the last of all days."""
    day = decision.fact("operation").get("day")
    return day if isinstance(day, date) else date.max


def text_case(finding: Finding, decision: Decision) -> str | None:
    """Returns the case by which texts are chosen: that of the rule, made finer where the status matters."""
    undecided = (
        finding.rule == "DA-10"
        and finding.subject is not None
        and decision.about("status", finding.subject).get("value") == UNDECIDED
    )
    if undecided:
        return _UNDECIDED_CASES.get(finding.case, "undecided")
    finer = _CAPPED_CASES.get((finding.rule, finding.case))
    return finer if finer and finding.subject and capped(decision, finding.subject) else finding.case


def summary_of(group: Group, decision: Decision, texts: Texts, filler: Filler) -> str:
    """Returns the one sentence of a card, below 140 UTF-16 units."""
    leads = group.leading(decision, texts)
    rule, other = leads[0].rule, instead(decision)
    cases = {text_case(one, decision) for one in leads}
    if len(cases) > 1:
        template = texts.rule(rule, None, "summary_mixed")
    else:
        case = next(iter(cases))
        lesions = len({one.subject for one in leads})
        keys = ("summary_one" if lesions == 1 else "summary_many", "summary", "summary_mixed")
        known = (texts.rule(rule, case, key, instead=other) for key in keys)
        template = next((one for one in known if one), None)
    text = str(template or leads[0].title)
    # What is true of one lesion only is said of those it is true of; the table holds the others.
    return short(filler.text(text, alike(text, leads)[0] if slots_of(text) & EXACT else leads))


def mri_barred(decision: Decision) -> bool:
    """Tells whether a reason against MRI with contrast is on record (R-82)."""
    return decision.fact("patient").get("mriContra", "unknown") not in ("unknown", "none-known")


def instead(decision: Decision) -> str | None:
    """Returns which texts replace those that ask for an MRI with contrast; None where it is possible."""
    if mri_barred(decision):
        return WITHOUT_MRI
    return PREGNANT if decision.fact("patient").get("pregnant") == "yes" else None


def short(text: str) -> str:
    """Returns the text below 140 UTF-16 units, cut at a word where it must be."""
    if units(text) <= LIMIT:
        return text
    return cut(text, LIMIT - 1).rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def topic_of(family: str, rules: Sequence[str]) -> str:
    """Returns the alphanumeric code by which a client remembers what was done with a card."""
    return "".join(letter for letter in family + (rules[0] if rules else "") if letter.isalnum())
