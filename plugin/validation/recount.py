"""The marginals of a cohort, counted from its FHIR resources and not from the plan that made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from fhir_profiles.codes import Size, Topic, Visibility

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginals:
    """What a table of a study would report; sizes in mm, of the lesions not seen in the last study."""

    patients: int
    affected: int
    vanished: int
    median_mm: float | None
    smallest_mm: float | None
    largest_mm: float | None
    three_modalities: int
    restaged_mri: int
    watched: int
    resected: int


@dataclass(frozen=True, slots=True)
class _Chart:
    three_modalities: bool
    restaged_mri: bool
    sizes: tuple[float, ...]
    watched: int


def recount(bundles: Iterable[Resource]) -> Marginals:
    """Returns the marginals of these patients; a dose divides what comes before from what comes after."""
    charts = [_chart(list(_resources(bundle))) for bundle in bundles]
    affected = [chart for chart in charts if chart.sizes]
    sizes = [mm for chart in affected for mm in chart.sizes]
    watched = sum(chart.watched for chart in affected)
    return Marginals(
        patients=len(charts),
        affected=len(affected),
        vanished=len(sizes),
        median_mm=median(sizes) if sizes else None,
        smallest_mm=min(sizes, default=None),
        largest_mm=max(sizes, default=None),
        three_modalities=sum(chart.three_modalities for chart in charts),
        restaged_mri=sum(chart.restaged_mri for chart in affected),
        watched=watched,
        resected=len(sizes) - watched,
    )


def _resources(bundle: Resource) -> Iterator[Resource]:
    for entry in bundle["entry"]:
        yield entry["resource"]


def _chart(resources: list[Resource]) -> _Chart:
    doses = [
        str(one["effectiveDateTime"])
        for one in resources
        if one["resourceType"] == "MedicationAdministration"
    ]
    first = min(doses, default="9999")
    studies = [one for one in resources if one["resourceType"] == "ImagingStudy"]
    before = {code for one in studies if str(one["started"]) < first for code in _modalities(one)}
    after = {code for one in studies if str(one["started"]) > first for code in _modalities(one)}
    gone = _lesions(resources, Visibility.NOT_DETECTED, first) - _lesions(
        resources, Visibility.PRESENT, first
    )
    sizes = _sizes(resources, first)
    watched = {
        _about(one)
        for one in _observations(resources, Topic.DISPOSITION.code)
        if one["valueCodeableConcept"]["coding"][0]["code"] == "watch-and-wait"
    }
    return _Chart(
        three_modalities={"CT", "MR", "PT"} <= before,
        restaged_mri="MR" in after,
        sizes=tuple(sizes[lesion] for lesion in sorted(gone)),
        watched=len(gone & watched),
    )


def _modalities(study: Resource) -> set[str]:
    return {str(one["code"]) for one in study["modality"]}


def _observations(resources: list[Resource], code: str) -> Iterator[Resource]:
    for one in resources:
        if one["resourceType"] == "Observation" and one["code"]["coding"][0]["code"] == code:
            yield one


def _about(observation: Resource) -> str:
    return str(observation["focus"][0]["reference"])


def _lesions(resources: list[Resource], value: Visibility, first: str) -> set[str]:
    """The lesions of which a study after the first dose says this."""
    return {
        _about(one)
        for one in _observations(resources, Topic.VISIBILITY.code)
        if one["effectiveDateTime"] > first and one["valueCodeableConcept"]["coding"][0]["code"] == value.code
    }


def _sizes(resources: list[Resource], first: str) -> dict[str, float]:
    """The size of every lesion before the first dose."""
    return {
        _about(one): float(one["component"][0]["valueQuantity"]["value"])
        for one in _observations(resources, Size.TUMOUR_SIZE.code)
        if one["effectiveDateTime"] < first
    }
