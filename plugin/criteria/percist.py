"""PERCIST 1.0: metabolic response of the hottest lesion (Wahl et al., J Nucl Med 2009)."""

from decimal import Decimal

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import Number, not_negative, positive

_ABSOLUTE = Decimal("0.8")


def percist(
    baseline_sul: Number,
    now_sul: Number,
    *,
    above_background: bool,
    new_lesion: bool,
    baseline_tlg: Number | None = None,
    now_tlg: Number | None = None,
) -> Category:
    """Gives CMR, PMR, SMD or PMD from SULpeak; `above_background` says whether any uptake stands out.

    A complete metabolic response is a statement on uptake and never a disappearance of a lesion.
    """
    before, now = positive("baseline SULpeak", baseline_sul), not_negative("SULpeak", now_sul)
    why = f"SULpeak {before} to {now}"
    if new_lesion:
        return _category("PMD", f"{why}; new avid lesion")
    if 10 * now > 13 * before and now - before >= _ABSOLUTE:
        return _category("PMD", f"{why}; more than 30 % and at least 0.8 higher")
    if baseline_tlg is not None and now_tlg is not None:
        glycolysis = positive("baseline total lesion glycolysis", baseline_tlg)
        if 100 * not_negative("total lesion glycolysis", now_tlg) > 175 * glycolysis:
            return _category("PMD", f"{why}; total lesion glycolysis more than 75 % higher")
    if not above_background:
        return _category("CMR", f"{why}; no uptake above background")
    if 10 * now <= 7 * before and before - now >= _ABSOLUTE:
        return _category("PMR", f"{why}; at least 30 % and 0.8 lower")
    return _category("SMD", why)


def _category(value: str, why: str) -> Category:
    return category(Criterion.PERCIST, value, why)
