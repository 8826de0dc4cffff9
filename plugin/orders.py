"""Whether the orders of a hook have anything to do with liver metastases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from fhir_profiles.read import read, with_medications
from fhir_profiles.records import Plan
from plugin.chart import Chart

UNRELATED_TYPE = "other"


def ordered(chart: Chart) -> tuple[Mapping[str, Any], ...]:
    """Returns the orders the hook is about: the drafts, else those on record that it names.

    None where one that it names was not read: that may be any order, and none means in doubt.
    """
    if chart.drafts:
        return chart.drafts
    on_record = {f"{one.get('resourceType')}/{one.get('id')}": one for one in chart.resources}
    named = [on_record.get(token) for token in chart.selections]
    return tuple(one for one in named if one is not None) if None not in named else ()


def matters(drafts: Sequence[Mapping[str, Any]], timezone: ZoneInfo) -> bool:
    """Says whether an order of the hook may concern the liver; without any order, and in doubt, it does.

    An order that is understood and names nothing of the kind (a blood count, a pain killer) does not. One
    that cannot be read, has no code, or whose drug could not be resolved may be any order.
    """
    return not drafts or any(_concerns(draft, timezone) for draft in with_medications(drafts, None))


def _concerns(draft: Mapping[str, Any], timezone: ZoneInfo) -> bool:
    records = read(draft, timezone=timezone)
    if not records:
        return not _coded(draft)
    return any(not isinstance(each, Plan) or each.type != UNRELATED_TYPE for each in records)


def _coded(draft: Mapping[str, Any]) -> bool:
    """Whether the order has a code at all: free text alone may name a liver operation."""
    for name in ("code", "medicationCodeableConcept"):
        concept = draft.get(name)
        if isinstance(concept, Mapping) and concept.get("coding"):
            return True
    return False
