"""Response criteria, pathology scales and scores in exact arithmetic; for display, never a gate.

Every result carries the name of its criterion, because a category such as PR means nothing without it.
"""

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import CriterionError, tenths

__all__ = ["Category", "Criterion", "CriterionError", "category", "tenths"]
