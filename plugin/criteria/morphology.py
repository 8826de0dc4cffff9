"""MD Anderson CT morphology (Chun et al., JAMA 2009): groups 1 to 3, optimal, incomplete or no response."""

from collections import Counter
from collections.abc import Iterable

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import CriterionError


def lesion_morphology(baseline: int, now: int, *, modality: str) -> Category:
    """Gives the response of one lesion: 3 or 2 to 1 is optimal, 3 to 2 incomplete, anything else none."""
    if modality != "CT":
        raise CriterionError(f"MD Anderson morphology is defined on CT, not on {modality}")
    for group in (baseline, now):
        if group not in (1, 2, 3):
            raise CriterionError(f"morphology group {group} is not 1, 2 or 3")
    why = f"group {baseline} to {now}"
    if now == 1 and baseline > 1:
        return category(Criterion.MDA, "optimal", why)
    if (baseline, now) == (3, 2):
        return category(Criterion.MDA, "incomplete", why)
    return category(Criterion.MDA, "none", why)


def patient_morphology(lesions: Iterable[Category]) -> Category:
    """Gives the response that more than half of the lesions have; without such a majority, none."""
    values = [each.value for each in lesions if each.criterion is Criterion.MDA]
    if not values:
        raise CriterionError("no lesion has an MD Anderson response")
    value, count = Counter(values).most_common(1)[0]
    if 2 * count <= len(values):
        return category(Criterion.MDA, "none", f"no majority among {len(values)} lesions")
    return category(Criterion.MDA, value, f"{count} of {len(values)} lesions")
