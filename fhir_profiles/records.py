"""What the reader gives: flat, typed records that each name the FHIR resource they were read from.

Conventions: an enum-like field is a string of the fact dictionary's value set or None when the resource
does not say; a yes/no field is True, False or None (not said); lengths are Decimal millimetres; a day is a
DayRange. Every record names its resource in `source` ("Type/id" or "Type/id/_history/version"); one
resource may give several. Records hold texts, numbers, days and tuples of these, never each other in a
circle, so the garbage collector need not watch them (`gc=False`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeAlias

import msgspec

VISIBILITIES = ("visible", "not-visible", "indeterminate", "not-assessed")
CLASSES = ("CT", "MRI", "US", "PET", "IOUS", "CEIOUS")
SEGMENTS = ("I", "II", "III", "IV", "IVa", "IVb", "V", "VI", "VII", "VIII", "liver")
PLAN_TYPES = (
    "chemotherapy",
    "stop-chemotherapy",
    "liver-mri",
    "other-liver-imaging",
    "ious",
    "ceious",
    "hepatectomy",
    "ablation",
    "watch-and-wait",
    "surveillance",
    "mdt",
    "other",
)
FINAL_STATUSES = frozenset({"final", "amended", "corrected", "appended"})
VOID_STATUSES = frozenset({"entered-in-error", "cancelled"})


class DayRange(msgspec.Struct, frozen=True, order=True, gc=False):
    """First and last possible local calendar day; equal when the date is exact."""

    first: date
    last: date

    @property
    def exact(self) -> bool:
        """True when the day is known."""
        return self.first == self.last


class LesionRef(msgspec.Struct, frozen=True, kw_only=True, gc=False, cache_hash=True):
    """Everything one resource says of the identity of one lesion; no field alone but `uid` and `body`
    identifies it.

    body: "BodyStructure/id" as referred to; uid: DICOM tracking UID without the urn prefix; label and
    segment: as written beside the reference (for a LesionRecord: its own).
    """

    body: str | None = None
    uid: str | None = None
    label: str | None = None
    segment: str | None = None


class StudyRef(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A study, by "ImagingStudy/id" or by Study Instance UID (without the urn prefix), or both."""

    key: str | None = None
    uid: str | None = None


class Stated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every record carries.

    source: opaque token; status: the resource's own status; subject: "Patient/id"; day: when it was true,
    or taken; version, updated: meta.versionId and meta.lastUpdated as written; identifiers: business
    identifiers "system|value"; replaces: tokens this resource supersedes or is an addendum to. flags:
    "subsetted", "preliminary", "day-from-issued", "day-from-last-updated", "modifier-extension" ...
    """

    source: str
    status: str | None = None
    subject: str | None = None
    day: DayRange | None = None
    version: str | None = None
    updated: str | None = None
    identifiers: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The source without its version: "Type/id"."""
        return self.source.split("/_history/", 1)[0]


class LesionRecord(Stated, frozen=True, kw_only=True, gc=False):
    """One BodyStructure: a tracked lesion for its whole life (`active` never means vanished).

    merged_into: the lesion it is a part of since they merged; split_from: the lesion it was a part of.
    """

    ref: LesionRef
    uids: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    liver: bool | None = None
    nature: str | None = None
    active: bool | None = None
    merged_into: LesionRef | None = None
    split_from: LesionRef | None = None


