"""durable_rules in worker processes: killed and hanging workers cost an alarm, never an answer."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from rules.admission import Admitted
from rules.errors import EngineFault
from rules.evaluate import Alarm, Evaluator
from rules.language import load_pack
from rules.pool import Pool
from rules.trace import Trace
from tests.rules.packing import TINY
from tests.rules.test_evaluate import FACTS, TOLD, concluded


@pytest.fixture
def evaluator() -> Iterator[Evaluator]:
    with Evaluator(load_pack(TINY), mode="pool", workers=1, timeout=30) as evaluator:
        assert evaluator.evaluate(FACTS).engines == ("durable", "reference")
        yield evaluator


def pool(evaluator: Evaluator) -> Pool:
    assert isinstance(evaluator.engine, Pool)
    return evaluator.engine


def pid(evaluator: Evaluator) -> int:
    process = pool(evaluator).all[0].process
    assert process.pid is not None
    return process.pid


def test_a_worker_says_what_the_engine_says_here(evaluator: Evaluator) -> None:
    with Evaluator(load_pack(TINY)) as here:
        assert evaluator.evaluate(FACTS) == here.evaluate(FACTS)
    assert pid(evaluator) != os.getpid()


def test_a_killed_worker_is_replaced(evaluator: Evaluator) -> None:
    before = pid(evaluator)
    os.kill(before, signal.SIGKILL)
    evaluation = evaluator.evaluate(FACTS)
    assert evaluation.engines == ("reference",)
    assert [alarm.kind for alarm in evaluation.alarms] == ["engine-unavailable", "worker-restarted"]
    assert concluded(evaluator) == TOLD
    assert evaluator.evaluate(FACTS).engines == ("durable", "reference")
    assert pid(evaluator) != before


def test_a_hanging_worker_is_replaced(evaluator: Evaluator) -> None:
    before = pid(evaluator)
    os.kill(before, signal.SIGSTOP)
    evaluator.timeout = 0.2
    evaluation = evaluator.evaluate(FACTS)
    assert evaluation.engines == ("reference",)
    assert "did not answer in time" in evaluation.alarms[0].message
    assert evaluation.alarms[1] == Alarm(
        "worker-restarted", "a worker process was replaced after EngineTimeout"
    )
    evaluator.timeout = 30
    assert evaluator.evaluate(FACTS).engines == ("durable", "reference")
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_a_worker_killed_during_an_evaluation(evaluator: Evaluator) -> None:
    before = pid(evaluator)
    os.kill(before, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (before, signal.SIGKILL))
    killer.start()
    evaluation = evaluator.evaluate(FACTS)
    killer.join()
    assert evaluation.engines == ("reference",)
    assert "the worker process died" in evaluation.alarms[0].message


def test_every_worker_is_busy() -> None:
    with Evaluator(load_pack(TINY), mode="pool", workers=1, timeout=30) as evaluator:
        evaluator.evaluate(FACTS)
        held = pool(evaluator).free.get()
        evaluator.timeout = 0.1
        evaluation = evaluator.evaluate(FACTS)
        assert evaluation.alarms == (
            Alarm("engine-unavailable", "durable_rules did not answer: every worker is busy"),
        )
        pool(evaluator).free.put(held)
        evaluator.timeout = 30
        assert evaluator.evaluate(FACTS).alarms == ()


def test_two_workers_serve_several_threads() -> None:
    with Evaluator(load_pack(TINY), mode="pool", workers=2, timeout=30) as evaluator:
        wanted = evaluator.evaluate(FACTS)
        found: list[bool] = []
        threads = [
            threading.Thread(
                target=lambda: found.extend(evaluator.evaluate(FACTS) == wanted for _ in range(15))
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({worker.process.pid for worker in pool(evaluator).all}) == 2
    assert found == [True] * 60


def test_the_second_evaluation_runs_while_a_worker_is_asked(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = pool(evaluator).free
    evaluate, seen = evaluator.reference.evaluate, list[int]()

    def spy(admitted: Admitted, timeout: float) -> Trace:
        seen.append(free.qsize())
        return evaluate(admitted, timeout)

    monkeypatch.setattr(evaluator.reference, "evaluate", spy)
    assert evaluator.evaluate(FACTS).engines == ("durable", "reference")
    assert (seen, free.qsize()) == ([0], 1)


def test_an_answer_is_heard_whatever_becomes_of_the_second_evaluation(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: Exception) -> None:
        def raising(admitted: Admitted, timeout: float) -> Trace:
            raise error

        monkeypatch.setattr(evaluator.reference, "evaluate", raising)

    before = pid(evaluator)
    wanted = evaluator.evaluate(FACTS)
    fail(EngineFault("it is lost"))
    assert evaluator.evaluate(FACTS).engines == ("durable",)
    fail(ZeroDivisionError("a defect"))
    with pytest.raises(ZeroDivisionError, match="a defect"):
        evaluator.evaluate(FACTS[:1])
    monkeypatch.undo()
    # The answer to the facts before is not taken for the answer to these.
    assert evaluator.evaluate(FACTS) == wanted
    assert pid(evaluator) == before


def test_both_faults_are_told(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(admitted: Admitted, timeout: float) -> Trace:
        raise EngineFault("it is lost")

    monkeypatch.setattr(evaluator.reference, "evaluate", lost)
    os.kill(pid(evaluator), signal.SIGKILL)
    with pytest.raises(EngineFault, match="it is lost"):
        evaluator.evaluate(FACTS)
    monkeypatch.undo()
    evaluation = evaluator.evaluate(FACTS)
    assert evaluation.engines == ("durable", "reference")


def test_closing_ends_the_workers() -> None:
    evaluator = Evaluator(load_pack(TINY), mode="pool", workers=2)
    processes = [worker.process for worker in pool(evaluator).all]
    evaluator.close()
    deadline = time.monotonic() + 10
    while any(process.is_alive() for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(process.is_alive() for process in processes)


def test_a_pool_has_a_worker() -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        Evaluator(load_pack(TINY), mode="pool", workers=0)
