"""Intake: raw resources become records of this patient that may be used; the rest is listed with why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from fhir_profiles.codes import Measure
from fhir_profiles.read import read, with_medications
from fhir_profiles.read.element import codings, is_object, lookup
from fhir_profiles.read.sighting import CODES as SIGHTING_CODES
from fhir_profiles.records import (
    FINAL_STATUSES,
    Disposition,
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
    ResponseStatement,
    Sighting,
    Stated,
)
from plugin.timeline.days import up_to
from plugin.timeline.model import Note
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
_LOST = {"unreadable", "no-id", "no-type", "not-an-object", "modifier-extension", "value-not-accepted"}
_DECISIVE = {"BodyStructure", "ImagingStudy", "?"}
_HIDING = SIGHTING_CODES - set(lookup([Measure]))
"""Codes of a statement on whether a lesion is seen; a density or diffusion value is none (DQ-14)."""
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

    def of(self, kind: type[StatedT]) -> list[StatedT]:
        """Gives the usable records on record of one type."""
        return [record for record in self.records.get(kind, ()) if isinstance(record, kind)]

    def drafted(self, kind: type[StatedT]) -> list[StatedT]:
        """Gives the records of one type that come from drafts in the hook."""
        return [record for record in self.drafts.get(kind, ()) if isinstance(record, kind)]

    def preliminary(self, kind: type[StatedT]) -> list[StatedT]:
        """Gives the records of one type that are not final."""
        return [record for record in self.pending.get(kind, ()) if isinstance(record, kind)]


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
    proposed = _newest(with_medications(drafts, base))
    resources = with_medications(resources, base)
    stored = {key: found for key, found in _newest(resources).items() if key not in proposed}
    birth: date | None = None
    read_in: list[tuple[Stated | Rejected, bool]] = []
    for found, draft in ((stored, False), (proposed, True)):
        for resource in (each for versions in found.values() for each in versions):
            for record in read(resource, base=base, timezone=timezone):
                if not _own(record, patient_id, intake):
                    break
                read_in.append((record, draft))
                if isinstance(record, Rejected) and _hides(record, resource):
                    intake.unreadable.append(record)
                if isinstance(record, PatientRecord) and record.birth is not None:
                    birth = record.birth.first
    for each, draft in read_in:
        _sort_in(each, draft, intake, today, birth)
    _supersede(intake)
    return intake


def _newest(resources: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Gives the newest version of each resource; versions that cannot be ranked and differ are all kept."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for number, resource in enumerate(resources):
        found[_key(resource) or f"#{number}"].append(resource)
    return {key: each if len(each) == 1 else newest(each) for key, each in found.items()}


def _key(resource: Mapping[str, Any]) -> str | None:
    own = resource.get("id") if type(resource) is dict or is_object(resource) else None
    return f"{resource.get('resourceType')}/{own}" if isinstance(own, str) else None


def _own(record: Stated | Rejected, patient_id: str, intake: Intake) -> bool:
    """Says whether the record is of this patient; the chart has checked it, this is the second lock."""
    if not record.subject or record.subject == f"Patient/{patient_id}":
        return True
    named = _PATIENT.search(record.subject)
    if named is None or named["id"] == patient_id.rsplit("/", 1)[-1]:
        return True
    kind = record.source.split("/", 1)[0]
    intake.rejected.append(Rejected(source=record.source, resource_type=kind, reason="wrong-patient"))
    return False


def _hides(rejected: Rejected, resource: Mapping[str, Any]) -> bool:
    """Says whether a lesion, a study or a statement on a lesion is lost with what was rejected."""
    if rejected.reason not in _LOST:
        return False
    if rejected.resource_type == "Observation":
        return bool(set(codings(resource.get("code"))) & _HIDING)
    return rejected.resource_type in _DECISIVE


def _sort_in(record: Stated | Rejected, draft: bool, intake: Intake, today: date, birth: date | None) -> None:
    if isinstance(record, Rejected):
        intake.rejected.append(record)
        return
    kind = type(record)
    if draft:
        if isinstance(record, _FROM_DRAFTS):
            intake.drafts[kind].append(record)
        else:
            intake.notes.append(Note(source=record.source, reason="draft-not-used", detail=kind.__name__))
        return
    day = record.day
    odd = day is not None and (day.last > today or (birth is not None and day.last < birth))
    if odd and not isinstance(record, Plan):
        reason = _impossible(record, today, birth)
        if reason is not None:
            resource_type = record.source.split("/", 1)[0]
            intake.rejected.append(
                Rejected(
                    source=record.source, resource_type=resource_type, reason=reason, subject=record.subject
                )
            )
            return
        record = _cut(record, today)
    if kind in _MUST_BE_FINAL and not _usable(record):
        intake.pending[kind].append(record)
        intake.notes.append(
            Note(source=record.source, reason="not-final", detail=record.status or "no status")
        )
        return
    intake.records[kind].append(record)


def _usable(record: Stated) -> bool:
    """Says whether a statement counts: an Observation when final, an order when active (R-11, R-37)."""
    if record.source.startswith("Observation/"):
        return record.status in FINAL_STATUSES
    kind = record.source.split("/", 1)[0]
    return record.status in ("active", "booked") or (record.status is None and kind in _STATED_OTHERWISE)


def _impossible(record: Stated, today: date, birth: date | None) -> str | None:
    if record.day is not None and record.day.first > today:
        return "after-today"
    if record.day is not None and birth is not None and record.day.last < birth:
        return "before-birth"
    return None


def _cut(record: Stated, today: date) -> Stated:
    if record.day is None or record.day.last <= today:
        return record
    return replace(record, day=up_to(record.day, today))


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
