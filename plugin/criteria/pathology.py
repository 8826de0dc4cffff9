"""Pathological response: Rubbia-Brandt regression grade and Blazer's residual cells; never cross-mapped."""

from collections.abc import Iterable
from decimal import Decimal

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import CriterionError, Number


def nodule_grade(grade: int) -> Category:
    """Gives major (grades 1 and 2), partial (3) or absent (4 and 5) for one nodule."""
    if grade not in (1, 2, 3, 4, 5):
        raise CriterionError(f"tumour regression grade {grade} is not 1 to 5")
    value = "major" if grade <= 2 else "partial" if grade == 3 else "absent"
    return category(Criterion.RUBBIA_BRANDT, value, f"grade {grade}")


def patient_grade(grades: Iterable[int]) -> Category:
    """Gives the response of the worst nodule (Rubbia-Brandt et al., Ann Oncol 2007)."""
    listed = list(grades)
    if not listed:
        raise CriterionError("no nodule has a tumour regression grade")
    for grade in listed:
        nodule_grade(grade)
    worst = nodule_grade(max(listed))
    return category(Criterion.RUBBIA_BRANDT, worst.value, f"worst of {len(listed)} nodules, {worst.why}")


def nodule_viable(percent: Number) -> Category:
    """Gives complete (no residual cells), major (below 50 %) or minor for one nodule."""
    value = Decimal(percent)
    if not 0 <= value <= 100:
        raise CriterionError(f"{percent} % residual cells is not 0 to 100")
    name = "complete" if value == 0 else "major" if value < 50 else "minor"
    return category(Criterion.BLAZER, name, f"{percent} % residual cells")


def patient_viable(percents: Iterable[Number]) -> Category:
    """Gives the response of the mean over the nodules (Blazer et al., J Clin Oncol 2008)."""
    listed = [Decimal(percent) for percent in percents]
    if not listed:
        raise CriterionError("no nodule has a percentage of residual cells")
    for percent in listed:
        nodule_viable(percent)
    # Compared as a sum so that a third of a percent cannot be rounded over the limit.
    total = sum(listed, Decimal(0))
    name = "complete" if total == 0 else "major" if total < 50 * len(listed) else "minor"
    return category(Criterion.BLAZER, name, f"mean of {len(listed)} nodules")
