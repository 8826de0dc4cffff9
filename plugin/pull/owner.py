"""Whose a resource is: the check that no record of another patient is ever used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

# The elements that name the patient, by resource type (R4; R5 has `for` and `patient` under the same names).
_ELEMENTS = ("subject", "patient", "individual", "for", "beneficiary")
_TYPE = re.compile(r"[A-Z][A-Za-z]+")
# Definitions that belong to nobody and are only ever used through a resource that does.
_SHARED = frozenset(
    {"Medication", "Practitioner", "PractitionerRole", "Organization", "Location", "Substance"}
)


class Owner(Enum):
    """Whose a resource is, seen from the patient asked for."""

    OURS = "ours"
    OTHER = "another patient's"
    UNSTATED = "names no patient"
    UNCLEAR = "names a patient who cannot be told"
    SHARED = "belongs to nobody"


class Identity:
    """The patient asked for: the id, the FHIR base where it is known, and business identifiers once read."""

    def __init__(self, patient_id: str, base: str | None = None) -> None:
        self.patient_id = patient_id
        self.base = base
        self._reference = f"Patient/{patient_id}"
        self.identifiers: frozenset[tuple[str, str]] = frozenset()

    def learn(self, patient: Mapping[str, Any]) -> None:
        """Takes the business identifiers of the patient's own resource, for logical references."""
        self.identifiers = frozenset(_identifiers(patient.get("identifier")))

    def owner(self, resource: Mapping[str, Any]) -> Owner:
        """Returns whose the resource is; every patient it names must be ours.

        A reference that cannot be resolved ("urn:uuid:...", "patient/1") may mean ours as well as another.
        """
        kind = resource.get("resourceType")
        if kind == "Patient":
            return Owner.OURS if resource.get("id") == self.patient_id else Owner.OTHER
        if kind in _SHARED:
            return Owner.SHARED
        found, unclear = Owner.UNSTATED, False
        for reference in _patients(resource):
            same = self._same(reference)
            if same is False:
                return Owner.OTHER
            if same is None and _is_literal(reference):
                unclear = True
            elif same:
                found = Owner.OURS
        return Owner.UNCLEAR if unclear else found

    def _same(self, reference: Mapping[str, Any]) -> bool | None:
        """Returns None where the reference names nobody that can be compared."""
        url = reference.get("reference")
        if url == self._reference:
            return True
        if isinstance(url, str) and _is_literal(reference):
            return self._is_ours(url)
        found = frozenset(_identifiers([reference.get("identifier")]))
        if found and self.identifiers:
            return bool(found & self.identifiers)
        return None

    def _is_ours(self, url: str) -> bool | None:
        head, _, tail = url.split("/_history/", 1)[0].rpartition("/")
        base, _, kind = head.rpartition("/")
        if not tail or _TYPE.fullmatch(kind) is None:
            return None
        if tail != self.patient_id or kind != "Patient":
            return False
        return not base or self.base is None or base.rstrip("/") == self.base


def _is_literal(reference: Mapping[str, Any]) -> bool:
    """Says whether a reference is to something outside the resource, in whatever form."""
    url = reference.get("reference")
    return isinstance(url, str) and url != "" and not url.startswith("#")


def _patients(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for element in _ELEMENTS:
        value = resource.get(element)
        if isinstance(value, dict):
            yield value
    participants = resource.get("participant")
    if resource.get("resourceType") == "Appointment" and isinstance(participants, list):
        for participant in participants:
            actor = participant.get("actor") if isinstance(participant, dict) else None
            if isinstance(actor, dict) and _names_patient(actor):
                yield actor


def _names_patient(actor: Mapping[str, Any]) -> bool:
    """Other actors of an appointment are clinicians and rooms."""
    url = actor.get("reference")
    return actor.get("type") == "Patient" or (isinstance(url, str) and "Patient/" in url)


def _identifiers(value: Any) -> Iterator[tuple[str, str]]:
    for one in value if isinstance(value, list) else []:
        if isinstance(one, dict) and isinstance(one.get("value"), str) and isinstance(one.get("system"), str):
            yield one["system"], one["value"]