class Sighting(Stated, frozen=True, kw_only=True, gc=False):
    """What one Observation says of one lesion in one study; several may describe the same lesion and study.

    lesion None: no lesion is named (unmatched). visibility None: the resource says nothing of it (a
    measure or a feature alone); `explicit` False: implied by a size above 0 mm. zero_size: a size of 0
    mm, no claim at all. size_rejected: why a size was refused (the sighting stays). size_text: text
    shown, never counted. size_comparator: "<", "<=", ">", ">=" as written, mm then is the bound. region:
    "liver", "other" (another organ or region) or None, of the coded body site. members: Observations of a
    group, which share its lesion and study. adc in um2/s, hu in HU. unusable: measures ("adc", "hu", "suv",
    "sul") that are on record and have no value here, because their unit is missing or foreign, or the number
    is only a bound.
    """

    lesion: LesionRef | None = None
    studies: tuple[StudyRef, ...] = ()
    method: str | None = None
    region: str | None = None
    visibility: str | None = None
    explicit: bool = False
    mm: Decimal | None = None
    other_mm: tuple[Decimal, ...] = ()
    size_comparator: str | None = None
    size_rejected: str | None = None
    size_text: str | None = None
    zero_size: bool = False
    ttsm: bool | None = None
    remnant: str | None = None
    conspicuity: str | None = None
    rim: str | None = None
    rim_mm: Decimal | None = None
    morph_group: int | None = None
    hu: Decimal | None = None
    adc: Decimal | None = None
    adc_model: str | None = None
    suv: Decimal | None = None
    sul: Decimal | None = None
    hbp_signal: str | None = None
    pet_avid: bool | None = None
    new_statement: str | None = None
    target_role: str | None = None
    nature: str | None = None
    features: tuple[tuple[str, str], ...] = ()
    unusable: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


class Exam(Stated, frozen=True, kw_only=True, gc=False):
    """One ImagingStudy: classes of its modalities ("CT", "PET" for a PET/CT), region, start.

    region: liver, abdomen, whole-body, other or None. day None: not said. Never holds slice, contrast or b
    value, which an R4 ImagingStudy does not carry. `void` studies (cancelled, entered-in-error) are
    Rejected instead.
    """

    study: StudyRef
    classes: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    region: str | None = None
    title: str | None = None


class ExamAdequacy(Stated, frozen=True, kw_only=True, gc=False):
    """What the reader said of one examination: fit or not to rule a lesion out, and its protocol."""

    studies: tuple[StudyRef, ...] = ()
    method: str | None = None
    adequacy: str | None = None
    agent: str | None = None
    hbp: bool | None = None
    hbp_delayed: bool | None = None
    hbp_quality: str | None = None
    dwi: bool | None = None
    max_b: int | None = None
    slice_mm: Decimal | None = None
    coverage: str | None = None
    covered_segments: tuple[str, ...] = ()
    excluded_segments: tuple[str, ...] = ()
    artefact: str | None = None
    artefact_segments: tuple[str, ...] = ()
    reticulation: str | None = None
    reticulation_segments: tuple[str, ...] = ()
    lesion_map: bool | None = None


class Report(Stated, frozen=True, kw_only=True, gc=False):
    """One DiagnosticReport: its studies, the Observations it presents ("Observation/id"), class and region
    by code."""

    studies: tuple[StudyRef, ...] = ()
    results: tuple[str, ...] = ()
    method: str | None = None
    region: str | None = None
    imaging: bool | None = None


class LabResult(Stated, frozen=True, kw_only=True, gc=False):
    """One carcinoembryonic antigen value.

    family: "mass" (value in ng/mL), "arbitrary" (units/volume) or "molar", never mixed. comparator as
    written. uln: the laboratory's upper limit in the unit of the value; performer: reference token or None.
    rejected: why the value cannot be used (then value is None).
    """

    code: str
    family: str
    value: Decimal | None = None
    unit: str | None = None
    comparator: str | None = None
    uln: Decimal | None = None
    performer: str | None = None
    rejected: str | None = None


class Dose(Stated, frozen=True, kw_only=True, gc=False):
    """Systemic therapy given: one administration, one end of a period of intake, or one cycle recorded as
    Procedure.

    agent: a value of the fact dictionary ("other": an antineoplastic agent without a class of its own).
    kind: "administration", "statement" or "cycle" (cycle Procedures count only where no administrations
    exist). continuous: taken from this day on or up to this day (one record for each end of the period).
    infusion: given over all these days, first and last both known, as by a pump.
    """

    agent: str
    kind: str = "administration"
    name: str | None = None
    cycle: int | None = None
    continuous: bool = False
    infusion: bool = False
    hepatic_artery: bool | None = None
    intent: str | None = None


