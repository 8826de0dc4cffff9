from dataclasses import replace
from decimal import Decimal

import pytest

from plugin.criteria import CriterionError
from plugin.criteria.scores import FongItems, GameItems, fong, game, tumour_burden

FONG = FongItems(node_positive_primary=True, disease_free_months=6, number=3, cea=201, largest_mm=51)
GAME = GameItems(
    kras_mutated=True, cea=40, node_positive_primary=True, largest_mm=30, number=2, extrahepatic=False
)


@pytest.mark.parametrize(
    ("items", "points", "name"),
    [
        (FONG, 5, "high"),
        (replace(FONG, cea=200, largest_mm=50), 3, "high"),
        (replace(FONG, cea=200, largest_mm=50, disease_free_months=12), 2, "low"),
        (
            FongItems(node_positive_primary=False, disease_free_months=12, number=1, cea=3, largest_mm=20),
            0,
            "low",
        ),
    ],
)
def test_fong(items: FongItems, points: int, name: str) -> None:
    found = fong(items)
    assert (found.value, found.category.value) == (points, name)


@pytest.mark.parametrize(
    ("items", "points", "name"),
    [
        (GAME, 4, "high"),
        (replace(GAME, cea=Decimal("19.9")), 3, "medium"),
        (replace(GAME, kras_mutated=False, cea=5, node_positive_primary=False), 1, "low"),
        (replace(GAME, number=9), 5, "high"),
        (replace(GAME, extrahepatic=True), 6, "high"),
    ],
)
def test_game(items: GameItems, points: int, name: str) -> None:
    found = game(items)
    assert (found.value, found.category.value) == (points, name)


@pytest.mark.parametrize(
    ("mm", "number", "value", "zone"),
    [
        (30, 2, "3.61", "2"),
        (28, 1, "2.97", "1"),
        (0, 3, "3.00", "2"),
        (0, 9, "9.00", "3"),
        (40, 8, "8.94", "2"),
    ],
)
def test_tumour_burden(mm: int, number: int, value: str, zone: str) -> None:
    found = tumour_burden(mm, number)
    assert (found.value, found.category.value) == (Decimal(value), zone)


def test_a_missing_item_is_named_and_nothing_is_computed() -> None:
    with pytest.raises(CriterionError, match="GAME score: not recorded: cea$"):
        game(replace(GAME, cea=None))
    with pytest.raises(CriterionError, match="not recorded: number, largest_mm"):
        fong(replace(FONG, number=None, largest_mm=None))
    with pytest.raises(CriterionError, match="number"):
        tumour_burden(30, None)
    with pytest.raises(CriterionError, match="1 or more"):
        tumour_burden(30, 0)
