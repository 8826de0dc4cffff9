"""Facts on systemic therapy: doses, and their sums (R-2, R-42)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from fhir_profiles.records import Dose
from plugin.facts.statement import fact, yes
from plugin.facts.windows import SHIPPED, Windows
from plugin.timeline import Held, Timeline
from plugin.timeline.days import days_between, earliest, last_of, latest
from rules.facts import Fact

ANTI_ANGIOGENIC = frozenset({"bevacizumab", "aflibercept", "ramucirumab", "regorafenib"})
TARGETED = ANTI_ANGIOGENIC | {"cetuximab", "panitumumab"}
CYTOTOXIC = frozenset({"oxaliplatin", "irinotecan", "fluoropyrimidine"})
_BACKBONE = frozenset({"oxaliplatin", "irinotecan"})
_ANTIBODIES = frozenset({"bevacizumab", "aflibercept", "ramucirumab", "cetuximab", "panitumumab", "ici"})
_ORAL = ("capecitabin", "tegafur", "s-1", "trifluridin")


def counted(timeline: Timeline) -> tuple[Dose, ...]:
    """Gives the doses with a day; cycles recorded as procedures count only where there are no others."""
    dated = [dose for dose in timeline.doses if dose.day is not None]
    given = [dose for dose in dated if dose.kind != "cycle"]
    return tuple(given or dated)


def dose_facts(timeline: Timeline) -> list[Fact]:
    """Gives one fact for each agent and day."""
    sources: dict[tuple[date, date, str], list[str]] = {}
    for dose in counted(timeline):
        if dose.day is not None:
            sources.setdefault((dose.day.first, dose.day.last, dose.agent), []).append(dose.source)
    return [
        fact(
            "dose",
            found,
            {"id": f"dose/{first}/{last}/{agent}", "first": first, "last": last, "agent": agent},
        )
        for (first, last, agent), found in sorted(sources.items())
    ]


def line_start(timeline: Timeline, windows: Windows = SHIPPED) -> date | None:
    """Gives the first dose after a long gap (56 days as shipped), or after the last liver resection (R-2)."""
    days = sorted({dose.day.first for dose in counted(timeline) if dose.day is not None})
    operation = latest(
        each.treatment.day.first
        for each in timeline.treatments
        if each.treatment.completed and each.treatment.type == "resected" and each.treatment.day is not None
    )
    after = [day for day in days if operation is None or day > operation] or days
    start = after[0] if after else None
    for earlier, later in pairwise(after):
        if days_between(earlier, later) > windows.line_gap:
            start = later
    return start


def first_seen(timeline: Timeline) -> date | None:
    """Gives the first day on which any tracked lesion was visible."""
    return earliest(
        each.day.first for each in timeline.sightings if each.visibility == "visible" and each.day is not None
    )


def therapy_fact(timeline: Timeline, windows: Windows = SHIPPED) -> Fact:
    """Gives the one fact that sums the doses and orders up; without a dose therapy is unknown, never none.

    The last dose is the last one with an exact day; one that may have been given later makes it unsure.
    """
    doses = counted(timeline)
    antibodies = [dose for dose in doses if dose.agent in ANTI_ANGIOGENIC]
    seen = first_seen(timeline)
    ever = timeline.doses
    since = [dose for dose in ever if seen is None or dose.day is None or dose.day.last >= seen]
    start = line_start(timeline, windows)
    orders = [held for held in timeline.plans if held.stands]
    ordered = [held for held in orders if held.type == "chemotherapy" and not _past(held, timeline)]
    stopped = [held for held in orders if held.type == "stop-chemotherapy"]
    return fact(
        "therapy",
        (*(dose.source for dose in ever), *(held.plan.source for held in (*ordered, *stopped))),
        {
            "known": yes(doses),
            "lineStart": start,
            "lastDose": _last(doses),
            "lastDoseUnsure": _unsure(doses),
            "lastAntiAngiogenic": _last(antibodies),
            "lastAntiAngiogenicUnsure": _unsure(antibodies),
            "cycles": cycles(doses, start, windows),
            "cyclesEver": _ever(ever, windows),
            "nextOrdered": yes(ordered),
            "stopOrdered": yes(stopped),
            "ici": _among(since, {"ici"}),
            "oxaliplatinEver": _among(ever, {"oxaliplatin"}),
            "irinotecanEver": _among(ever, {"irinotecan"}),
            "antiAngiogenic": _among(since, ANTI_ANGIOGENIC),
            "targeted": _among(since, TARGETED),
            "cytotoxic": _among(since, CYTOTOXIC),
        },
    )


def ici_given(timeline: Timeline) -> bool:
    """Says whether an immune checkpoint inhibitor was given since any tracked lesion was first seen."""
    seen = first_seen(timeline)
    since = (dose for dose in timeline.doses if seen is None or dose.day is None or dose.day.last >= seen)
    return any(dose.agent == "ici" for dose in since)


def cycles(doses: Iterable[Dose], start: date | None, windows: Windows = SHIPPED) -> int | None:
    """Gives the number of cycles since the line began, by the infused backbone; None if it cannot be told.

    Oral therapy alone has no countable cycles. The highest number that a dose of the line carries is the
    least there can have been: earlier doses may not be on record.
    """
    if start is None:
        return None
    listed = [dose for dose in doses if dose.day is not None and dose.day.last >= start]
    numbers = [dose.cycle for dose in listed if dose.cycle is not None]
    given = _given(listed, start, windows)
    return max(numbers if given is None else [*numbers, given], default=None)


def _given(listed: Sequence[Dose], start: date, windows: Windows) -> int | None:
    """The cycles as the doses on record count them."""
    if any(dose.kind == "cycle" for dose in listed):
        return len({dose.day.first for dose in listed if dose.day is not None and dose.day.first >= start})
    infused = [dose for dose in listed if dose.kind == "administration" and not dose.continuous]
    backbone = [dose for dose in infused if dose.agent in _BACKBONE or _fluorouracil(dose)]
    backbone = backbone or [dose for dose in infused if dose.agent in _ANTIBODIES]
    days = sorted({dose.day.first for dose in backbone if dose.day is not None})
    if not days or not all(map(_sure, backbone)):
        return None
    count, began = 0, date.min
    for day in days:
        if count == 0 or days_between(began, day) >= windows.cycle_gap:
            count, began = count + 1, day
    return count


def _ever(doses: Iterable[Dose], windows: Windows) -> int | None:
    """The cycles of every line; None where a dose has no day or was taken by mouth, so that some are lost."""
    listed = list(doses)
    lost = any(each.day is None or each.continuous or each.kind == "statement" for each in listed)
    oral = any(each.agent == "fluoropyrimidine" and not _fluorouracil(each) for each in listed)
    first = earliest(each.day.first for each in listed if each.day is not None)
    return None if lost or oral else cycles(listed, first, windows)


def _fluorouracil(dose: Dose) -> bool:
    """A fluoropyrimidine that is not known to be an oral one."""
    name = (dose.name or "").casefold()
    return dose.agent == "fluoropyrimidine" and not any(each in name for each in _ORAL)


def _past(held: Held, timeline: Timeline) -> bool:
    return not held.draft and held.plan.day is not None and held.plan.day.last < timeline.today


def _sure(dose: Dose) -> bool:
    """Says whether the day is known: one day, or all days of an infusion."""
    return dose.day is not None and (dose.day.exact or dose.infusion)


def _last(doses: Iterable[Dose]) -> date | None:
    return latest(last_of(dose.day) for dose in doses if _sure(dose))


def _unsure(doses: Sequence[Dose]) -> date | None:
    """The last possible day of a dose without an exact one that may have come after the last exact dose."""
    possible, last = latest(last_of(dose.day) for dose in doses if not _sure(dose)), _last(doses)
    return possible if possible is not None and (last is None or possible > last) else None


def _among(doses: Iterable[Dose], agents: Iterable[str]) -> bool | None:
    """Yes for one of the agents; no only when every dose on record is of a known other agent."""
    given = {dose.agent for dose in doses}
    if given & set(agents):
        return True
    return None if not given or "other" in given else False
