"""Patients of the largest size that is decided, and beyond it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from rules.admission import MAX_FACTS, Admission
from rules.engine.hashing import MAX_NUMBER
from rules.errors import LimitExceeded
from rules.evaluate import Evaluator
from rules.facts import Fact
from tests.rules.packing import pack_of

SNIPPET = """
- id: LAST
  title: The last day a lesion was seen
  stratum: 1
  each: lesion L
  from: {sighting S: {lesion: = L.id, vis: visible}}
  give: {out: {lesion: = L.id, day: max S.day, mm: max S.mm}}
- id: LARGER
  title: A sighting larger than one in the study before
  stratum: 2
  when:
    - sighting S: {vis: visible}
    - sighting T: {lesion: = S.lesion, mm: "> 1.2 * S.mm", day: = S.day + 30}
  unless:
    - out O: {lesion: = S.lesion, day: "<= T.day"}
  then: {single: {lesion: = S.lesion}}
  subject: = S.lesion
  conclusion: larger
  indicator: warning
  hooks: [all]
"""


def patient(lesions: int, studies: int) -> list[Fact]:
    facts = [Fact("lesion", {"id": f"L{n}"}, (f"l{n}",)) for n in range(lesions)]
    for lesion in range(lesions):
        for study in range(studies):
            day = datetime.date(2020, 1, 1) + datetime.timedelta(days=30 * study)
            values: dict[str, Any] = {
                "id": f"S{lesion}-{study}",
                "lesion": f"L{lesion}",
                "day": day,
                "vis": "visible",
            }
            values["mm"] = 10 + 10 * (study % 2)
            facts.append(Fact("sighting", values, (f"s{lesion}-{study}",)))
    return facts


def test_fifty_lesions_in_fifty_studies(tmp_path: Path) -> None:
    with Evaluator(pack_of(tmp_path, SNIPPET), timeout=30) as evaluator:
        evaluation = evaluator.evaluate(patient(50, 50))
    assert evaluation.engines == ("durable", "reference")
    assert evaluation.alarms == ()
    assert len(evaluation.of("out")) == 50
    assert [finding.subject for finding in evaluation.findings] == sorted(f"L{n}" for n in range(50))
    # Small and large in turn: 25 pairs, of which the last is forbidden.
    assert {len(finding.facts) for finding in evaluation.findings} == {48}


def test_as_many_facts_as_are_allowed(tmp_path: Path) -> None:
    facts = patient(100, 49) + [Fact("lesion", {"id": f"M{n}"}) for n in range(MAX_FACTS - 5000)]
    assert len(facts) == MAX_FACTS < MAX_NUMBER
    pack = pack_of(tmp_path, SNIPPET)
    with Evaluator(pack, timeout=30) as evaluator:
        evaluation = evaluator.evaluate(facts)
        assert evaluation.engines == ("durable", "reference")
        assert len(evaluation.of("out")) == 100
        with pytest.raises(LimitExceeded, match=f"more than {MAX_FACTS} facts"):
            evaluator.evaluate([*facts, Fact("lesion", {"id": "one more"})])
    assert len(Admission(pack).admit(facts).keys) == MAX_FACTS
