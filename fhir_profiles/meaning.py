"""A site's own codes: what each of them stands for, put beside it in the words that the reader knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_profiles.codes import SYSTEM_ALIASES, Coded, Disposition, Imaging, Method, Operation
from fhir_profiles.read.element import Pair, codings

MEANINGS: Mapping[str, Coded] = {
    "liver-resection": Operation.HEPATECTOMY,
    "liver-ablation": Operation.ABLATION,
    "liver-ablation-operative": Operation.ABLATION_OPERATIVE,
    "liver-ablation-percutaneous": Operation.ABLATION_PERCUTANEOUS,
    "liver-local-treatment": Operation.OTHER_LOCAL,
    "liver-vein-embolisation": Operation.EMBOLISATION,
    "intraoperative-ultrasound": Method.IOUS_LIVER,
    "intraoperative-ultrasound-contrast": Method.CEIOUS,
    "liver-mri-contrast": Imaging.MR_LIVER_WO_W,
    "liver-mri": Imaging.MR_LIVER_WO,
    "liver-ct": Imaging.CT_LIVER,
    "liver-ct-contrast": Imaging.CT_LIVER_W,
    "pet-ct": Method.PET_CT_FDG,
    "chemotherapy": Operation.CHEMOTHERAPY_CYCLE,
    "stop-chemotherapy": Operation.STOP_CHEMOTHERAPY,
    "mdt-review": Operation.LIVER_MDT,
    "site-surveillance": Operation.SURVEILLANCE,
    "watch-and-wait": Disposition.WATCH_AND_WAIT,
}
"""What a site's code of a procedure, an order, an appointment or an examination may stand for."""

_TYPES = {
    "Procedure",
    "ServiceRequest",
    "Appointment",
    "CarePlan",
    "Encounter",
    "ImagingStudy",
    "DiagnosticReport",
}


def pair_of(written: str) -> Pair | None:
    """The system and code of "system|code"; None where either is missing."""
    system, bar, code = written.rpartition("|")
    system, code = system.strip(), code.strip()
    return (SYSTEM_ALIASES.get(system, system), code) if bar and system and code else None


def with_meanings(
    resources: Iterable[Mapping[str, Any]], meanings: Mapping[Pair, Coded]
) -> tuple[Mapping[str, Any], ...]:
    """The same resources, each code of the site followed by the code it stands for.

    Only in procedures, orders, appointments, plans, encounters, examinations and their reports: a site's code
    never turns into a finding. A resource without such a code is given as it came.
    """
    given = tuple(resources)
    if not meanings:
        return given
    return tuple(
        _meant(item, meanings) if isinstance(item, Mapping) and item.get("resourceType") in _TYPES else item
        for item in given
    )


def _meant(value: Any, meanings: Mapping[Pair, Coded]) -> Any:
    if isinstance(value, list):
        items = [_meant(item, meanings) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if not isinstance(value, Mapping):
        return value
    changed = {name: new for name, old in value.items() if (new := _meant(old, meanings)) is not old}
    coding = value.get("coding")
    if isinstance(coding, list):
        stands_for = {meanings[pair] for pair in codings({"coding": coding}) if pair in meanings}
        if stands_for:
            added = [kind.coding for kind in sorted(stands_for, key=lambda kind: kind.code)]
            changed["coding"] = [*coding, *added]
    return {**value, **changed} if changed else value
