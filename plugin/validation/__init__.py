"""Synthetic cohorts with the marginals of published ones, run through the real path.

A check of the software on matching marginals, not clinical evidence: what was not published is assumed, and
each assumption is listed with the result.
"""

from plugin.validation.cohort import Case, triple_modality_cases
from plugin.validation.cohort_resected import resected_cases
from plugin.validation.counts import Counts, count
from plugin.validation.recount import Marginals, recount
from plugin.validation.resected import resected_table
from plugin.validation.run import Outcome, run
from plugin.validation.studies import RESECTED, TRIPLE_MODALITY, Resected, TripleModality
from plugin.validation.table import Check, Row, Table
from plugin.validation.triple_modality import triple_modality_table

__all__ = [
    "RESECTED",
    "TRIPLE_MODALITY",
    "Case",
    "Check",
    "Counts",
    "Marginals",
    "Outcome",
    "Resected",
    "Row",
    "Table",
    "TripleModality",
    "count",
    "recount",
    "resected_cases",
    "resected_table",
    "run",
    "triple_modality_cases",
    "triple_modality_table",
]
