"""A decision on one patient, and the advice that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from plugin.chart import Gap
from plugin.once import Once
from plugin.timeline import Timeline
from rules.evaluation import Alarm, Evaluation
from rules.facts import Fact, Value
from rules.finding import Finding
from rules.language import Pack, Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """What one study says of one lesion; `visibility` None where the study is silent on it."""

    study: str
    day: date | None
    modality: str | None
    visibility: str | None
    mm: Decimal | None
    sources: tuple[str, ...]


LESION_RECORDS = frozenset({"Observation", "BodyStructure", "ImagingStudy", "DiagnosticReport"})
"""The resource types that speak of lesions."""


@dataclass(frozen=True, kw_only=True)
class LesionOutcome:
    """The status of one lesion with its reasons, its flags and its history in order of day."""

    id: str
    label: str
    segment: str | None
    status: str
    reasons: tuple[str, ...]
    as_of: date | None
    flags: Mapping[str, str]
    timeline: Timeline = field(repr=False, compare=False)

    @cached_property
    def history(self) -> tuple[HistoryEntry, ...]:
        """What every study says of it, and the final liver studies that say nothing; no card asks for it."""
        return _history(self.timeline, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Where a finding goes on a hook: a card, a row of a table, or nowhere.

    `hidden_by` names the rule that acts on it, `merged_into` is the rule in whose card it
    stands; `stripped` takes the figures away.
    """

    finding: Finding
    shown: Literal["card", "row", "hidden"]
    hidden_by: str | None = None
    merged_into: str | None = None
    stripped: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision(Once):
    """All that was decided on one patient: independent of the hook, which only chooses what is shown.

    `facts` are the facts put in; `evaluation` holds those the rules gave. `parameters` are those in force.
    """

    patient: str
    today: date
    lesions: tuple[LesionOutcome, ...]
    patient_status: str
    certainty: str | None
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    evaluation: Evaluation
    timeline: Timeline
    gaps: tuple[Gap, ...]
    pack: Pack = field(repr=False, compare=False)
    order_matters: bool = True
    """Whether an order of the hook has to do with the liver or its treatment, as far as can be told."""
    encounter: str | None = None
    """The id of the encounter in which the hook asked; drafts are made in it."""

    @property
    def pack_revision(self) -> str:
        """The revision of the rule pack."""
        return self.evaluation.revision

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters in force."""
        return self.pack.parameters

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What an operator must know."""
        return self.evaluation.alarms

    @cached_property
    def unread(self) -> bool:
        """Whether a part of the record was not read that may speak of lesions: silence there says nothing."""
        return any(gap.decisive and gap.resource in LESION_RECORDS for gap in self.gaps)

    @cached_property
    def active(self) -> tuple[Finding, ...]:
        """The findings of the rules that are in force."""
        return tuple([finding for finding in self.findings if finding.status == "active"])

    @cached_property
    def _put_in(self) -> dict[str, list[Mapping[str, Value]]]:
        found: dict[str, list[Mapping[str, Value]]] = {}
        for fact in self.facts:
            found.setdefault(fact.kind, []).append(fact.values)
        return found

    def put_in(self, kind: str) -> Sequence[Mapping[str, Value]]:
        """Returns the values of every fact of a kind that was put in."""
        return self._put_in.get(kind, ())

    @cached_property
    def _kinds(self) -> dict[str, tuple[Mapping[str, Value], ...]]:
        return {}

    def _known(self, kind: str) -> tuple[Mapping[str, Value], ...]:
        """The values of every fact of a kind, put in or given."""
        known = self._kinds.get(kind)
        if known is None:
            known = self._kinds[kind] = (*self.put_in(kind), *self.evaluation.values(kind))
        return known

    @cached_property
    def _lesions(self) -> dict[str, dict[str, Mapping[str, Value]]]:
        return {}

    def _by_lesion(self, kind: str) -> dict[str, Mapping[str, Value]]:
        """The values of the first fact of a kind about each lesion."""
        found = self._lesions.get(kind)
        if found is None:
            found = self._lesions[kind] = {}
            name = "id" if kind == "lesion" else "lesion"
            for values in self._known(kind):
                found.setdefault(str(values.get(name)), values)
        return found

    def fact(self, kind: str) -> Mapping[str, Value]:
        """Returns the values of the first fact of a kind, put in or given; empty where there is none."""
        return next(iter(self._known(kind)), {})

    def about(self, kind: str, lesion: str) -> Mapping[str, Value]:
        """Returns the values of the first fact of a kind about a lesion; empty where there is none."""
        return self._by_lesion(kind).get(lesion, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A draft order that a clinician may accept; nothing is ever changed or deleted by one."""

    label: str
    description: str
    resource: dict[str, Any]
    recommended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideReason:
    """A reason a clinician may give for not following the advice."""

    code: str
    display: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One card before it is wrapped into a protocol.

    `summary` is one plain sentence of fewer than 140 UTF-16 units; `detail` is GitHub-flavoured Markdown in
    which every text of the record is escaped. `topic` is alphanumeric and stable. `subjects` are the lesions
    it is about. `digests` hold what each of its rules is about, for an answer to be remembered by.
    """

    family: str
    indicator: str
    summary: str
    detail: str
    rules: tuple[str, ...]
    subjects: tuple[str, ...]
    topic: str
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[OverrideReason, ...] = ()
    sources: tuple[str, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()


def _history(timeline: Timeline, lesion: str) -> tuple[HistoryEntry, ...]:
    """Every study that says something of the lesion, and the final liver studies that do not."""
    said = {each.study for each in timeline.of_lesion(lesion)}
    entries = [
        HistoryEntry(
            study=each.study,
            day=_shown_day(each.day.first, each.day.last, each.visibility) if each.day else None,
            modality=each.modality,
            visibility=each.visibility,
            mm=each.mm,
            sources=each.sources,
        )
        for each in timeline.of_lesion(lesion)
    ]
    entries += [
        HistoryEntry(
            study=study.id,
            day=study.day.last if study.day else None,
            modality=study.modality,
            visibility=None,
            mm=None,
            sources=study.sources,
        )
        for study in timeline.studies
        if study.id not in said and study.final is True and study.liver
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.day or date.min, entry.study)))


def _shown_day(first: date, last: date, visibility: str | None) -> date:
    """The last possible day of a visible sighting, the first possible one of every other."""
    return last if visibility == "visible" else first
