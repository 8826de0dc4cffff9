"""Facts on prognostic scores: shown beside the response, never a reason to do anything (RC-09).

A score with a missing item is not computed: what is missing is named instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from fhir_profiles.records import LabResult
from plugin.criteria.exact import CriterionError
from plugin.criteria.scores import LOWEST_CEA, FongItems, GameItems, Score, fong, game, tumour_burden
from plugin.facts.index import Sizes, comparison, index_study
from plugin.facts.marker import before_therapy
from plugin.facts.primary import Item, disease_free_months, extrahepatic, stated_of_primary
from plugin.facts.statement import Given, fact
from plugin.facts.therapy import line_start
from plugin.facts.windows import SHIPPED, Windows
from plugin.timeline import Lesion, Study, Timeline
from plugin.timeline.days import first_of
from rules.facts import Fact

_ITEMS = {
    "node_positive_primary": "node-status",
    "disease_free_months": "disease-free-interval",
    "number": "number",
    "largest_mm": "size",
    "cea": "marker",
    "kras_mutated": "kras",
    "extrahepatic": "extrahepatic",
}
"""The items of the scores, as the rules name them."""
_OWN = ("node_positive_primary", "kras_mutated")
"""What is recorded for a score and for little else."""


@dataclass(frozen=True, slots=True)
class _Burden:
    """Number and largest size of the lesions that one study shows; None where they are not certain."""

    day: date | None
    number: int | None
    largest: Decimal | None
    sources: tuple[str, ...]


def score_facts(timeline: Timeline, windows: Windows = SHIPPED) -> Iterator[Fact]:
    """Gives the scores before treatment whose items are all on record, and what the others lack."""
    burden = _burden(timeline, windows)
    if burden is None:
        return
    shown: dict[str, Given] = {"day": burden.day, "largestMm": burden.largest, "number": burden.number}
    if burden.number is not None and burden.largest is not None:
        score = _computed(tumour_burden, burden.largest, burden.number)
        if score is not None:
            values: dict[str, Given] = {"name": "tumour-burden", "points": score.value, **shown}
            yield fact("score", burden.sources, values | {"zone": int(score.category.value)})
    items = _items(timeline, windows, burden)
    yield from _score("fong", fong, FongItems, items, shown)
    yield from _score("game", game, GameItems, items, shown)


def _score(
    name: str,
    make: Callable[[Any], Score],
    wanted: type[FongItems | GameItems],
    items: Mapping[str, Item],
    shown: dict[str, Given],
) -> Iterator[Fact]:
    """The score, or one fact for each item that it lacks."""
    names = [each.name for each in fields(wanted)]
    sources = [source for each in names for source in items[each].sources]
    missing = [each for each in names if items[each].value is None]
    begun = any(items[own].value is not None for own in _OWN if own in names)
    for each in missing:
        yield fact("score_gap", sources, {"name": name, "item": _ITEMS[each], "begun": begun})
    known: dict[str, Any] = {each: items[each].value for each in names}
    score = None if missing else _computed(make, wanted(**known))
    if score is not None:
        values: dict[str, Given] = {"name": name, "points": score.value, "group": score.category.value}
        yield fact("score", sources, values | shown)


def _computed(make: Callable[..., Score], *items: object) -> Score | None:
    try:
        return make(*items)
    except CriterionError:  # a size finer than a tenth of a millimetre: not computed rather than rounded
        return None


def _items(timeline: Timeline, windows: Windows, burden: _Burden) -> dict[str, Item]:
    marker = before_therapy(timeline, windows)
    return {
        "node_positive_primary": stated_of_primary(timeline, "node-positive"),
        "kras_mutated": stated_of_primary(timeline, "kras-mutated"),
        "disease_free_months": disease_free_months(timeline),
        "extrahepatic": extrahepatic(timeline),
        "cea": Item() if marker is None else Item(_cea(marker), (marker.source,)),
        "number": Item(burden.number, burden.sources),
        "largest_mm": Item(burden.largest, burden.sources),
    }


def _cea(marker: LabResult) -> Decimal | None:
    """The value for a score; an upper bound counts only where it lies below what every score asks."""
    if marker.comparator is None or marker.value is None:
        return marker.value
    below = marker.value < LOWEST_CEA or (marker.comparator == "<" and marker.value == LOWEST_CEA)
    return Decimal(0) if below else None


def _burden(timeline: Timeline, windows: Windows) -> _Burden | None:
    """What the study before therapy shows; nothing without such a study or without a visible lesion."""
    study = _before_therapy(timeline, line_start(timeline, windows))
    if study is None:
        return None
    sizes = Sizes(timeline)
    lesions = [each for each in timeline.lesions if each.nature != "benign" and each.merged_into is None]
    seen = [found for each in lesions if (found := sizes.of(each, study)) is not None]
    visible = [found for found in seen if found.visibility == "visible"]
    if not visible:
        return None
    known = [found.mm for found in visible if found.mm is not None and found.exact]
    left_out = any(sizes.of(each, study) is None and _seen_by(each, study, timeline) for each in lesions)
    # A lesion that cannot be matched may be one more, and the largest.
    certain = not (left_out or study.unmatched or any(each.tainted for each in lesions))
    return _Burden(
        first_of(study.day),
        len(visible) if certain else None,
        max(known) if certain and len(known) == len(visible) else None,
        tuple(source for each in visible for source in each.sources),
    )


def _seen_by(lesion: Lesion, study: Study, timeline: Timeline) -> bool:
    """Whether a lesion that the study leaves out was seen up to its day, so that it belongs to the number."""
    until = first_of(study.day) or timeline.today
    return any(
        each.visibility == "visible" and (first_of(each.day) or date.min) <= until
        for each in timeline.of_lesion(lesion.id)
    )


def _before_therapy(timeline: Timeline, start: date | None) -> Study | None:
    """The baseline study of the index study's class; the index study itself before any therapy."""
    index = index_study(timeline)
    if index is None or start is None or (first_of(index.day) or timeline.today) <= start:
        return index
    against = comparison(timeline, start)
    return against.baseline if against is not None else None
