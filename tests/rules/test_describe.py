"""A statement in words."""

from __future__ import annotations

from rules.describe import describe
from rules.language import load_pack
from tests.rules.packing import TINY

SHRUNK = """\
SHRUNK: The best sighting is smaller than the baseline by a third
(rule, stratum 2)

When:
  - lesion L (A lesion): baseline is stated
  - best B (The best sighting): lesion is L.id; mm is at most 0.7 × L.baseline ($shrink_ratio); day is stated
  - first_seen F (The first day a lesion was seen): lesion is L.id; day is before B.day
unless there is:
  - sighting X (What one study says of one lesion): lesion is L.id; day is after B.day + 28 ($window); visibility is visible
then shrunk: lesion = L.id, by = L.baseline - B.mm, days = B.day - F.day
then 'shrunk' about L.id (info, card; on patient-view)

Parameters:
  shrink_ratio: 0.7 1 (default; made up; from 2026-01-01)
  window: 28 d (default; made up; from 2026-01-01)

Evidence for:
  T1: A made-up study (not read; named only)

Evidence against:
  none found"""


def test_a_rule() -> None:
    pack = load_pack(TINY)
    assert describe(pack.statements["SHRUNK"], pack) == SHRUNK


def test_a_derivation() -> None:
    pack = load_pack(TINY)
    text = describe(pack.statements["SEEN"], pack)
    assert "For each lesion L (A lesion): nature is not benign" in text
    assert "visibility is one of visible, indeterminate" in text
    assert "then seen: lesion = L.id, times = count, ever = exists, largest = max of mm" in text
    assert "choosing by: strong is yes, then day largest or latest, then mm largest or latest" in describe(
        pack.statements["BEST"], pack
    )


def test_a_decision_list() -> None:
    pack = load_pack(TINY, states={"ST": "shadow", "NOTE": "shadow"})
    text = describe(pack.statements["ST"], pack)
    assert "(decision, stratum 3, shadow)" in text
    assert "Case open\n  in every other case\n  then status: lesion = L.id, value = OPEN" in text


def test_a_number_set_by_a_site_is_marked() -> None:
    pack = load_pack(TINY, parameters={"window": 14})
    assert "window: 14 d (default; made up; from 2026-01-01, set by this site)" in describe(
        pack.statements["SHRUNK"], pack
    )


def test_every_statement_can_be_described() -> None:
    pack = load_pack(TINY)
    for statement in pack.statements.values():
        assert describe(statement, pack).startswith(f"{statement.id}: {statement.title}")
