"""Nine synthetic patients as FHIR R4 transaction Bundles, with the call that goes with each and what is
to be found."""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import Any

import yaml

from fhir_profiles.samples.patients import PATIENTS
from fhir_profiles.samples.sample import Sample, moved

__all__ = ["Sample", "UnknownSample", "names", "sample"]


class UnknownSample(LookupError):
    """Raised for a name that is none of the samples; the message lists them."""


def names() -> tuple[str, ...]:
    """The names of the samples, in the order of their stories."""
    return tuple(patient.name for patient in PATIENTS)


def sample(name: str, today: date | None = None) -> Sample:
    """One sample; with `today` every date is moved by the days from its anchor to that day."""
    patient = next((patient for patient in PATIENTS if patient.name == name), None)
    if patient is None:
        raise UnknownSample(f"no sample is called {name!r}; there are: {', '.join(names())}")
    told = patient.tell()
    shift = (today or patient.anchor) - patient.anchor
    return Sample(
        name=patient.name,
        title=patient.title,
        bundle=moved(told.bundle, shift),
        hook=moved(told.hook, shift),
        expected=_expected(name),
        anchor=today or patient.anchor,
    )


def _expected(name: str) -> dict[str, Any]:
    file = resources.files("fhir_profiles.samples").joinpath("expected", f"{name}.yaml")
    given: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return given
