"""The second evaluation by itself: it stops where it must, looks at the time, and keeps types."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rules.admission import Admission
from rules.crosscheck import Reference
from rules.crosscheck.reference import _Run
from rules.facts import Fact
from rules.language.model import Pack
from rules.trace import Gifts
from tests.rules.engines import given, run
from tests.rules.packing import pack_of

PAIRS = """
- id: T
  title: t
  stratum: 1
  when:
    - sighting S: {}
    - sighting T: {lesion: = S.lesion}
  then: {out: {lesion: = T.id}}
"""


def sightings(count: int, lesions: int) -> list[Fact]:
    return [Fact("sighting", {"id": f"S{n}", "lesion": f"L{n % lesions}"}) for n in range(count)]


def concluded(pack: Pack, facts: list[Fact], limit: int) -> tuple[int, int, int]:
    """Returns the ways that the only statement counts, the facts it gives, and how often it looks at the
    time."""
    reference = Reference(pack)
    ((statement,),) = reference.strata
    evaluation = _Run(reference, Admission(pack).admit(facts), 0.0)
    gifts: Gifts = {}
    looks: list[None] = []
    ways = statement.conclude(
        evaluation.rows, evaluation.lookup, {}, gifts, lambda: looks.append(None), limit
    )
    return ways, len(gifts), len(looks)


def test_a_statement_stops_as_soon_as_the_limit_is_passed(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, PAIRS)
    # 40 sightings of one lesion make 1,560 pairs.
    assert concluded(pack, sightings(40, 1), 100)[0] == 101
    assert concluded(pack, sightings(40, 1), 1560)[:2] == (1560, 40)


def test_the_time_is_looked_at_in_the_outer_loops(tmp_path: Path) -> None:
    # At the facts 0, 256, 512, 768 and 1024, in the loop over each of the two conditions.
    assert concluded(pack_of(tmp_path, PAIRS), sightings(1025, 1025), 10_000) == (0, 0, 10)


@pytest.mark.parametrize(("extreme", "number"), [("min", 3), ("max", 7)])
def test_the_extreme_of_whole_numbers_is_a_whole_number(tmp_path: Path, extreme: str, number: int) -> None:
    snippet = """
    - id: T
      title: t
      stratum: 1
      each: lesion L
      from: {sighting S: {lesion: = L.id}}
      give: {out: {lesion: = L.id, n: EXTREME S.slices, mm: EXTREME S.mm}}
    """.replace("EXTREME", extreme)
    facts = [Fact("lesion", {"id": "L1"})]
    facts += [Fact("sighting", {"id": f"S{n}", "lesion": "L1", "slices": n, "mm": n}) for n in (3, 7)]
    (out,) = given(run("reference", pack_of(tmp_path, snippet), facts), "out")
    assert (out["n"], type(out["n"])) == (number, int)
    assert (out["mm"], type(out["mm"])) == (number, Decimal)
