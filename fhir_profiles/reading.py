"""A reading as FHIR R4: statements on lesions and on an examination, with who made them.

A statement is only ever added. One that corrects another names it (`observation-replaces`); the earlier one
stays on record as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fhir_profiles.codes import (
    CANONICAL,
    OBSERVATION_CATEGORY,
    SITE_OF_SEGMENT,
    UCUM,
    Coded,
    Contrast,
    Method,
    Protocol,
    ProtocolValue,
    Size,
    Topic,
    Visibility,
)
from fhir_profiles.records import LesionRef

Resource = dict[str, Any]

REPLACES = "http://hl7.org/fhir/StructureDefinition/observation-replaces"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"

METHODS: Mapping[str, Coded] = {
    "CT": Method.CT,
    "MRI": Method.MRI,
    "PET": Method.PET,
    "US": Method.US,
    "IOUS": Method.IOUS,
    "CEIOUS": Method.CEIOUS,
}
VISIBILITIES: Mapping[str, Coded | None] = {
    "visible": Visibility.PRESENT,
    "not-visible": Visibility.NOT_DETECTED,
    "indeterminate": Visibility.INDETERMINATE,
    "not-assessed": None,
}
ADEQUACIES: Mapping[str, Coded] = {
    "adequate": ProtocolValue.ADEQUATE,
    "limited": ProtocolValue.LIMITED,
    "non-diagnostic": ProtocolValue.NON_DIAGNOSTIC,
}
AGENTS: Mapping[str, Coded] = {
    "gadoxetate": Contrast.GADOXETATE,
    "gadobenate": Contrast.GADOBENATE,
    "gadobutrol": Contrast.GADOBUTROL,
    "other": Contrast.OTHER,
    "none": Contrast.NONE,
}
COVERAGES: Mapping[str, Coded] = {
    "whole-liver": ProtocolValue.WHOLE_LIVER,
    "partial": ProtocolValue.PARTIAL,
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What every statement of one reading shares: patient, study, its day and class, reader and moment.

    patient: the id alone; study: "ImagingStudy/id" or None where there is none; reader: "Practitioner/id".
    """

    patient: str
    study: str | None
    day: date
    modality: str
    recorded: datetime
    reader: str | None = None


def visibility(
    setting: Setting,
    lesion: LesionRef,
    said: str,
    *,
    too_small: bool = False,
    replaces: Sequence[str] = (),
    keep: Sequence[Mapping[str, Any]] = (),
) -> Resource:
    """Whether a lesion is seen: visible, not-visible, indeterminate, not-assessed; `keep` are components."""
    made = _statement(setting, "crlm-lesion-visibility", Topic.VISIBILITY, replaces)
    made["focus"] = [_focus(lesion)]
    value = VISIBILITIES[said]
    if value is None:
        made["dataAbsentReason"] = {"coding": [{"system": _ABSENT, "code": "not-performed"}]}
    else:
        made["valueCodeableConcept"] = value.concept
    parts = [dict(one) for one in keep]
    if too_small:
        parts.append(_part(Size.TTSM, valueBoolean=True))
    if parts:
        made["component"] = parts
    return made


def size(setting: Setting, lesion: LesionRef, mm: Decimal, *, replaces: Sequence[str] = ()) -> Resource:
    """The longest diameter of a lesion that is seen, in mm."""
    made = _statement(setting, "crlm-lesion-size", Size.TUMOUR_SIZE, replaces)
    made["focus"] = [_focus(lesion)]
    made["component"] = [_part(Size.LONGEST, valueQuantity=_mm(mm))]
    return made


