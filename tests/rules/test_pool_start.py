"""The start of a worker: nobody waits while it is given its rules, and it may go before it has read them."""

from __future__ import annotations

import os
import signal

from rules.evaluate import Evaluator
from rules.language import load_pack
from rules.pool import Pool
from tests.rules.packing import TINY
from tests.rules.test_evaluate import FACTS, concluded

WHOLE = load_pack()
"""More than a pipe holds, so that it is still being sent when the pool is there."""


def test_a_pool_that_is_closed_at_once_leaves_nothing() -> None:
    pool = Pool(WHOLE, 2)
    workers = list(pool.all)
    pool.close()
    for worker in workers:
        assert not worker.handing.is_alive()
        assert worker.connection.closed
        assert not worker.process.is_alive()


def test_a_worker_that_goes_before_it_has_its_rules_is_replaced() -> None:
    with Evaluator(load_pack(TINY), mode="pool", workers=1, timeout=60) as evaluator:
        assert isinstance(evaluator.engine, Pool)
        first = evaluator.engine.all[0]
        assert first.process.pid is not None
        os.kill(first.process.pid, signal.SIGKILL)
        evaluation = evaluator.evaluate(FACTS)
        assert evaluation.engines == ("reference",)
        assert [alarm.kind for alarm in evaluation.alarms] == ["engine-unavailable", "worker-restarted"]
        assert not first.handing.is_alive()
        assert evaluator.wait(60)
        assert evaluator.evaluate(FACTS).engines == ("durable", "reference")
        assert concluded(evaluator)


def test_a_large_pack_arrives_whole() -> None:
    with Evaluator(WHOLE, mode="pool", workers=1, timeout=60) as evaluator, Evaluator(WHOLE) as here:
        assert evaluator.wait(60)
        assert evaluator.evaluate(()) == here.evaluate(())
