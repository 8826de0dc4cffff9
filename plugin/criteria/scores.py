"""Prognostic scores: Fong, tumour burden and GAME; shown with their limits, never a reason to do anything.

Each item may be missing; a score with a missing item is refused with the names of the items, not guessed.
"""

from dataclasses import dataclass, fields
from decimal import Decimal

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import CriterionError, Number, not_negative, tenths


@dataclass(frozen=True, slots=True)
class Score:
    """Points, or the exact value of the tumour burden score to two places, and the category."""

    value: Decimal
    category: Category


LOWEST_CEA = 20
"""The lowest value in ng/mL at which any score gives a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FongItems:
    node_positive_primary: bool | None
    disease_free_months: Number | None
    number: int | None
    cea: Number | None
    largest_mm: Number | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GameItems:
    kras_mutated: bool | None
    cea: Number | None
    node_positive_primary: bool | None
    largest_mm: Number | None
    number: int | None
    extrahepatic: bool | None


def fong(items: FongItems) -> Score:
    """Gives 0 to 5 points, low up to 2 (Fong et al., Ann Surg 1999); CEA in ng/mL."""
    _complete("Fong", items)
    months: Number = _known(items.disease_free_months)
    cea: Number = _known(items.cea)
    largest: Number = _known(items.largest_mm)
    points = sum(
        (
            bool(items.node_positive_primary),
            not_negative("disease-free interval", months) < 12,
            _count(items.number) > 1,
            not_negative("CEA", cea) > 200,
            tenths(largest) > 500,
        )
    )
    name = "low" if points <= 2 else "high"
    return Score(Decimal(points), category(Criterion.FONG, name, f"{points} of 5 points"))


def tumour_burden(largest_mm: Number | None, number: int | None) -> Score:
    """Gives the root of the sum of squares of the largest diameter in cm and the number; zones at 3 and 9."""
    if largest_mm is None or number is None:
        missing = [n for n, v in (("largest_mm", largest_mm), ("number", number)) if v is None]
        raise CriterionError(f"tumour burden score: not recorded: {', '.join(missing)}")
    # The zones compare squares, so no root is ever rounded over a limit.
    squared = (Decimal(tenths(largest_mm)) / 100) ** 2 + Decimal(_count(number)) ** 2
    zone = "1" if squared < 9 else "2" if squared < 81 else "3"
    value = squared.sqrt().quantize(Decimal("0.01"))
    return Score(value, category(Criterion.TUMOUR_BURDEN, zone, f"{largest_mm} mm, {number} lesions"))


def game(items: GameItems) -> Score:
    """Gives the points of the genetic and morphological evaluation score; CEA in ng/mL.

    Source: Margonis et al., Br J Surg 2018.
    """
    _complete("GAME", items)
    cea: Number = _known(items.cea)
    zone = int(tumour_burden(items.largest_mm, items.number).category.value)
    points = (
        bool(items.kras_mutated)
        + (not_negative("CEA", cea) >= LOWEST_CEA)
        + bool(items.node_positive_primary)
        + (zone - 1)
        + 2 * bool(items.extrahepatic)
    )
    name = "low" if points <= 1 else "medium" if points <= 3 else "high"
    return Score(Decimal(points), category(Criterion.GAME, name, f"{points} points"))


def _complete(score: str, items: FongItems | GameItems) -> None:
    missing = [each.name for each in fields(items) if getattr(items, each.name) is None]
    if missing:
        raise CriterionError(f"{score} score: not recorded: {', '.join(missing)}")


def _known(value: Number | None) -> Number:
    """Narrows the type of an item that `_complete` has found to be there."""
    if value is None:
        raise CriterionError("an item of the score is not recorded")
    return value


def _count(number: int | None) -> int:
    if number is None or number < 1:
        raise CriterionError(f"the number of metastases must be 1 or more, not {number}")
    return number
