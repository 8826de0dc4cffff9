"""Each limit of an evaluation: what just fits is answered, and more is an error with a name, never a shortened
answer."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import rules.engine.durable
from rules.admission import MAX_TEXT, Admission
from rules.crosscheck import Reference
from rules.crosscheck.reference import MAX_MATCHES
from rules.engine import DurableEngine
from rules.errors import EngineStarting, EngineTimeout, FactError, LimitExceeded
from rules.evaluate import Evaluator
from rules.facts import Fact
from rules.pool import START_TIMEOUT, _Worker
from tests.rules.packing import pack_of

ROOT = Path(__file__).parents[2]
CONSTANT = re.compile(r"^(MAX_\w+|START_TIMEOUT|GRACE|MAGNITUDE|LIMIT)(?:: int)? = ", re.MULTILINE)

PAIRS = """
- id: T
  title: t
  stratum: 1
  when:
    - sighting S: {}
    - sighting T: {lesion: = S.lesion}
  then: {out: {lesion: = S.lesion}}
"""
EACH = """
- id: T
  title: t
  stratum: 1
  when: [{lesion L: {}}]
  then: {out: {lesion: = L.id}}
"""


def sightings(count: int) -> list[Fact]:
    return [Fact("sighting", {"id": f"S{n}", "lesion": "L1"}) for n in range(count)]


def lesions(count: int) -> list[Fact]:
    return [Fact("lesion", {"id": f"L{n}"}) for n in range(count)]


def test_every_limit_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "engine.md").read_text()
    files = [path for path in (ROOT / "rules").rglob("*.py") if "language" not in path.parts]
    found = {name for path in files for name in CONSTANT.findall(path.read_text())}
    assert {"MAX_FACTS", "MAX_NUMBER", "MAX_FIRINGS", "MAX_MATCHES", "MAX_PAIRS", "MAX_TEXT"} <= found
    assert {name for name in found if f"`{name}`" not in text} == set()


def test_python_3_13_is_refused_with_the_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.13"
    assert "Python 3.13 cannot load durable_rules" in (ROOT / "scripts" / "install.sh").read_text()


def test_a_text_is_limited(tmp_path: Path) -> None:
    admission = Admission(pack_of(tmp_path, EACH))
    assert len(admission.admit([Fact("lesion", {"id": "x" * MAX_TEXT})]).facts) == 1
    with pytest.raises(FactError, match=f"at most {MAX_TEXT} characters"):
        admission.admit([Fact("lesion", {"id": "x" * (MAX_TEXT + 1)})])


def test_the_facts_given_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules.engine.durable, "MAX_NUMBER", 8)
    pack = pack_of(tmp_path, EACH)
    admission = Admission(pack)
    with DurableEngine(pack) as engine:
        assert len(engine.evaluate(admission.admit(lesions(4))).derived) == 4
    with DurableEngine(pack) as engine, pytest.raises(LimitExceeded, match="more than 8 facts, given ones"):
        engine.evaluate(admission.admit(lesions(5)))
    with Evaluator(pack, timeout=30) as evaluator:
        evaluation = evaluator.evaluate(lesions(5))
    # The other evaluation does not count them, and answers in full.
    (alarm,) = evaluation.alarms
    assert alarm.kind == "engine-unavailable"
    assert "more than 8 facts" in alarm.message
    assert (evaluation.engines, len(evaluation.of("out"))) == (("reference",), 5)


def test_the_second_evaluation_counts_the_ways_too(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, PAIRS)
    reference, admission = Reference(pack), Admission(pack)
    assert reference.evaluate(admission.admit(sightings(100)), timeout=60).derived
    with pytest.raises(LimitExceeded, match=f"more than {MAX_MATCHES} ways"):
        reference.evaluate(admission.admit(sightings(460)), timeout=60)


def test_the_second_evaluation_is_timed_too(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, EACH)
    with pytest.raises(EngineTimeout, match="the reference evaluation took too long"):
        Reference(pack).evaluate(Admission(pack).admit(lesions(1)), timeout=-1)


@pytest.mark.parametrize(("ago", "error"), [(0.0, EngineStarting), (START_TIMEOUT + 1, EngineTimeout)])
def test_a_worker_that_does_not_start(ago: float, error: type[Exception]) -> None:
    worker: Any = _Worker.__new__(_Worker)
    worker.started = time.monotonic() - ago
    with pytest.raises(error, match="start"):
        worker.refuse_late_start()
