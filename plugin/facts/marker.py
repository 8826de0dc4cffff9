"""Facts on carcinoembryonic antigen: one comparable series (R-45)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from fhir_profiles.records import LabResult
from plugin.facts.index import index_study
from plugin.facts.statement import Given, fact, yes
from plugin.facts.therapy import line_start
from plugin.facts.windows import SHIPPED, Windows
from plugin.timeline import Timeline
from plugin.timeline.days import first_of
from rules.facts import Fact

_AT_MOST = ("<", "<=")


def marker_fact(timeline: Timeline, windows: Windows = SHIPPED) -> list[Fact]:
    """Gives the series in ng/mL around the index study; none without a value on record.

    The last value lies near the index study (28 days as shipped), the baseline before the line began (42).
    Values of another assay, unit family or with a comparator take no part in the trend.
    """
    values = _by_day(timeline.labs)
    index = index_study(timeline)
    around = first_of(index.day) if index is not None else None
    near = [
        each for each in values if around is None or abs((_day(each) - around).days) <= windows.cea_window
    ]
    start = line_start(timeline, windows)
    baseline = _baseline(values, start, windows)
    since = [
        each
        for each in timeline.labs
        if each.day is not None
        and (around is None or abs((each.day.first - around).days) <= windows.cea_window)
        and (baseline is None or each.day.first > _day(baseline))
    ]
    before = _in_baseline_window(timeline.labs, start, windows) if baseline is None else []
    foreign, unusable = _other_family(since), _unusable([*before, *since])
    if not near and baseline is None and not unusable:
        return []
    last = near[-1] if near else None
    used = [each for each in (baseline, last) if each is not None]
    stated: dict[str, Given] = {}
    if last is not None:
        trend = _trend(values, last)
        used += trend
        stated = {
            "last": last.value,
            "lastDay": _day(last),
            "lastAtMost": last.comparator in _AT_MOST,
            "uln": last.uln,
            "previous": trend[-1].value if trend else None,
            "beforePrevious": trend[-2].value if len(trend) > 1 else None,
            "comparable": _comparable(values, last, baseline),
        }
    if baseline is not None:
        stated |= {"baseline": baseline.value, "baselineDay": _day(baseline), "baselineUln": baseline.uln}
    if foreign or unusable:
        used += [*foreign, *unusable]
        stated |= {"comparable": False, "unusable": yes(unusable)}
    return [fact("marker_series", (each.source for each in used), stated)]


def before_therapy(timeline: Timeline, windows: Windows = SHIPPED) -> LabResult | None:
    """Gives the last value before the line of therapy, without therapy the last one; "below" counts as it.

    None without such a value, and for one that is only known to lie above something.
    """
    values = _by_day(timeline.labs)
    start = line_start(timeline, windows)
    if start is not None:
        first = start - timedelta(days=windows.cea_baseline)
        values = [each for each in values if first <= _day(each) <= start]
    last = values[-1] if values else None
    return last if last is not None and (last.comparator is None or last.comparator in _AT_MOST) else None


def _other_family(labs: Sequence[LabResult]) -> list[LabResult]:
    """Values in units that do not compare with the series: no trend is read (DQ-13)."""
    return [each for each in labs if each.family != "mass" and each.value is not None]


def _unusable(labs: Sequence[LabResult]) -> list[LabResult]:
    """Values on record that cannot be counted, most of them for their unit: never left out in silence."""
    return [each for each in labs if each.rejected not in (None, "no-value")]


def _by_day(labs: Sequence[LabResult]) -> list[LabResult]:
    """The usable values in order, one a day; a day with different values is left out."""
    days: dict[date, list[LabResult]] = defaultdict(list)
    for each in labs:
        if each.family == "mass" and each.value is not None and each.day is not None and each.day.exact:
            days[each.day.first].append(each)
    kept = []
    for day in sorted(days):
        if len({(each.value, each.comparator) for each in days[day]}) == 1:
            kept.append(min(days[day], key=lambda each: (each.uln is None, each.source)))
    return kept


def _baseline(values: Sequence[LabResult], start: date | None, windows: Windows) -> LabResult | None:
    found = [each for each in _in_baseline_window(values, start, windows) if each.comparator is None]
    return found[-1] if found else None


def _in_baseline_window(labs: Sequence[LabResult], start: date | None, windows: Windows) -> list[LabResult]:
    if start is None:
        return []
    first = start - timedelta(days=windows.cea_baseline)
    return [each for each in labs if first <= _day(each) <= start]


def _trend(values: Sequence[LabResult], last: LabResult) -> list[LabResult]:
    """The values straight before the last one, back to the first that does not compare with it."""
    if last.comparator is not None:
        return []
    earlier = [each for each in values if _day(each) < _day(last)]
    run: list[LabResult] = []
    for each in reversed(earlier[-2:]):
        if not _same_assay(each, last):
            break
        run.insert(0, each)
    return run


def _comparable(values: Sequence[LabResult], last: LabResult, baseline: LabResult | None) -> bool | None:
    others = [each for each in values if _day(each) < _day(last)][-2:]
    others += [baseline] if baseline is not None and baseline is not last else []
    if not others:
        return None
    return last.comparator is None and all(_same_assay(each, last) for each in others)


def _same_assay(one: LabResult, other: LabResult) -> bool:
    """Same code, no comparator, and the same laboratory or the same upper limit."""
    if one.code != other.code or one.comparator is not None or other.comparator is not None:
        return False
    if one.performer is not None and one.performer == other.performer:
        return True
    return one.uln is not None and one.uln == other.uln


def _day(result: LabResult) -> date:
    return first_of(result.day) or date.min
