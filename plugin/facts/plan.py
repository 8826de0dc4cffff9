"""Facts on what is planned: the liver operation and what belongs to it, and every order (R-37, R-38)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from plugin.facts.statement import fact, yes
from plugin.timeline import Held, Timeline, Treated
from plugin.timeline.days import earliest, first_of, last_of, latest, up_to
from rules.facts import Fact


def plan_fact(timeline: Timeline) -> Fact:
    """Gives the one fact on the liver operation; what is not on record is unknown, never no."""
    operations = [
        held for held in timeline.plans if _hepatic(held) and held.stands and not _done(held, timeline)
    ]
    chosen = _chosen(operations, timeline.today)
    cancelled = [held for held in timeline.plans if _hepatic(held) and held.plan.revoked]
    running = [each.treatment for each in timeline.treatments if each.treatment.in_progress and _local(each)]
    looks = {kind: _coming(timeline, kind) for kind in ("ious", "ceious")}
    magnets = [held for held in _coming(timeline, "liver-mri") if not _fulfilled(held, timeline)]
    sources = [*operations, *cancelled, *looks["ious"], *looks["ceious"], *magnets]
    return fact(
        "plan",
        (*(held.plan.source for held in sources), *(record.source for record in running)),
        {
            "hepatic": yes(operations),
            "opDay": first_of(chosen.plan.day) if chosen else None,
            "opDraft": chosen.draft if chosen else None,
            "opInProgress": yes(running),
            "ious": yes(looks["ious"]),
            "ceious": yes(looks["ceious"]),
            "cancelledDay": latest(first_of(up_to(held.plan.ended, timeline.today)) for held in cancelled),
            **_magnet(magnets),
        },
    )


def order_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each standing order, and for each lesion it names."""
    found: list[Fact] = []
    for held in timeline.plans:
        if not held.stands:
            continue
        for lesion in held.lesions or (None,):
            found.append(
                fact(
                    "order",
                    (held.plan.source,),
                    {
                        "id": "/".join((held.plan.key, held.type, *([lesion] if lesion else []))),
                        "type": held.type,
                        "draft": held.draft,
                        "day": first_of(held.plan.day),
                        "lesion": lesion,
                    },
                )
            )
    return list({str(each.values["id"]): each for each in found}.values())


def _hepatic(held: Held) -> bool:
    """A liver resection, or an ablation in an open or laparoscopic operation; not a percutaneous one."""
    return held.type == "hepatectomy" or (held.type == "ablation" and held.plan.operative is True)


def _done(held: Held, timeline: Timeline) -> bool:
    """A stored plan whose day has come and on or after which a resection or ablation was completed."""
    day = last_of(held.plan.day)
    if held.draft or day is None or day > timeline.today:
        return False
    return any(
        each.treatment.completed and each.treatment.day is not None and each.treatment.day.first >= day
        for each in timeline.treatments
        if _local(each)
    )


def _local(treated: Treated) -> bool:
    return treated.treatment.type in ("resected", "ablated")


def _chosen(operations: Sequence[Held], today: date) -> Held | None:
    """A draft before what is stored; of these the next to come, else an undated one, else the latest past."""
    if not operations:
        return None
    drafts = [held for held in operations if held.draft] or list(operations)
    coming = [held for held in drafts if (day := last_of(held.plan.day)) is not None and day >= today]
    if coming:
        return min(coming, key=lambda held: (first_of(held.plan.day) or today, held.plan.source))
    dated = [held for held in drafts if held.plan.day is not None]
    if len(dated) < len(drafts):
        return min((held for held in drafts if held.plan.day is None), key=lambda held: held.plan.source)
    return max(dated, key=lambda held: (first_of(held.plan.day) or today, held.plan.source))


def _coming(timeline: Timeline, kind: str) -> list[Held]:
    """Standing orders of one type that are not past."""
    return [
        held
        for held in timeline.plans
        if held.type == kind
        and held.stands
        and ((day := last_of(held.plan.day)) is None or day >= timeline.today)
    ]


def _fulfilled(held: Held, timeline: Timeline) -> bool:
    """An order without a day, written before an MRI of the liver that has been made since."""
    if held.draft or held.plan.day is not None or held.plan.authored is None:
        return False
    written = held.plan.authored.last
    return any(
        study.modality == "MRI" and study.liver and study.day is not None and study.day.first >= written
        for study in timeline.studies
    )


def _magnet(orders: Sequence[Held]) -> dict[str, str | date | None]:
    """Booked before ordered, and the earliest day, the last possible one where it is not exact."""
    booked = [held for held in orders if held.plan.booked]
    if booked:
        return {"hbMri": "booked", "hbMriDay": earliest(last_of(held.plan.day) for held in booked)}
    if orders:
        return {"hbMri": "ordered", "hbMriDay": earliest(last_of(held.plan.day) for held in orders)}
    return {}
