"""Facts on carcinoembryonic antigen: one comparable series (R-45)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
_AT_LEAST = (">", ">=")


def marker_fact(timeline: Timeline, windows: Windows = SHIPPED) -> list[Fact]:
    """Gives the series in ng/mL around the index study; none without a value on record.

    The last value lies near the index study (28 days as shipped), the baseline before the line began (42).
    The newest lies near the index study or later, and is what the marker says now. Values of another assay,
    unit family or with a comparator take no part in the trend. Values of one day that differ take no part
    in it either, and are a level only where all lie on one side of the limit: then it is the largest of them.
    """
    days = _usable_by_day(timeline.labs)
    values = _by_day(days)
    levels = [(day, _level(found)) for day, found in sorted(days.items())]
    index = index_study(timeline)
    around = first_of(index.day) if index is not None else None
    near = [each for each in levels if around is None or abs((each[0] - around).days) <= windows.cea_window]
    newest = _newest(levels, around, windows)
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
    open_days = {day for day, level in (*near[-1:], *levels[-1:]) if level is None}
    torn = [each for day in sorted(open_days) for each in days[day]]
    if newest is None and baseline is None and not unusable and not torn:
        return []
    last = near[-1][1] if near else None
    used = [each for each in (baseline, last, newest) if each is not None]
    stated: dict[str, Given] = {}
    if last is not None:
        trend = _trend(values, last)
        used += trend
        stated = {
            "last": last.value,
            "lastDay": _day(last),
            "lastAtMost": last.comparator in _AT_MOST,
            "lastAtLeast": last.comparator in _AT_LEAST,
            "uln": last.uln,
            "previous": trend[-1].value if trend else None,
            "beforePrevious": trend[-2].value if len(trend) > 1 else None,
            "comparable": _comparable(values, last, baseline),
        }
    if newest is not None:
        stated |= {"newest": newest.value, "newestDay": _day(newest), "newestUln": newest.uln}
        stated |= {"newestAtMost": newest.comparator in _AT_MOST}
        stated |= {"newestAtLeast": newest.comparator in _AT_LEAST}
    if baseline is not None:
        stated |= {"baseline": baseline.value, "baselineDay": _day(baseline), "baselineUln": baseline.uln}
    if torn:
        used += torn
        stated |= {"sameDay": True}
    if foreign or unusable:
        used += [*foreign, *unusable]
        stated |= {"comparable": False, "unusable": yes(unusable)}
    return [fact("marker_series", (each.source for each in used), stated)]


def before_therapy(timeline: Timeline, windows: Windows = SHIPPED) -> LabResult | None:
    """Gives the last value before the line of therapy, without therapy the last one, maybe an upper bound.

    None without such a value, and for one that is only known to lie above something.
    """
    values = _by_day(_usable_by_day(timeline.labs))
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


def _usable_by_day(labs: Sequence[LabResult]) -> dict[date, list[LabResult]]:
    days: dict[date, list[LabResult]] = defaultdict(list)
    for each in labs:
        if each.family == "mass" and each.value is not None and each.day is not None and each.day.exact:
            days[each.day.first].append(each)
    return days


def _by_day(days: Mapping[date, Sequence[LabResult]]) -> list[LabResult]:
    """The usable values in order, one a day; a day with different values is left out."""
    return [one for _, found in sorted(days.items()) if (one := _agreed(found)) is not None]


def _agreed(found: Sequence[LabResult]) -> LabResult | None:
    """The value of one day where all are the same, the one with a limit before one without."""
    if len({(each.value, each.comparator) for each in found}) > 1:
        return None
    return min(found, key=lambda each: (each.uln is None, each.source))


def _level(found: Sequence[LabResult]) -> LabResult | None:
    """The level of one day: what all values agree on, or the largest where all are raised or none is."""
    sides = {_raised(each) for each in found}
    if (same := _agreed(found)) is not None:
        return same
    if sides not in ({True}, {False}):
        return None
    return max(found, key=lambda each: (each.value or 0, each.comparator is None, each.source))


def _raised(result: LabResult) -> bool | None:
    """Whether a value lies above its own limit; None where limit or comparator leave that open."""
    if result.value is None or result.uln is None:
        return None
    if result.value > result.uln:
        return None if result.comparator in _AT_MOST else True
    return None if result.comparator in _AT_LEAST else False


def _newest(
    levels: Sequence[tuple[date, LabResult | None]], around: date | None, windows: Windows
) -> LabResult | None:
    """The newest value of all, unless it is older than the index study by more than the window."""
    if not levels:
        return None
    day, value = levels[-1]
    too_old = around is not None and (around - day).days > windows.cea_window
    return None if too_old else value


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
    if last.comparator is not None or last not in values:
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
    if not others or last not in values:
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
