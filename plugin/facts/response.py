"""Facts for other criteria of response: morphology, density, uptake, recorded categories, iRECIST.

Only pairs of recorded values are given here; the limits of the criteria are in the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from plugin.criteria.exact import CriterionError
from plugin.criteria.irecist import Assessment, irecist
from plugin.facts.index import Comparison, Sizes, compared, comparison, diagnostic
from plugin.facts.statement import Given, fact
from plugin.facts.sums import target_series
from plugin.facts.therapy import ici_given, line_start
from plugin.facts.windows import SHIPPED, Windows
from plugin.timeline import Lesion, LesionSighting, Study, Timeline
from plugin.timeline.days import first_of
from rules.facts import Fact


def response_facts(timeline: Timeline, windows: Windows = SHIPPED) -> list[Fact]:
    """Gives what other criteria than RECIST 1.1 compare; nothing where nothing of the kind is recorded."""
    start = line_start(timeline, windows)
    against = comparison(timeline, start)
    found = [*_recorded(timeline), *_diffusion(timeline), *_uptake(timeline, start)]
    if against is not None:
        if against.index.modality == "CT":
            found += _on_ct(timeline, against)
        found += _immune(timeline, against)
    return found


def _recorded(timeline: Timeline) -> Iterator[Fact]:
    """Categories of response that a reader recorded, those with a criterion and of no single lesion."""
    for each in timeline.responses:
        if each.criterion == "recist11" and each.lesion is None and each.day is not None:
            values: dict[str, Given] = {
                "id": each.key,
                "criterion": each.criterion,
                "category": each.category,
            }
            if each.category in ("CR", "PR", "SD", "PD"):
                yield fact("recorded_response", (each.source,), {**values, "day": each.day.first})


def _diffusion(timeline: Timeline) -> Iterator[Fact]:
    """That a diffusion coefficient is recorded, and never its value: no rule may compare one (DQ-14)."""
    for each in timeline.sightings:
        unit = "unknown" if "adc" in each.unusable else "known" if each.adc is not None else None
        if unit is not None:
            values = {"lesion": each.lesion, "exam": each.study, "day": first_of(each.day), "unit": unit}
            yield fact("diffusion_recorded", each.sources, {**values})


def _on_ct(timeline: Timeline, against: Comparison) -> Iterator[Fact]:
    """Morphology groups and densities of a lesion in baseline and index CT."""
    baseline = against.baseline
    described = any(each.morph_group is not None or each.hu is not None for each in timeline.sightings)
    if baseline is None or not described:
        return
    sizes = Sizes(timeline)
    for lesion in compared(timeline, against.index):
        before, now = sizes.of(lesion, baseline), sizes.of(lesion, against.index)
        if before is None or now is None:
            continue
        shared = _pair(lesion, before, now, baseline, against.index)
        sources = (*before.sources, *now.sources)
        if before.morph_group is not None and now.morph_group is not None:
            groups = {"fromGroup": before.morph_group, "toGroup": now.morph_group}
            yield fact("morphology_pair", sources, {**shared, **groups})
        if before.hu is not None and now.hu is not None and sizes.sized(lesion, baseline):
            densities = {"fromHu": before.hu, "toHu": now.hu, "fromMm": before.mm, "toMm": now.mm}
            yield fact("density_pair", sources, {**shared, **densities})


def _pair(
    lesion: Lesion, before: LesionSighting, now: LesionSighting, first: Study, last: Study
) -> dict[str, Given]:
    days = {"fromDay": first_of(first.day), "toDay": first_of(last.day)}
    return {"id": f"{before.id}|{now.id}", "lesion": lesion.id, **days}


def _uptake(timeline: Timeline, start: date | None) -> Iterator[Fact]:
    """The hottest lesion of the last PET before the line of therapy and of the latest one in it."""
    if start is None or all(each.sul is None for each in timeline.sightings):
        return
    studies = [
        (day, each.id, each)
        for each in timeline.studies
        if each.modality == "PET" and diagnostic(each) and (day := first_of(each.day)) is not None
    ]
    ordered = sorted(studies, key=lambda row: row[:2])
    before = [row for row in ordered if row[0] <= start]
    after = [row for row in ordered if row[0] > start]
    if not before or not after:
        return
    first, last = _seen_in(timeline, before[-1][2]), _seen_in(timeline, after[-1][2])
    baseline = [each.sul for each in first if each.sul is not None]
    now = [each.sul for each in last if each.sul is not None]
    avid = {each.pet_avid for each in last}
    if not baseline or not (now or avid == {False}):
        return
    values: dict[str, Given] = {
        "baseline": max(baseline),
        "now": max(now) if now else None,
        "avid": False if avid == {False} else True if True in avid else None,
        "fromDay": before[-1][0],
        "toDay": after[-1][0],
    }
    yield fact("uptake_pair", (source for each in (*first, *last) for source in each.sources), values)


def _seen_in(timeline: Timeline, study: Study) -> list[LesionSighting]:
    wanted = {lesion.id for lesion in timeline.lesions if lesion.nature != "benign"}
    return [each for each in timeline.sightings if each.study == study.id and each.lesion in wanted]


def _immune(timeline: Timeline, against: Comparison) -> Iterator[Fact]:
    """The iRECIST category of the target sum and of stated new lesions, under immune therapy only."""
    if not ici_given(timeline):
        return
    series = target_series(timeline, against)
    new = {each.study for each in timeline.sightings if each.new_statement == "new"}
    remains = _new_and_not_gone(timeline, [study for study, _ in series])
    try:
        answers = irecist(
            [
                Assessment(
                    first_of(study.day) or timeline.today,
                    mm,
                    new_lesion=study.id in new,
                    new_lesion_remains=study.id in remains,
                )
                for study, mm in series
            ],
            immune_therapy=True,
        )
    except CriterionError:  # no baseline sum, or two studies of one day: the criterion says nothing
        return
    if answers:
        sources = [source for study, _ in series for source in study.sources]
        again = len(answers) > 1 and answers[-2].value in ("iUPD", "iCPD")
        values = {
            "category": answers[-1].value,
            "first": not again if answers[-1].value == "iUPD" else None,
            "day": first_of(against.index.day),
        }
        yield fact("immune_response", sources, {**values})


def _new_and_not_gone(timeline: Timeline, studies: Sequence[Study]) -> set[str]:
    """The studies of a series that follow a stated new lesion and do not say that it is gone."""
    sizes, found = Sizes(timeline), set()
    for lesion in compared(timeline, studies[-1] if studies else None):
        told = False
        for study in studies:
            said = sizes.of(lesion, study)
            if told and (said is None or said.visibility != "not-visible"):
                found.add(study.id)
            told = told or (said is not None and said.new_statement == "new")
    return found
