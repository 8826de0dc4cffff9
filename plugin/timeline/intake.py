"""Intake: raw resources become records of this patient that may be used; the rest is listed with why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from fhir_profiles.read import normalise, read, with_medications, with_selections
from fhir_profiles.read.element import is_object
from fhir_profiles.records import (
    FINAL_STATUSES,
    Disposition,
    Exam,
    ExamAdequacy,
    LabResult,
    LesionAttribute,
    NewLesionStatement,
    PathologyNodule,
    PatientFact,
    PatientRecord,
    Plan,
    PlanMembership,
    Rejected,
    Report,
    ResponseStatement,
    Sighting,
    Stated,
)
from plugin.timeline.lost import hides
from plugin.timeline.model import Note
from plugin.timeline.times import cut, impossible, in_utc, operates, out_of_time, undated
from plugin.timeline.withdrawn import Withdrawn
from plugin.versions import newest

StatedT = TypeVar("StatedT", bound=Stated)

_MUST_BE_FINAL = frozenset(
    {
        Sighting,
        ExamAdequacy,
        LabResult,
        Disposition,
        LesionAttribute,
        PlanMembership,
        NewLesionStatement,
        PathologyNodule,
        ResponseStatement,
        PatientFact,
    }
)
"""Statements: used only when final, amended or corrected (R-11)."""

_FROM_DRAFTS = (Plan, Disposition, PlanMembership)
_STATED_OTHERWISE = ("AllergyIntolerance", "Device", "Condition")
_PATIENT = re.compile(r"(?:^|/)Patient/(?P<id>[^/]+)$")


@dataclass(slots=True)
class Intake:
    """Records by type, those of drafts apart, and what is not used."""

    records: dict[type, list[Stated]] = field(default_factory=lambda: defaultdict(list))
    drafts: dict[type, list[Stated]] = field(default_factory=lambda: defaultdict(list))
    pending: dict[type, list[Stated]] = field(default_factory=lambda: defaultdict(list))
    """Preliminary statements: their study took place, what they say is not used."""
    rejected: list[Rejected] = field(default_factory=list)
    unreadable: list[Rejected] = field(default_factory=list)
    """Rejections that may hide a sighting, a lesion or a study."""
    notes: list[Note] = field(default_factory=list)
    withdrawn: Withdrawn = field(default_factory=Withdrawn)

    def of(self, kind: type[StatedT]) -> list[StatedT]:
        """Gives the usable records on record of one type."""
        return _of_type(self.records, kind)

    def drafted(self, kind: type[StatedT]) -> list[StatedT]:
        """Gives the records of one type that come from drafts in the hook."""
        return _of_type(self.drafts, kind)

    def preliminary(self, kind: type[StatedT]) -> list[StatedT]:
        """Gives the records of one type that are not final."""
        return _of_type(self.pending, kind)


def _of_type(records: Mapping[type, list[Stated]], kind: type[StatedT]) -> list[StatedT]:
    return cast("list[StatedT]", list(records.get(kind, ())))


class _Versions:
    """Resources by type and id; nearly every one is there once, and the others wait apart."""

    def __init__(self, resources: Iterable[Mapping[str, Any]]) -> None:
        self._first: dict[str, Mapping[str, Any]] = {}
        self._others: dict[str, list[Mapping[str, Any]]] = {}
        for number, resource in enumerate(resources):
            own = resource.get("id") if type(resource) is dict or is_object(resource) else None
            key = f"{resource.get('resourceType')}/{own}" if isinstance(own, str) else f"#{number}"
            if key in self._first:
                self._others.setdefault(key, []).append(resource)
            else:
                self._first[key] = resource

    def leave_out(self, others: _Versions) -> None:
        """Leaves out the resources that are among the others, too; what has no id is never the same."""
        for key in others._first:
            if not key.startswith("#"):
                self._first.pop(key, None)

    def newest(self) -> Iterator[Mapping[str, Any]]:
        """Gives the newest version of each; versions that cannot be ranked and differ are all given."""
        for key, resource in self._first.items():
            if key in self._others:
                yield from newest([resource, *self._others[key]])
            else:
                yield resource


def take_in(
    resources: Iterable[Mapping[str, Any]],
    drafts: Iterable[Mapping[str, Any]],
    *,
    patient_id: str,
    base: str | None,
    today: date,
    timezone: ZoneInfo,
) -> Intake:
    """Gives the records to use; drafts take the place of stored resources with the same id."""
    intake = Intake()
    proposed = _Versions(with_medications(drafts, base))
    stored = _Versions(with_selections(with_medications(resources, base), base))
    stored.leave_out(proposed)
    # As the records name their subject: an id longer than FHIR allows is shortened there, too.
    own = normalise(f"Patient/{patient_id}") or ""
    read_in: list[Stated | Rejected] = []
    drafted: list[Stated | Rejected] = []
    birth: date | None = None
    for found, records in ((stored, read_in), (proposed, drafted)):
        for resource in found.newest():
            intake.withdrawn.note(resource, base)
            for record in _read(resource, base, today, timezone):
                if record.subject != own and not _own(record, own, intake):
                    break
                records.append(record)
                if isinstance(record, Rejected):
                    if hides(record, resource):
                        intake.unreadable.append(record)
                elif isinstance(record, PatientRecord) and record.birth is not None:
                    birth = record.birth.first
    _sort_in(read_in, intake, today, birth)
    _sort_in_drafts(drafted, intake)
    _supersede(intake)
    intake.withdrawn.settle(intake.of(Exam), intake.of(Report))
    return intake


def _read(
    resource: Mapping[str, Any], base: str | None, today: date, timezone: ZoneInfo
) -> tuple[Stated | Rejected, ...]:
    """The records of a resource; what seems to come after today is read once more, by the site's clock."""
    said = read(resource, base=base, timezone=timezone)
    for each in said:
        if each.day is not None and each.day.first > today and type(each) is not Plan:
            return read(in_utc(resource), base=base, timezone=timezone)
    return said


