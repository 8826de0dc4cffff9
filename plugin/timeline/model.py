"""The timeline of one patient: lesions, studies, what each says of each, and everything around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from msgspec import Struct

from fhir_profiles.records import (
    Biopsy,
    ConditionRecord,
    DayRange,
    Disposition,
    Dose,
    Embolisation,
    ExamAdequacy,
    LabResult,
    MdtReview,
    PathologyNodule,
    PatientFact,
    PatientRecord,
    Plan,
    Rejected,
    ResponseStatement,
    Treatment,
)
from plugin.chart import Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something a reader of the record should know and no rule uses; holds no patient data but tokens."""

    source: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One tracked liver lesion for its whole life.

    `tainted` means that its identity is contradicted on record: nothing is matched with it, and the
    observations that name it count as unmatched in their studies.
    """

    id: str
    label: str
    segments: tuple[str, ...] = ()
    tainted: bool = False
    merged_into: str | None = None
    split_from: str | None = None
    nature: str | None = None
    characterised: str | None = None
    depth_mm: Decimal | None = None
    in_specimen: bool | None = None
    in_specimen_before: bool | None = None
    in_future_remnant: bool | None = None
    extra_resection: str | None = None
    marker: bool | None = None
    marker_migrated: bool | None = None
    target_role: str | None = None
    sources: tuple[str, ...] = ()

    @property
    def segment(self) -> str | None:
        """The segment when exactly one is recorded."""
        return self.segments[0] if len(self.segments) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One study of one class, or the ultrasound of one operation.

    final: True when a report or statement in it is final, False when all are preliminary, None when there is
    none. liver: False only when every region on record is another one and no tracked lesion is described.
    covers: True only when something says so: its region, a lesion, or a statement on how good the study is.
    synthetic: no ImagingStudy, report or operation is on record; made from a statement's date and method.
    """

    id: str
    day: DayRange | None
    modality: str | None
    final: bool | None
    liver: bool
    covers: bool
    adequacy: ExamAdequacy | None
    unmatched: int
    synthetic: bool
    sources: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The study as people name it: class and day."""
        if self.day is None:
            when = "undated"
        elif self.day.exact:
            when = self.day.first.isoformat()
        else:
            when = f"{self.day.first.isoformat()}..{self.day.last.isoformat()}"
        return f"{self.modality or 'Study'} {when}"


class LesionSighting(Struct, frozen=True, kw_only=True, gc=False):
    """What one study says of one lesion, with all statements that agree put together.

    exact: the size is a plain value, neither a bound nor a default. unusable: measures ("adc", "hu", "suv",
    "sul") on record whose value cannot be used, most of them for want of a unit.
    """

    id: str
    lesion: str
    study: str
    day: DayRange | None
    modality: str | None
    visibility: str | None
    mm: Decimal | None = None
    exact: bool = True
    ttsm: bool | None = None
    zero_size: bool = False
    unit_rejected: bool = False
    size_text: str | None = None
    remnant: str | None = None
    conspicuity: str | None = None
    rim: str | None = None
    rim_mm: Decimal | None = None
    morph_group: int | None = None
    hu: Decimal | None = None
    hbp_signal: str | None = None
    pet_avid: bool | None = None
    sul: Decimal | None = None
    adc: Decimal | None = None
    unusable: tuple[str, ...] = ()
    new_statement: str | None = None
    sources: tuple[str, ...] = ()


_STANDING = {"active", "proposed", "pending", "booked", "arrived", "waitlist", "checked-in"}
_DRAFTED = {None, "draft", *_STANDING}
_ORDERS = {None, "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An order or plan with where it comes from: on record, or a draft in the hook; lesions resolved.

    type: that of the plan, or of the order an appointment fulfils.
    """

    plan: Plan
    type: str
    draft: bool
    lesions: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """True for an active order, a proposed or booked appointment, or a draft in the hook (R-37)."""
        if self.draft:
            return ordered(self.plan.status)
        return self.plan.status in _STANDING and self.plan.intent in _ORDERS


def ordered(status: str | None) -> bool:
    """Says whether a draft in the hook is being ordered; one on hold, ended or revoked is not (R-34)."""
    return status in _DRAFTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided for one lesion, the one statement in force."""

    lesion: str
    disposition: str
    reason: str | None
    level: str
    day: date | None
    draft: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """A local treatment with its lesions resolved; `unplaced` when it names none, or one not known."""

    treatment: Treatment
    lesions: tuple[str, ...] = ()
    unplaced: bool = False


@dataclass(frozen=True, slots=True)
class Sampled:
    """The result of a biopsy, and the lesion it is of where that is certain."""

    biopsy: Biopsy
    lesion: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A statement that shows a lesion and is not used, because it is not final."""

    source: str
    lesion: str
    day: DayRange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything read of one patient, linked and in order; `rejected` and `notes` say what was not used."""

    patient: str
    today: date
    record: PatientRecord | None = None
    lesions: tuple[Lesion, ...] = ()
    studies: tuple[Study, ...] = ()
    sightings: tuple[LesionSighting, ...] = ()
    aside: tuple[Aside, ...] = ()
    doses: tuple[Dose, ...] = ()
    treatments: tuple[Treated, ...] = ()
    embolisations: tuple[Embolisation, ...] = ()
    plans: tuple[Held, ...] = ()
    decided: tuple[Decided, ...] = ()
    labs: tuple[LabResult, ...] = ()
    conditions: tuple[ConditionRecord, ...] = ()
    patient_facts: tuple[PatientFact, ...] = ()
    reviews: tuple[MdtReview, ...] = ()
    pathology: tuple[PathologyNodule, ...] = ()
    biopsies: tuple[Sampled, ...] = ()
    responses: tuple[ResponseStatement, ...] = ()
    gaps: tuple[Gap, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[Note, ...] = ()
    unreadable: tuple[Rejected, ...] = field(default=())
    """Rejections that may hide a sighting, a lesion or a study: the history is not complete."""

    def lesion(self, lesion_id: str) -> Lesion:
        """Gives the lesion with that id; KeyError when there is none."""
        for lesion in self.lesions:
            if lesion.id == lesion_id:
                return lesion
        raise KeyError(lesion_id)

    def of_lesion(self, lesion_id: str) -> tuple[LesionSighting, ...]:
        """Gives the sightings of one lesion in order of day, undated ones first."""
        return tuple(each for each in self.sightings if each.lesion == lesion_id)


__all__ = [
    "Aside",
    "Decided",
    "Disposition",
    "Held",
    "Lesion",
    "LesionSighting",
    "Note",
    "Sampled",
    "Study",
    "Timeline",
    "Treated",
]
