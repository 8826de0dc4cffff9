"""Facts on pathology: the nodules of the latest operation that has any, and their worst, best and sum."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from fhir_profiles.records import PathologyNodule
from plugin.facts.statement import Given, fact
from plugin.timeline import Timeline
from plugin.timeline.days import first_of, last_of
from rules.facts import Fact

_TENTH = Decimal("0.1")


def nodule_facts(timeline: Timeline) -> Iterator[Fact]:
    """Gives one fact for each nodule, with the lesion it names and the operation before its report."""
    tracked = {lesion.id for lesion in timeline.lesions}
    for each, operation in _placed(timeline):
        lesion = each.lesion.body if each.lesion is not None else None
        values: dict[str, Given] = {"id": each.key, "lesion": lesion if lesion in tracked else None}
        values |= {"named": lesion in tracked, "operationDay": operation, "found": each.found}
        yield fact("nodule", (each.source,), values)


def biopsy_facts(timeline: Timeline) -> Iterator[Fact]:
    """Gives one fact for each biopsy of a tracked lesion."""
    for each in timeline.biopsies:
        if each.lesion is not None:
            record = each.biopsy
            values: dict[str, Given] = {"id": record.key, "lesion": each.lesion, "result": record.result}
            yield fact("biopsy", (record.source,), {**values, "day": first_of(record.day)})


def pathology_fact(timeline: Timeline) -> Iterator[Fact]:
    """Gives worst and best regression grade and the residual cells of the nodules of one operation.

    viableSum and viableCount are exact; meanPercent is rounded to a tenth, for display.
    """
    placed = _placed(timeline)
    operations = [operation for _, operation in placed if operation is not None]
    latest = max(operations, default=None)
    nodules = [each for each, operation in placed if operation == latest]
    grades = [each.trg for each in nodules if each.trg is not None]
    viable = [each.viable_percent for each in nodules if each.viable_percent is not None]
    if not grades and not viable:
        return
    values: dict[str, Given] = {"operationDay": latest, "graded": len(grades), "viableCount": len(viable)}
    if grades:
        values |= {"worst": max(grades), "best": min(grades)}
    if viable:
        total = sum(viable, Decimal(0))
        values |= {"viableSum": total, "meanPercent": (total / len(viable)).quantize(_TENTH)}
        values |= {"worstPercent": max(viable)}
    yield fact("pathology", (each.source for each in nodules), values)


def _placed(timeline: Timeline) -> list[tuple[PathologyNodule, date | None]]:
    """Each nodule with the last completed resection up to the day of its report."""
    days = [
        day
        for each in timeline.treatments
        if each.treatment.completed
        and each.treatment.type == "resected"
        and (day := first_of(each.treatment.day)) is not None
    ]
    placed = []
    for nodule in timeline.pathology:
        reported = last_of(nodule.day)
        before = [day for day in days if reported is not None and day <= reported]
        placed.append((nodule, max(before, default=None)))
    return placed
