"""What Vestige emits: draft orders for a clinician to accept, in FHIR R4. Nothing here changes or deletes
an order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from fhir_profiles.codes import Coded, Imaging, Method, Operation
from fhir_profiles.records import LesionRef

TARGET_EXTENSION = "http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure"

Resource = dict[str, Any]


def ious(
    patient: str,
    *,
    lesions: Iterable[LesionRef] = (),
    contrast: bool,
    authored: date,
    due: date | None = None,
) -> Resource:
    """A draft for intraoperative ultrasound of the liver, with contrast as well where the site has it."""
    codes: list[Coded] = [Method.IOUS_LIVER, Method.IOUS]
    text = "Intraoperative ultrasound of the liver: search every original site"
    if contrast:
        codes.append(Method.CEIOUS)
        text += ", with contrast"
    return _order(patient, codes, text, authored, lesions, due)


def liver_mri(
    patient: str,
    *,
    lesions: Iterable[LesionRef] = (),
    authored: date,
    due: date | None = None,
    with_contrast: bool = True,
) -> Resource:
    """A draft for MRI of the liver: hepatobiliary agent and diffusion weighting as a note, or without
    contrast."""
    if with_contrast:
        code: Coded = Imaging.MR_LIVER_WO_W
        text = "MRI of the liver without and with hepatobiliary contrast agent, with diffusion weighting"
        note = "Hepatobiliary agent (gadoxetate) with hepatobiliary phase, diffusion weighting, whole liver."
    else:
        code = Imaging.MR_LIVER_WO
        text = "MRI of the liver without contrast agent, with diffusion weighting"
        note = "Diffusion weighting, whole liver. No contrast agent."
    return _order(patient, [code], text, authored, lesions, due, note)


def mdt_review(
    patient: str, *, lesions: Iterable[LesionRef] = (), authored: date, due: date | None = None
) -> Resource:
    """A draft request for review by the liver multidisciplinary team."""
    codes = [Operation.MDT_REVIEW, Operation.LIVER_MDT]
    return _order(patient, codes, "Review by the liver multidisciplinary team", authored, lesions, due)


def _order(
    patient: str,
    codes: Iterable[Coded],
    text: str,
    authored: date,
    lesions: Iterable[LesionRef],
    due: date | None,
    note: str | None = None,
) -> Resource:
    order: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [code.coding for code in codes], "text": text},
        "subject": {"reference": patient if patient.startswith("Patient/") else f"Patient/{patient}"},
        "authoredOn": authored.isoformat(),
    }
    targets = [target for lesion in lesions if (target := _target(lesion)) is not None]
    if targets:
        order["extension"] = [{"url": TARGET_EXTENSION, "valueReference": target} for target in targets]
    if due is not None:
        order["occurrenceDateTime"] = due.isoformat()
    if note is not None:
        order["note"] = [{"text": note}]
    return order


def _target(lesion: LesionRef) -> dict[str, Any] | None:
    """A reference to the lesion's BodyStructure, else by its tracking UID; nothing for a lesion without
    either."""
    if lesion.body is not None and not lesion.body.startswith("#"):
        return {"reference": lesion.body}
    if lesion.uid is not None:
        return {
            "type": "BodyStructure",
            "identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{lesion.uid}"},
        }
    return None
