"""iRECIST: unconfirmed and confirmed progression under immune therapy (Seymour et al., Lancet Oncol 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import CriterionError, Number, millimetres, tenths
from plugin.criteria.recist import ABSOLUTE_GROWTH, partial_response, progression

CONFIRM_FROM_DAYS = 28
CONFIRM_TO_DAYS = 56


@dataclass(frozen=True, slots=True)
class Assessment:
    """One time point: the target sum in mm and what the reader says of the rest; None if not evaluated.

    new_lesion: one that no study before showed; new_lesion_remains: one from before, not known to be gone.
    """

    day: date
    sum_mm: Number | None
    non_target_growth: bool | None = False
    new_lesion: bool = False
    new_lesion_growth: bool = False
    new_lesion_remains: bool = False
    non_target_gone: bool = True


def irecist(series: Sequence[Assessment], *, immune_therapy: bool) -> tuple[Category, ...]:
    """Gives one category for each time point after the baseline, which is the first of the series.

    Refused without immune therapy. A first progression is iUPD. From 28 days after it, and within 56 of the
    last iUPD, it is confirmed by 5 mm more than the smallest sum since (steps add up), by any further growth
    elsewhere or by another new lesion. Where the sum comes back below the threshold the bar is reset, unless
    the new lesion that made the progression is still there. A scan outside those days confirms nothing.
    """
    if not immune_therapy:
        raise CriterionError("iRECIST applies to immune therapy only; use RECIST 1.1")
    days = [each.day for each in series]
    if days != sorted(set(days)):
        raise CriterionError("the assessments must be in order of day, one a day")
    if not series or series[0].sum_mm is None:
        raise CriterionError("the first assessment is the baseline and needs a sum")
    baseline = tenths(series[0].sum_mm)
    lowest = baseline
    pending: list[Assessment] = []
    answers: list[Category] = []
    for each in series[1:]:
        if answers and answers[-1].value == "iCPD":
            answers.append(_category("iCPD", "confirmed before"))
            continue
        answer = _one(each, baseline, lowest, pending)
        answers.append(answer)
        if answer.value == "iUPD":
            pending.append(each)
        elif answer.value in ("iCR", "iPR", "iSD"):
            pending.clear()
        if each.sum_mm is not None:
            lowest = min(lowest, tenths(each.sum_mm))
    return tuple(answers)


def _one(each: Assessment, baseline: int, lowest: int, pending: Sequence[Assessment]) -> Category:
    now = None if each.sum_mm is None else tenths(each.sum_mm)
    by_sum = now is not None and progression(lowest, now)
    elsewhere = bool(each.non_target_growth) or each.new_lesion or each.new_lesion_growth
    if pending and (by_sum or elsewhere):
        return _confirmation(each, now, elsewhere, pending)
    if by_sum or elsewhere:
        return _category("iUPD", "first progression; to be confirmed")
    if pending and each.new_lesion_remains:
        return _category("iUPD", "not confirmed: the new lesion is still there and has not grown")
    if now is None or each.non_target_growth is None or baseline == 0:
        return _category("NE", "not everything was evaluated")
    if lowest == 0 and now > 0:
        return _category("NE", "back from a nadir of 0, less than 5 mm")
    why = f"baseline {millimetres(baseline)} mm, now {millimetres(now)} mm"
    if now == 0 and each.non_target_gone:
        return _category("iCR", why)
    return _category("iPR" if partial_response(baseline, now) else "iSD", why)


def _confirmation(
    each: Assessment, now: int | None, elsewhere: bool, pending: Sequence[Assessment]
) -> Category:
    first, last = (each.day - pending[0].day).days, (each.day - pending[-1].day).days
    if first < CONFIRM_FROM_DAYS or last > CONFIRM_TO_DAYS:
        return _category("iUPD", f"{last} days after the last unconfirmed progression; 28 to 56 confirm")
    sums = [tenths(one.sum_mm) for one in pending if one.sum_mm is not None]
    more = None if now is None or not sums else now - min(sums)
    if elsewhere or (more is not None and more >= ABSOLUTE_GROWTH):
        return _category("iCPD", "progression confirmed")
    return _category("iUPD", "not confirmed: less than 5 mm more and nothing new")


def _category(value: str, why: str) -> Category:
    return category(Criterion.IRECIST, value, why)
