"""Categories with the name of their criterion."""

from dataclasses import dataclass
from enum import StrEnum

from plugin.criteria.exact import CriterionError


class Criterion(StrEnum):
    RECIST_11 = "recist11"
    IRECIST = "irecist"
    CHOI = "choi"
    MODIFIED_CHOI = "modified-choi"
    MDA = "mda"
    PERCIST = "percist"
    RUBBIA_BRANDT = "rubbia-brandt"
    BLAZER = "blazer"
    FONG = "fong"
    TUMOUR_BURDEN = "tbs"
    GAME = "game"


_VALUES: dict[Criterion, frozenset[str]] = {
    Criterion.RECIST_11: frozenset({"CR", "CR-marker-unknown", "PR", "SD", "PD", "NE", "non-CR/non-PD"}),
    Criterion.IRECIST: frozenset({"iCR", "iPR", "iSD", "iUPD", "iCPD", "NE"}),
    Criterion.CHOI: frozenset({"CR", "PR", "SD", "PD"}),
    Criterion.MODIFIED_CHOI: frozenset({"CR", "PR", "SD", "PD"}),
    Criterion.MDA: frozenset({"optimal", "incomplete", "none"}),
    Criterion.PERCIST: frozenset({"CMR", "PMR", "SMD", "PMD"}),
    Criterion.RUBBIA_BRANDT: frozenset({"major", "partial", "absent"}),
    Criterion.BLAZER: frozenset({"complete", "major", "minor"}),
    Criterion.FONG: frozenset({"low", "high"}),
    Criterion.TUMOUR_BURDEN: frozenset({"1", "2", "3"}),
    Criterion.GAME: frozenset({"low", "medium", "high"}),
}


@dataclass(frozen=True, slots=True)
class Category:
    """A category of one criterion, with the arithmetic that led to it in words."""

    criterion: Criterion
    value: str
    why: str = ""


def category(criterion: str | None, value: str, why: str = "") -> Category:
    """Gives a labelled category; one without a criterion, of an unknown one or foreign to it is refused.

    The criterion mRECIST is refused too: it measures arterial enhancement, which colorectal metastases lack.
    """
    if not criterion:
        raise CriterionError(f"category {value!r} has no criterion; name one of {', '.join(Criterion)}")
    try:
        known = Criterion(criterion)
    except ValueError:
        raise CriterionError(f"criterion {criterion!r} is not one of {', '.join(Criterion)}") from None
    if value not in _VALUES[known]:
        raise CriterionError(f"{known} has no category {value!r}; it has {', '.join(sorted(_VALUES[known]))}")
    return Category(known, value, why)
