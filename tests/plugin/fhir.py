"""Small FHIR resources of a synthetic patient, for the tests of the pull."""

from __future__ import annotations

from typing import Any

from plugin.pull import HookInput
from plugin.settings import Backend, Fhir, FhirServer, Service, Settings

PATIENT = "sample-1"
OTHER = "sample-2"


def patient(own: str = PATIENT) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": own,
        "identifier": [{"system": "https://vestige.example/mrn", "value": f"mrn-{own}"}],
        "birthDate": "1960-01-01",
    }


def observation(own: str = "obs-1", of: str = PATIENT, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "21889-1"}]},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": "2026-01-10",
        **more,
    }


def study(own: str = "study-1", of: str = PATIENT) -> dict[str, Any]:
    return {
        "resourceType": "ImagingStudy",
        "id": own,
        "status": "available",
        "subject": {"reference": f"Patient/{of}"},
    }


def lesion(own: str = "lesion-1", of: str = PATIENT) -> dict[str, Any]:
    return {"resourceType": "BodyStructure", "id": own, "patient": {"reference": f"Patient/{of}"}}


def searchset(*resources: Any, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one} for one in resources],
        **more,
    }


def outcome(severity: str, code: str, diagnostics: str = "secret of the patient") -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": diagnostics}],
    }


def authorization(**more: Any) -> dict[str, Any]:
    return {
        "access_token": "secret-token",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "vestige",
        **more,
    }


def call(**more: Any) -> HookInput:
    return HookInput(**{"hook": "patient-view", "patient_id": PATIENT, **more})


def settings(
    *bases: str, open: bool = False, dialect: str | None = None, backend: Backend | None = None, **fhir: Any
) -> Settings:
    """Settings with these servers and times so long that only a test of a timeout gives shorter ones."""
    times = {"connect_timeout": 10.0, "read_timeout": 20.0, "budget": 30.0, **fhir}
    servers = tuple(FhirServer(base=base, open=open, dialect=dialect, backend=backend) for base in bases)
    return Settings(service=Service(open=open), fhir=Fhir(servers=servers, **times))
