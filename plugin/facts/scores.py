"""Facts on prognostic scores: shown beside the response, never a reason to do anything (RC-09)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from plugin.criteria.exact import CriterionError
from plugin.criteria.scores import tumour_burden
from plugin.facts.index import Sizes, comparison, index_study
from plugin.facts.statement import Given, fact
from plugin.facts.therapy import line_start
from plugin.facts.windows import SHIPPED, Windows
from plugin.timeline import Study, Timeline
from plugin.timeline.days import first_of
from rules.facts import Fact


def score_facts(timeline: Timeline, windows: Windows = SHIPPED) -> Iterator[Fact]:
    """Gives the tumour burden score before treatment, where every visible lesion of that study has a size.

    The clinical risk score (Fong) and GAME are left out: node status of the primary, disease-free interval
    and KRAS are not part of what is read, and a score with a missing item is not computed.
    """
    study = _before_therapy(timeline, line_start(timeline, windows))
    if study is None:
        return
    sizes = Sizes(timeline)
    lesions = [each for each in timeline.lesions if each.nature != "benign" and each.merged_into is None]
    seen = [(lesion, found) for lesion in lesions if (found := sizes.of(lesion, study)) is not None]
    visible = [found for _, found in seen if found.visibility == "visible"]
    known = [found.mm for found in visible if found.mm is not None and found.exact]
    if len(known) < len(visible) or not known:
        return
    try:
        score = tumour_burden(max(known), len(visible))
    except CriterionError:  # a size finer than a tenth of a millimetre: not computed rather than rounded
        return
    values: dict[str, Given] = {
        "name": "tumour-burden",
        "points": score.value,
        "zone": int(score.category.value),
        "day": first_of(study.day),
        "largestMm": max(known),
        "number": len(visible),
    }
    yield fact("score", (source for each in visible for source in each.sources), values)


def _before_therapy(timeline: Timeline, start: date | None) -> Study | None:
    """The baseline study of the index study's class; the index study itself before any therapy."""
    index = index_study(timeline)
    if index is None or start is None or (first_of(index.day) or timeline.today) <= start:
        return index
    against = comparison(timeline, start)
    return against.baseline if against is not None else None