class ContrastDose(Stated, frozen=True, kw_only=True, gc=False):
    """A contrast agent given (MedicationAdministration): gadoxetate, gadobenate, gadobutrol or other."""

    agent: str


class Treatment(Stated, frozen=True, kw_only=True, gc=False):
    """A local treatment of the liver: resected, ablated or other; treatment only when `completed`.

    lesions: those the resource names as target; empty: it does not say which. segments: of bodySite.
    operative: False for a percutaneous ablation.
    """

    type: str
    lesions: tuple[LesionRef, ...] = ()
    segments: tuple[str, ...] = ()
    operative: bool | None = None

    @property
    def completed(self) -> bool:
        """True when the procedure is recorded as completed."""
        return self.status == "completed"

    @property
    def in_progress(self) -> bool:
        """True when the procedure is recorded as going on now."""
        return self.status == "in-progress"

    @property
    def doubtful(self) -> bool:
        """True when the status leaves open whether it was done: unknown, missing, stopped, on hold."""
        return self.status not in {"completed", "in-progress", "preparation", "not-done"}


class Embolisation(Stated, frozen=True, kw_only=True, gc=False):
    """A portal or hepatic vein embolisation: not an operation on a lesion, but older remnant volumes are
    void."""


class MdtReview(Stated, frozen=True, kw_only=True, gc=False):
    """A multidisciplinary or surgical review that took place (completed Procedure, Encounter or CarePlan
    activity)."""


class Plan(Stated, frozen=True, kw_only=True, gc=False):
    """One order, appointment or plan activity; `type` is one of PLAN_TYPES, `day` when it is to happen.

    authored: when it was written; ended: when it was revoked or cancelled, if it was; booked: an
    Appointment; agents: for chemotherapy; modality: class of an imaging order; reason: of a
    watch-and-wait order; based_on: tokens of the orders it fulfils; operative: True for an ablation done
    at operation, which counts as a liver operation, False for a percutaneous one. An order with several
    codes (a hepatectomy with intraoperative ultrasound) gives one Plan for each type. A draft of the hook
    is marked by who holds it, not here; a draft MedicationRequest of status stopped or cancelled is a
    stop order although its type is chemotherapy.
    """

    type: str
    intent: str | None = None
    authored: DayRange | None = None
    ended: DayRange | None = None
    booked: bool = False
    lesions: tuple[LesionRef, ...] = ()
    segments: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    modality: str | None = None
    reason: str | None = None
    based_on: tuple[str, ...] = ()
    operative: bool | None = None

    @property
    def live(self) -> bool:
        """True when the order stands: neither finished, revoked, on hold nor unknown."""
        return self.status in {"active", "draft", "proposed", "pending", "booked", "arrived", "waitlist"}

    @property
    def revoked(self) -> bool:
        """True when the order was revoked or the appointment cancelled."""
        return self.status in {"revoked", "cancelled", "stopped", "noshow"}


class Disposition(Stated, frozen=True, kw_only=True, gc=False):
    """What is to happen with a lesion (or, level "patient", with every untreated one); `day` is when it was
    decided."""

    level: str
    disposition: str
    reason: str | None = None
    lesions: tuple[LesionRef, ...] = ()


class LesionAttribute(Stated, frozen=True, kw_only=True, gc=False):
    """A lasting property of one lesion: depth below the capsule, marker, cost of removing its site."""

    lesion: LesionRef | None = None
    depth_mm: Decimal | None = None
    marker: bool | None = None
    marker_migrated: bool | None = None
    extra_resection: str | None = None
    nature: str | None = None
    characterised: str | None = None
    target_role: str | None = None
    merged_into: LesionRef | None = None


class PlanMembership(Stated, frozen=True, kw_only=True, gc=False):
    """Whether the planned specimen, or the future liver remnant, holds the site of one lesion."""

    lesion: LesionRef | None = None
    in_specimen: bool | None = None
    in_future_remnant: bool | None = None
    plan: str | None = None


