"""Facts on what should have been read and was not."""

from __future__ import annotations

from plugin.facts.statement import fact
from plugin.timeline import Timeline
from rules.facts import Fact


def gap_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each gap of the chart, and one for each resource that could not be understood.

    A lesion, a study or a statement on a lesion that cannot be read may hide that something was seen. A
    resection that cannot be read may be why a lesion is not seen: it would pass for one that vanished.
    """
    found: dict[str, Fact] = {}
    unseen = any(each.visibility == "not-visible" for each in timeline.sightings)
    for gap in timeline.gaps:
        decisive = gap.decisive or (unseen and gap.resource == "Procedure")
        parts = (gap.resource, gap.reason.value, gap.query or "", "decisive" if decisive else "minor")
        key = "/".join(part for part in parts if part)
        values = {"id": key, "resource": gap.resource, "reason": gap.reason.value, "decisive": decisive}
        found[key] = fact("gap", (), {**values})
    for each in timeline.unreadable:
        key = f"{each.source}/unreadable/{each.reason}"
        values = {"id": key, "resource": each.resource_type, "reason": "unreadable", "decisive": True}
        found[key] = fact("gap", (each.source,), {**values})
    return [found[key] for key in sorted(found)]
