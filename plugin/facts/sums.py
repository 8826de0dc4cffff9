"""Facts on sizes: differences of one lesion, and sums over lesions, in studies of one class (R-25, R-30)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from plugin.facts.index import Comparison, Sizes, adequacy_of, compared, comparison, index_study
from plugin.facts.statement import Given, fact
from plugin.facts.studies import artefact_at, covered
from plugin.facts.therapy import line_start
from plugin.facts.windows import SHIPPED, Windows
from plugin.timeline import Lesion, LesionSighting, Study, Timeline
from plugin.timeline.days import first_of
from rules.facts import Fact

TOO_SMALL_MM = Decimal(5)
"""What RECIST 1.1 counts for a target that is too small to measure and has no size."""


def sum_facts(timeline: Timeline, windows: Windows = SHIPPED) -> list[Fact]:
    """Gives the size pairs, the sum of the coded targets and the sum of all lesions sized twice."""
    sizes = Sizes(timeline)
    against = comparison(timeline, line_start(timeline, windows))
    lesions = compared(timeline, against.index if against is not None else index_study(timeline))
    found = _target_sum(timeline, lesions, sizes, against)
    if against is not None:
        found += _pairs(lesions, sizes, against) + _lesion_sum(lesions, sizes, against)
    return found


def _pairs(lesions: Sequence[Lesion], sizes: Sizes, against: Comparison) -> list[Fact]:
    """Differences against baseline (A) and against the restaging before (B): one pair of studies for all."""
    found = []
    for name, study in (("A", against.baseline), ("B", against.previous)):
        for lesion in lesions:
            before = sizes.sized(lesion, study) if study is not None else None
            now = sizes.sized(lesion, against.index)
            if study is None or before is None or now is None or before.mm is None or now.mm is None:
                continue
            values: dict[str, Given] = {
                "id": f"{lesion.id}/{name}",
                "lesion": lesion.id,
                "class": against.index.modality,
                "pair": name,
                "fromDay": first_of(study.day),
                "toDay": first_of(against.index.day),
                "fromMm": before.mm,
                "toMm": now.mm,
                "deltaMm": now.mm - before.mm,
            }
            found.append(fact("size_pair", (*before.sources, *now.sources), values))
    return found


def _target_sum(
    timeline: Timeline, lesions: Sequence[Lesion], sizes: Sizes, against: Comparison | None
) -> list[Fact]:
    """The sum of the coded targets; a sum is stated only where every target was evaluated in its study.

    The targets are those never treated locally; a treated one counts as not evaluated.
    """
    index = against.index if against is not None else index_study(timeline)
    coded = [
        lesion for lesion in timeline.lesions if lesion.target_role == "target" and lesion.nature != "benign"
    ]
    if index is None or not coded:
        return []
    valid = [lesion for lesion in coded if lesion in lesions]
    now = [_counted(lesion, index, sizes) for lesion in valid]
    evaluated = [each for each in now if each is not None]
    baseline = against.baseline if against is not None else None
    first = _sum(coded, valid, baseline, sizes)
    sums = [_sum(coded, valid, study, sizes) for study in against.between] if against is not None else []
    lowest = [each for each in (first, *sums) if each is not None]
    sources = [source for each in evaluated for source in each[1].sources]
    for study in (baseline, *(against.between if against is not None else ())):
        sources += _sources(valid, study, sizes)
    return [
        fact(
            "target_sum",
            sources,
            {
                "class": index.modality,
                "targets": len(coded),
                "evaluated": len(evaluated),
                "absent": sum(mm == 0 for mm, _ in evaluated),
                "baseline": first,
                "nadir": min(lowest) if lowest and first is not None else None,
                "now": _sum(coded, valid, index, sizes),
                "baselineDay": first_of(baseline.day) if baseline is not None and first is not None else None,
                "nowDay": first_of(index.day),
            },
        )
    ]


def target_series(timeline: Timeline, against: Comparison) -> list[tuple[Study, Decimal | None]]:
    """Gives the target sum of baseline, every restaging and the index study; none without a baseline."""
    if against.baseline is None:
        return []
    sizes, lesions = Sizes(timeline), compared(timeline, against.index)
    coded = [each for each in timeline.lesions if each.target_role == "target" and each.nature != "benign"]
    valid = [lesion for lesion in coded if lesion in lesions]
    studies = (against.baseline, *against.between, against.index)
    return [(study, _sum(coded, valid, study, sizes) if coded else None) for study in studies]


def _sources(lesions: Sequence[Lesion], study: Study | None, sizes: Sizes) -> list[str]:
    if study is None:
        return []
    counted = [_counted(lesion, study, sizes) for lesion in lesions]
    return [source for each in counted if each is not None for source in each[1].sources]


def _sum(
    coded: Sequence[Lesion], valid: Sequence[Lesion], study: Study | None, sizes: Sizes
) -> Decimal | None:
    if study is None:
        return None
    counted = [_counted(lesion, study, sizes) for lesion in valid]
    known = [each[0] for each in counted if each is not None]
    return sum(known, Decimal(0)) if len(known) == len(coded) else None


def _counted(lesion: Lesion, study: Study, sizes: Sizes) -> tuple[Decimal, LesionSighting] | None:
    """The size a target counts with: its own, 5 mm if too small to measure, 0 for an accepted negative."""
    each = sizes.of(lesion, study)
    if each is None or each.remnant == "ablation-zone":
        return None
    if each.visibility == "not-visible":
        return (Decimal(0), each) if _accepted(lesion, study) else None
    if each.visibility != "visible":
        return None
    if each.mm is not None and each.exact:
        return each.mm, each
    return (TOO_SMALL_MM, each) if each.ttsm and each.mm is None else None


def _accepted(lesion: Lesion, study: Study) -> bool:
    """A negative that the study's quality does not void at the site of the lesion (R-4)."""
    if adequacy_of(study) == "non-diagnostic":
        return False
    if study.adequacy is None:
        return True
    artefact = artefact_at(study.adequacy, lesion)
    unplaced = study.adequacy.artefact == "present" and artefact is None and adequacy_of(study) != "adequate"
    partial = study.adequacy.coverage == "partial" and not lesion.segments
    return not (artefact or unplaced or partial or covered(study.adequacy, lesion) is False)


def _lesion_sum(lesions: Sequence[Lesion], sizes: Sizes, against: Comparison) -> list[Fact]:
    """The sum of the lesions sized in the index study and at baseline, or else in the restaging before."""
    anchor = against.baseline or against.previous
    if anchor is None:
        return []
    both = [each for each in lesions if sizes.sized(each, anchor) and sizes.sized(each, against.index)]
    if not both:
        return []
    sums = {
        study.id: _plain(both, study, sizes)
        for study in (anchor, *against.between)
        if all(sizes.sized(lesion, study) for lesion in both)
    }
    used = [
        each for study in (anchor, against.index) for lesion in both if (each := sizes.sized(lesion, study))
    ]
    return [
        fact(
            "lesion_sum",
            (source for each in used for source in each.sources),
            {
                "class": against.index.modality,
                "lesions": len(both),
                "baseline": sums[anchor.id] if against.baseline is not None else None,
                "nadir": min(sums.values()),
                "now": _plain(both, against.index, sizes),
                "nowDay": first_of(against.index.day),
            },
        )
    ]


def _plain(lesions: Sequence[Lesion], study: Study, sizes: Sizes) -> Decimal:
    found = [sizes.sized(lesion, study) for lesion in lesions]
    return sum((each.mm for each in found if each is not None and each.mm is not None), Decimal(0))
