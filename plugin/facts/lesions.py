"""Facts on lesions, their treatment, and what was decided for them."""

from __future__ import annotations

from datetime import date, timedelta

from fhir_profiles.records import Treatment
from plugin.facts.statement import fact, yes
from plugin.timeline import Decided, Held, Lesion, Timeline
from plugin.timeline.days import earliest, first_of, last_of
from rules.facts import Fact

_A_NIGHT = timedelta(days=1)
"""An operation that began yesterday may still be going on."""
_IMAGING = ("surveillance", "liver-mri", "other-liver-imaging")
_PLAN = "liver-mri"
"""What is a surveillance plan by itself, an MRI of the liver with contrast (R-97); every other imaging, and a
plan that names no kind of study, is told beside it."""


def lesion_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each tracked liver lesion."""
    decided = {each.lesion: each for each in timeline.decided}
    return [_lesion(lesion, decided.get(lesion.id), timeline) for lesion in timeline.lesions]


def _lesion(lesion: Lesion, decided: Decided | None, timeline: Timeline) -> Fact:
    named = [
        held
        for held in timeline.plans
        if held.stands and held.type in _IMAGING and lesion.id in held.lesions and not _past(held, timeline)
    ]
    watched = [held for held in named if held.type == _PLAN]
    other = _other(named)
    return fact(
        "lesion",
        (
            *lesion.sources,
            *(() if decided is None else (decided.source,)),
            *(held.plan.source for held in (*watched, *other)),
        ),
        {
            "id": lesion.id,
            "label": lesion.label,
            "identityClash": yes(lesion.tainted),
            "mergedInto": lesion.merged_into,
            "splitFrom": lesion.split_from,
            "segment": lesion.segments[0] if lesion.segments else None,
            "nature": lesion.nature,
            "characterised": lesion.characterised,
            "depthMm": lesion.depth_mm,
            "inPlannedSpecimen": lesion.in_specimen,
            "inPlannedSpecimenBefore": lesion.in_specimen_before,
            "inFutureRemnant": lesion.in_future_remnant,
            "extraResection": lesion.extra_resection,
            "marker": lesion.marker,
            "markerMigrated": lesion.marker_migrated,
            "targetRole": lesion.target_role,
            "disposition": decided.disposition if decided else None,
            "dispositionReason": decided.reason if decided else None,
            "dispositionLevel": decided.level if decided else None,
            "dispositionDay": decided.day if decided else None,
            "dispositionDraft": decided.draft if decided else None,
            "surveillanceNext": _next(watched, timeline.today),
            "surveillancePlan": yes(watched),
            "otherImagingNext": _next(other, timeline.today),
            "otherImagingClass": other[0].plan.modality if other else None,
        },
    )


def _other(named: list[Held]) -> list[Held]:
    """The next imaging with a day that is no contrast MRI, PET only where there is nothing else; none or one.

    A surveillance plan with a study in the same resource is that study.
    """
    studies = {held.plan.source for held in named if held.type != "surveillance"}
    found = [
        held
        for held in named
        if held.type != _PLAN
        and held.plan.day is not None
        and (held.type != "surveillance" or held.plan.source not in studies)
    ]
    found.sort(key=lambda held: (held.plan.modality == "PET", last_of(held.plan.day), held.plan.source))
    return found[:1]


def _past(held: Held, timeline: Timeline) -> bool:
    return held.plan.day is not None and held.plan.day.last < timeline.today


def _next(watched: list[Held], today: date) -> date | None:
    days = [last_of(held.plan.day) for held in watched]
    return earliest(day for day in days if day is not None and day >= today)


def open_ended(treatment: Treatment, today: date) -> bool:
    """Says whether it is open if a resection or ablation was done: by its status, or begun, never closed."""
    if treatment.type not in ("resected", "ablated"):
        return False
    if treatment.in_progress:
        return treatment.day is not None and treatment.day.last < today - _A_NIGHT
    return treatment.doubtful


def treatment_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each completed local treatment and lesion, one without a lesion where none is said.

    An imprecise day is the first possible one; of a treatment that names no lesion, the last possible one.
    A treatment of which the record leaves open whether it was done, and of which lesion, counts as one that
    names no lesion: what it removed must not pass for vanished (R-58).
    """
    found: list[Fact] = []
    for each in timeline.treatments:
        record = each.treatment
        if open_ended(record, timeline.today) and not each.lesions:
            values = {"id": record.key, "day": last_of(record.day), "type": record.type}
            found.append(fact("treatment", (record.source,), {**values}))
        if not record.completed:
            continue
        for lesion in each.lesions:
            values = {"lesion": lesion, "day": first_of(record.day), "type": record.type}
            found.append(fact("treatment", (record.source,), {"id": f"{record.key}/{lesion}", **values}))
        if each.unplaced:
            values = {"id": record.key, "day": last_of(record.day), "type": record.type}
            found.append(fact("treatment", (record.source,), {**values}))
    return found