def adequacy(
    setting: Setting,
    value: str,
    *,
    agent: str | None = None,
    hbp: bool | None = None,
    dwi: bool | None = None,
    coverage: str | None = None,
    excluded: Sequence[str] = (),
    slice_mm: Decimal | None = None,
    replaces: Sequence[str] = (),
    keep: Sequence[Mapping[str, Any]] = (),
) -> Resource:
    """Whether an examination can rule a lesion out; `keep` are components that are not stated anew.

    excluded: the segments that a partial coverage leaves out.
    """
    made = _statement(setting, "crlm-exam-adequacy", Topic.ADEQUACY, replaces)
    made["valueCodeableConcept"] = ADEQUACIES[value].concept
    stated: list[tuple[Coded, Resource | None]] = [
        (Protocol.AGENT, _coded(AGENTS, agent)),
        (Protocol.HBP, None if hbp is None else {"valueBoolean": hbp}),
        (Protocol.DWI, None if dwi is None else {"valueBoolean": dwi}),
        (Protocol.COVERAGE, _coded(COVERAGES, coverage)),
        (Protocol.SLICE, None if slice_mm is None else {"valueQuantity": _mm(slice_mm)}),
    ]
    parts = [_part(code, **value) for code, value in stated if value is not None]
    parts += [_part(Protocol.EXCLUDED, **_site(segment)) for segment in excluded]
    anew = {code.code for code, value in stated if value is not None}
    # Segments on record stay left out until others are named, or the whole liver is said to be covered.
    if coverage == "whole-liver" or excluded:
        anew |= {Protocol.EXCLUDED.code, Protocol.COVERED.code}
    kept = [dict(one) for one in keep if not anew & set(_codes(one))]
    if kept or parts:
        made["component"] = [*kept, *parts]
    return made


def provenance(setting: Setting, targets: Sequence[str], *, replaced: Sequence[str] = ()) -> Resource:
    """Who made the statements, and with what; `targets` and `replaced` are references."""
    unnamed = "Reader signed in at the EHR; not named to the page"
    who = {"reference": setting.reader} if setting.reader else {"display": unnamed}
    made: Resource = {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": _instant(setting.recorded),
        "activity": {
            "coding": [{"system": _OPERATION, "code": "UPDATE" if replaced else "CREATE"}],
            "text": "Reading recorded on the lesion timeline",
        },
        "agent": [
            {"type": _agent("author"), "who": who},
            {"type": _agent("assembler"), "who": {"display": "Vestige"}},
        ],
    }
    if replaced:
        made["entity"] = [{"role": "revision", "what": {"reference": one}} for one in replaced]
    return made


def transaction(entries: Iterable[tuple[str, Resource]]) -> Resource:
    """A transaction Bundle that only adds: full URL (urn:uuid) and resource of each entry."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": url,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for url, resource in entries
        ],
    }


def _statement(setting: Setting, profile: str, code: Coded, replaces: Sequence[str]) -> Resource:
    made: Resource = {
        "resourceType": "Observation",
        "meta": {"profile": [f"{CANONICAL}/StructureDefinition/{profile}"]},
        "status": "amended" if replaces else "final",
        "category": [{"coding": [{"system": OBSERVATION_CATEGORY, "code": "imaging"}]}],
        "code": code.concept,
        "subject": {"reference": f"Patient/{setting.patient}"},
        "effectiveDateTime": setting.day.isoformat(),
        "issued": _instant(setting.recorded),
        "method": METHODS[setting.modality].concept,
    }
    if replaces:
        made["extension"] = [{"url": REPLACES, "valueReference": {"reference": one}} for one in replaces]
    if setting.study is not None:
        made["partOf"] = [{"reference": setting.study}]
    if setting.reader is not None:
        made["performer"] = [{"reference": setting.reader}]
    return made


def _focus(lesion: LesionRef) -> Resource:
    """The lesion by its BodyStructure, else by its tracking UID; ValueError for one with neither."""
    if lesion.body is not None:
        return {"reference": lesion.body}
    if lesion.uid is None:
        raise ValueError("the lesion has neither a BodyStructure nor a tracking UID")
    return {
        "type": "BodyStructure",
        "identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{lesion.uid}"},
    }


def _part(code: Coded, **value: Any) -> Resource:
    return {"code": code.concept, **value}


def _coded(codes: Mapping[str, Coded], said: str | None) -> Resource | None:
    return None if said is None else {"valueCodeableConcept": codes[said].concept}


def _site(segment: str) -> Resource:
    return {"valueCodeableConcept": SITE_OF_SEGMENT[segment].concept}


def _codes(part: Mapping[str, Any]) -> list[str]:
    concept = part.get("code")
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    return [str(one.get("code")) for one in codings or () if isinstance(one, Mapping)]


def _mm(value: Decimal) -> Resource:
    number: int | float = int(value) if value == value.to_integral_value() else float(value)
    return {"value": number, "unit": "mm", "system": UCUM, "code": "mm"}


def _agent(code: str) -> Resource:
    return {"coding": [{"system": _AGENT, "code": code}]}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
