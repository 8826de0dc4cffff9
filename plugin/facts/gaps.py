"""Facts on what should have been read and was not."""

from __future__ import annotations

from plugin.facts.statement import fact
from plugin.timeline import Timeline
from rules.facts import Fact


def gap_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each gap of the chart, and one for each resource that could not be understood.

    A lesion, a study or a statement on a lesion that cannot be read may hide that something was seen.
    """
    found: dict[str, Fact] = {}
    for gap in timeline.gaps:
        parts = (gap.resource, gap.reason.value, gap.query or "", "decisive" if gap.decisive else "minor")
        key = "/".join(part for part in parts if part)
        values = {"id": key, "resource": gap.resource, "reason": gap.reason.value, "decisive": gap.decisive}
        found[key] = fact("gap", (), {**values})
    for each in timeline.unreadable:
        key = f"{each.source}/unreadable/{each.reason}"
        values = {"id": key, "resource": each.resource_type, "reason": "unreadable", "decisive": True}
        found[key] = fact("gap", (each.source,), {**values})
    return [found[key] for key in sorted(found)]
