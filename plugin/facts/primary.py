"""What the prognostic scores ask of the primary tumour and of disease outside the liver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fhir_profiles.records import ConditionRecord, DayRange, PatientFact
from plugin.timeline import Timeline

_MONTHS = 12
_YEAR = 12
"""A year in months: the limit of the disease-free interval."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a score, None where it is not on record or the record contradicts itself."""

    value: bool | int | Decimal | None = None
    sources: tuple[str, ...] = ()


def stated_of_primary(timeline: Timeline, kind: str) -> Item:
    """Gives yes or no where every statement says the same.

    A statement on another tumour counts for nothing; one that does not say of which it is counts only where
    no other primary tumour is on record, past ones included.
    """
    colorectal = {each.key for each in timeline.conditions if each.kind == "colorectal-primary"}
    other = any(each.kind == "other-primary" for each in timeline.conditions)
    found = [
        each
        for each in timeline.patient_facts
        if each.kind == kind and (colorectal & set(each.about) if each.about else not other)
    ]
    return _agreed(found)


def _agreed(found: Iterable[PatientFact]) -> Item:
    said = list(found)
    values = {each.value for each in said}
    if len(values) != 1 or not values <= {"yes", "no"}:
        return Item()
    return Item(values == {"yes"}, tuple(each.source for each in said))


def disease_free_months(timeline: Timeline) -> Item:
    """Gives whole months from the onset of the primary to that of the liver metastases, 0 for both at once.

    None where a date is missing, and where its possible days lie on both sides of a year.
    """
    primary = _dated(timeline.conditions, "colorectal-primary")
    metastases = _dated(timeline.conditions, "liver-metastases")
    if not primary or not metastases:
        return Item()
    first = _first(metastases)
    spans = [(_months(day.last, first.first), _months(day.first, first.last)) for day, _ in primary]
    shortest, longest = min(low for low, _ in spans), max(high for _, high in spans)
    if (shortest < _YEAR) != (longest < _YEAR):
        return Item()
    return Item(shortest, tuple(source for _, source in (*primary, *metastases)))


def _dated(conditions: Iterable[ConditionRecord], kind: str) -> list[tuple[DayRange, str]]:
    return [
        (each.day, each.source)
        for each in conditions
        if each.kind == kind and each.certain is not False and each.day is not None
    ]


def _first(dated: list[tuple[DayRange, str]]) -> DayRange:
    return DayRange(min(day.first for day, _ in dated), min(day.last for day, _ in dated))


def _months(earlier: date, later: date) -> int:
    """Whole calendar months, never below 0."""
    months = (later.year - earlier.year) * _MONTHS + later.month - earlier.month
    return max(0, months - (later.day < earlier.day))


def extrahepatic(timeline: Timeline) -> Item:
    """Gives yes for metastases elsewhere, no only where a statement says none and nothing contradicts it."""
    found = [
        each
        for each in timeline.conditions
        if each.kind == "extrahepatic-metastases" and each.active is not False
    ]
    stated = [
        each for each in timeline.patient_facts if each.kind == "extrahepatic" and each.value is not None
    ]
    values = {str(each.value) for each in stated}
    certain = tuple(each.source for each in found if each.certain is not False)
    present = tuple(
        each.source for each in stated if each.value in ("stable", "response", "progression-definite")
    )
    if certain or present:
        return Item() if "none" in values else Item(True, (*certain, *present))
    if values == {"none"} and not found:
        return Item(False, tuple(each.source for each in stated))
    return Item()