class NewLesionStatement(Stated, frozen=True, kw_only=True, gc=False):
    """A reader's statement that a lesion is new, not new or of uncertain novelty ("new", "not-new", None)."""

    lesion: LesionRef | None = None
    statement: str | None = None
    studies: tuple[StudyRef, ...] = ()
    method: str | None = None


class PathologyNodule(Stated, frozen=True, kw_only=True, gc=False):
    """Pathology of one resected nodule: tumour regression grade 1..5 (Rubbia-Brandt), per cent viable
    cells; `found` False: the specimen holds neither the lesion nor its scar."""

    lesion: LesionRef | None = None
    found: bool | None = None
    trg: int | None = None
    viable_percent: Decimal | None = None
    mm: Decimal | None = None


class Biopsy(Stated, frozen=True, kw_only=True, gc=False):
    """The result of a biopsy of one lesion: "positive", "negative" or "inconclusive"."""

    lesion: LesionRef
    result: str


class ResponseStatement(Stated, frozen=True, kw_only=True, gc=False):
    """A response category recorded by a reader, with its criterion when the resource names one."""

    category: str
    criterion: str | None = None
    lesion: LesionRef | None = None
    studies: tuple[StudyRef, ...] = ()


class PatientRecord(Stated, frozen=True, kw_only=True, gc=False):
    """The Patient: birth date as far as known, whether deceased."""

    birth: DayRange | None = None
    deceased: bool | None = None


class ConditionRecord(Stated, frozen=True, kw_only=True, gc=False):
    """One Condition that matters here; `kind` is one of CONDITION_KINDS, `day` is its onset.

    active False: resolved, inactive, remission or abated. certain False: provisional, differential,
    unconfirmed (refuted and entered-in-error conditions are Rejected). grade: for steatosis.
    """

    kind: str
    active: bool | None = None
    certain: bool | None = None
    grade: str | None = None
    recorded: DayRange | None = None


CONDITION_KINDS = (
    "liver-metastases",
    "colorectal-primary",
    "other-primary",
    "extrahepatic-metastases",
    "steatosis",
    "steatohepatitis",
    "sos",
    "cirrhosis",
    "pregnancy",
    "renal-impairment",
    "claustrophobia",
    "device",
    "mucinous",
)


class PatientFact(Stated, frozen=True, kw_only=True, gc=False):
    """One dated statement on the patient: `kind` one of PATIENT_FACT_KINDS, and its value as text or
    number. `about`: tokens of the Conditions it is stated of."""

    kind: str
    value: str | None = None
    number: Decimal | None = None
    about: tuple[str, ...] = ()


PATIENT_FACT_KINDS = (
    "ecog",
    "child-pugh",
    "flr-percent",
    "intent",
    "refusal",
    "extrahepatic",
    "msi",
    "mucinous",
    "steatosis",
    "mri-contra",
    "hai",
    "transplant",
    "clinically-stable",
    "pregnant",
    "ceious-available",
    "liver-normal",
    "node-positive",
    "kras-mutated",
)


class Rejected(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A resource, or a part of it, that is not used, with its reason; `detail` names elements, never values.

    reasons: "not-an-object", "no-type", "no-id", "unreadable", "entered-in-error", "cancelled", "refuted",
    "modifier-extension", "no-value", "value-not-accepted", "no-lesion", "text-only", "not-given", "not-done",
    "not-active", "do-not-perform", "medication-not-resolved", "code-not-known". lesions, day: of an
    Observation whose code is not known, or that has no value of its own, and may tell of these lesions.
    """

    source: str
    resource_type: str
    reason: str
    detail: str = ""
    subject: str | None = None
    lesions: tuple[LesionRef, ...] = ()
    day: DayRange | None = None


Record: TypeAlias = (
    LesionRecord
    | Sighting
    | Exam
    | ExamAdequacy
    | Report
    | LabResult
    | Dose
    | ContrastDose
    | Treatment
    | Embolisation
    | MdtReview
    | Plan
    | Disposition
    | LesionAttribute
    | PlanMembership
    | NewLesionStatement
    | PathologyNodule
    | Biopsy
    | ResponseStatement
    | PatientRecord
    | ConditionRecord
    | PatientFact
    | Rejected
)