def _own(record: Stated | Rejected, own: str, intake: Intake) -> bool:
    """Says whether the record is of this patient; the chart has checked it, this is the second lock."""
    if not record.subject:
        return True
    named = _PATIENT.search(record.subject)
    if named is None or named["id"] == own.rsplit("/", 1)[-1]:
        return True
    kind = record.source.split("/", 1)[0]
    intake.rejected.append(Rejected(source=record.source, resource_type=kind, reason="wrong-patient"))
    return False


def _sort_in_drafts(records: Iterable[Stated | Rejected], intake: Intake) -> None:
    for record in records:
        if isinstance(record, Rejected):
            intake.rejected.append(record)
        elif isinstance(record, _FROM_DRAFTS):
            intake.drafts[type(record)].append(record)
        else:
            kind = type(record).__name__
            intake.notes.append(Note(source=record.source, reason="draft-not-used", detail=kind))


def _sort_in(records: Iterable[Stated | Rejected], intake: Intake, today: date, birth: date | None) -> None:
    """Sorts records by type: to be used, pending, or rejected."""
    for record in records:
        if isinstance(record, Rejected):
            intake.rejected.append(record)
            continue
        day, kind = record.day, type(record)
        if day is not None and (day.last > today or (birth is not None and day.last < birth)):
            if kind is not Plan and (reason := impossible(record, today, birth)) is not None:
                if (kept := undated(record) if reason == "after-today" else None) is None:
                    refused = out_of_time(record, reason)
                    intake.rejected.append(refused)
                    if operates(record):
                        intake.unreadable.append(refused)
                    continue
                intake.notes.append(Note(source=record.source, reason="day-not-used", detail=reason))
                record = kept
            record = record if kind is Plan else cut(record, today)
        if kind in _MUST_BE_FINAL and not _usable(record):
            intake.pending[kind].append(record)
            said = record.status or "no status"
            intake.notes.append(Note(source=record.source, reason="not-final", detail=said))
        else:
            intake.records[kind].append(record)


def _usable(record: Stated) -> bool:
    """Says whether a statement counts: an Observation when final, an order when active (R-11, R-37)."""
    if record.source.startswith("Observation/"):
        return record.status in FINAL_STATUSES
    kind = record.source.split("/", 1)[0]
    return record.status in ("active", "booked") or (record.status is None and kind in _STATED_OTHERWISE)


def _supersede(intake: Intake) -> None:
    """Drops what a usable record of the same resource type replaces or corrects (R-11).

    Those that replace each other, directly or in a ring, all stay: which of them is the last cannot be said.
    """
    everything = [record for records in intake.records.values() for record in records]
    replaces: dict[str, set[str]] = defaultdict(set)
    for record in everything:
        for target in record.replaces:
            key = target.split("/_history/", 1)[0]
            if key != record.key and key.split("/", 1)[0] == record.key.split("/", 1)[0]:
                replaces[record.key].add(key)
    if not replaces:
        return
    gone = {
        target
        for key, targets in replaces.items()
        for target in targets
        if key not in _reached(target, replaces)
    }
    for kind, records in intake.records.items():
        intake.records[kind] = [record for record in records if record.key not in gone]
    intake.notes.extend(
        Note(source=record.source, reason="replaced") for record in everything if record.key in gone
    )


def _reached(key: str, replaces: Mapping[str, set[str]]) -> set[str]:
    """What a resource replaces, and what that replaces in turn."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        waiting += (new := replaces.get(waiting.pop(), set()) - found)
        found |= new
    return found
