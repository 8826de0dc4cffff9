"""Facts: what the timeline holds, flat and typed, as the rule pack declares it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from plugin.facts.gaps import gap_facts
from plugin.facts.lesions import lesion_facts, treatment_facts
from plugin.facts.marker import marker_fact
from plugin.facts.pathology import biopsy_facts, nodule_facts, pathology_fact
from plugin.facts.patient import patient_fact, site_fact
from plugin.facts.plan import order_facts, plan_fact
from plugin.facts.response import response_facts
from plugin.facts.scores import score_facts
from plugin.facts.studies import aside_facts, exam_facts, sighting_facts, silence_facts
from plugin.facts.sums import sum_facts
from plugin.facts.therapy import dose_facts, therapy_fact
from plugin.facts.windows import Windows
from plugin.settings import Settings
from plugin.timeline import Timeline
from rules.facts import Fact

__all__ = ["facts_of"]


def facts_of(
    timeline: Timeline,
    *,
    today: date,
    settings: Settings,
    parameters: Mapping[str, int | Decimal] = MappingProxyType({}),
) -> tuple[Fact, ...]:
    """Gives every input fact of the rule pack; the order of the chart's resources does not change it.

    Only days, differences, sums and identities are computed here: whether a lesion is gone is for the rules.
    `parameters` are those of the rule pack in force; what they leave out is as in the pack that is shipped.
    """
    if today != timeline.today:
        raise ValueError("the timeline was built for another day; build it again")
    windows = Windows.of(parameters)
    return (
        patient_fact(timeline, windows),
        site_fact(settings.site),
        *gap_facts(timeline),
        therapy_fact(timeline, windows),
        *dose_facts(timeline),
        *exam_facts(timeline),
        *lesion_facts(timeline),
        *sighting_facts(timeline),
        *silence_facts(timeline),
        *aside_facts(timeline),
        *treatment_facts(timeline),
        plan_fact(timeline),
        *order_facts(timeline),
        *marker_fact(timeline, windows),
        *sum_facts(timeline, windows),
        *response_facts(timeline, windows),
        *nodule_facts(timeline),
        *biopsy_facts(timeline),
        *pathology_fact(timeline),
        *score_facts(timeline, windows),
    )
