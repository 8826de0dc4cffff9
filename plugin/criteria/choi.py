"""Choi and modified Choi: size and portal-phase attenuation on CT; for information only in this disease."""

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import CriterionError, Number, positive, tenths


def choi(
    baseline_mm: Number,
    now_mm: Number,
    baseline_hu: Number,
    now_hu: Number,
    *,
    modality: str,
    all_gone: bool = False,
    new_lesion: bool = False,
    modified: bool = False,
) -> Category:
    """Gives CR, PR, SD or PD; PR asks for 10 % less size or 15 % less attenuation, both when `modified`.

    Attenuation in Hounsfield units of the portal phase; a modality other than CT is refused.
    """
    if modality != "CT":
        raise CriterionError(f"Choi criteria are defined on CT, not on {modality}")
    before, now = tenths(baseline_mm), tenths(now_mm)
    positive("baseline size", before)
    attenuation = positive("baseline attenuation", baseline_hu)
    smaller = 10 * (before - now) >= before
    darker = 100 * (attenuation - now_hu) >= 15 * attenuation
    partial = (smaller and darker) if modified else (smaller or darker)
    why = f"{baseline_mm} to {now_mm} mm, {baseline_hu} to {now_hu} HU"
    criterion = Criterion.MODIFIED_CHOI if modified else Criterion.CHOI
    if new_lesion:
        return category(criterion, "PD", f"{why}; new lesion")
    if all_gone:
        return category(criterion, "CR", why)
    if partial:
        return category(criterion, "PR", why)
    if 10 * (now - before) >= before and not darker:
        return category(criterion, "PD", f"{why}; 10 % larger without the fall in attenuation")
    return category(criterion, "SD", why)
