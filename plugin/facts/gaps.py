"""Facts on what should have been read and was not."""

from __future__ import annotations

from datetime import date

from plugin.facts.lesions import open_ended
from plugin.facts.statement import fact
from plugin.timeline import Timeline, Treated
from plugin.timeline.days import first_of, last_of
from rules.facts import Fact


def gap_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each gap of the chart, and one for each resource that could not be understood.

    A lesion, a study or a statement on a lesion that cannot be read may hide that something was seen. A
    resection that cannot be read, or of which the record leaves open whether it was done, may be why a lesion
    is not seen: it would pass for one that vanished.
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
        decisive = unseen or each.resource_type != "Procedure"
        values = {"id": key, "resource": each.resource_type, "reason": "unreadable", "decisive": decisive}
        found[key] = fact("gap", (each.source,), {**values})
    for treated in timeline.treatments:
        if _may_explain(treated, timeline):
            source, key = treated.treatment.source, f"{treated.treatment.key}/status"
            values = {"id": key, "resource": "Procedure", "reason": "doubtful", "decisive": True}
            found[key] = fact("gap", (source,), {**values})
    return [found[key] for key in sorted(found)]


def _may_explain(treated: Treated, timeline: Timeline) -> bool:
    """Says whether a treatment that may have been done names a lesion that is not seen, nor was since."""
    treatment = treated.treatment
    if not open_ended(treatment, timeline.today):
        return False
    start = first_of(treatment.day) or date.max
    for lesion in treated.lesions:
        said = timeline.of_lesion(lesion)
        unseen = any(each.visibility == "not-visible" for each in said)
        since = any(
            each.visibility == "visible" and (last_of(each.day) or date.max) >= start for each in said
        )
        if unseen and not since:
            return True
    return False
