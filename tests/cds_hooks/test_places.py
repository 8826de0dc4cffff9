"""Places for calls: never more at once than the settings say, a place for each as long as its work lasts."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import requests

from cds_hooks.answer import Answer
from cds_hooks.app import create_app
from cds_hooks.call import HookCall
from cds_hooks.desk import Desk
from cds_hooks.places import Busy, Load, Places
from cds_hooks.services import SERVICES
from cds_hooks.trust import OPEN, Caller
from plugin import turns
from plugin.settings import Service
from tests.cds_hooks.serving import Said, advice, body, open_settings, post, served

REVIEW = "/cds-services/crlm-lesion-review"


class Work:
    """Work that lasts until it is let go, and how much of it went on at the same time."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __call__(self) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.go.wait(60)
        with self.lock:
            self.now -= 1
        return 1


def places(
    at_once: int, waiting: int, refused: Callable[[], None] = lambda: None, turns: int | None = None
) -> Places:
    return Places(Service(calls_at_once=at_once, calls_waiting=waiting, hook_deadline=2.5), refused, turns)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def test_what_has_no_place_is_refused_at_once_and_the_rest_is_done() -> None:
    told: list[int] = []

    async def burst() -> None:
        own, work = places(2, 3, lambda: told.append(1)), Work()
        taken = [own.submit(work) for _ in range(5)]
        await until(lambda: work.now == 2)
        assert own.load == Load(under_way=2, waiting=3, receiving=0)
        for _ in range(50):
            with pytest.raises(Busy) as refused:
                own.submit(work)
            assert (refused.value.status, refused.value.retry_after) == (503, 3)
        work.go.set()
        assert await asyncio.gather(*taken) == [1] * 5
        assert work.most == 2
        await until(lambda: own.load == Load(0, 0, 0))
        assert await own.submit(work) == 1, "afterwards it answers as before"
        own.close()

    asyncio.run(burst())
    assert len(told) == 50


def test_a_place_is_taken_as_long_as_the_work_lasts_though_nobody_waits_for_it() -> None:
    async def late() -> None:
        own, work = places(1, 1), Work()
        begun, waiting = own.submit(work), own.submit(work)
        await until(lambda: work.now == 1)
        begun.cancel()
        waiting.cancel()
        await until(lambda: own.load.waiting == 0)
        assert own.load.under_way == 1, "its thread is not free: what was begun cannot be called back"
        work.go.set()
        await until(lambda: own.load.under_way == 0)
        own.close()

    asyncio.run(late())


def test_one_works_while_others_wait_and_all_come_to_their_end() -> None:
    """More calls than threads, fewer turns than threads: each waits for somebody else in its middle."""

    async def all_of_them() -> None:
        own, work, gate = places(3, 40, turns=1), Work(), threading.Semaphore(0)
        work.go.set()

        def call() -> int:
            work()
            with turns.waiting():
                assert gate.acquire(timeout=60)
            return work()

        taken = [own.submit(call) for _ in range(20)]
        await until(lambda: own.load.under_way == 3)
        assert own.load.waiting == 17, "no thread is left: those who wait for somebody have them all"
        gate.release(20)
        assert await asyncio.gather(*taken) == [1] * 20
        assert work.most == 1
        await until(lambda: own.load == Load(0, 0, 0))
        own.close()

    asyncio.run(all_of_them())


def test_a_fault_of_the_work_reaches_who_waits_and_costs_no_turn() -> None:
    async def faults() -> None:
        own = places(1, 4, turns=1)

        def fault() -> int:
            raise KeyError("x")

        for _ in range(3):
            with pytest.raises(KeyError):
                await own.submit(fault)
        assert await own.submit(lambda: 1) == 1
        own.close()

    asyncio.run(faults())


def test_at_the_end_what_has_begun_is_finished_and_the_rest_is_dropped() -> None:
    async def end() -> None:
        own, work = places(4, 4, turns=1), Work()
        begun, dropped = own.submit(work), own.submit(work)
        await until(lambda: work.now == 1)
        closing = asyncio.get_running_loop().run_in_executor(None, own.close)
        with pytest.raises(asyncio.CancelledError):
            await dropped
        work.go.set()
        await closing
        assert await begun == 1
        with pytest.raises(RuntimeError):
            own.submit(work)

    asyncio.run(end())


def test_bodies_on_their_way_are_limited_beside_the_calls() -> None:
    own = places(1, 1)
    with own.receiving(), own.receiving():
        assert own.load == Load(0, 0, 2)
        with pytest.raises(Busy), own.receiving():
            pytest.fail("there was no room")
    assert own.load == Load(0, 0, 0)
    own.close()


def test_no_body_is_read_where_every_place_is_taken() -> None:
    async def full() -> None:
        own, work = places(1, 0), Work()
        taken = own.submit(work)
        with pytest.raises(Busy), own.receiving():
            pytest.fail("there was no place")
        work.go.set()
        await taken
        own.close()

    asyncio.run(full())


@dataclass
class Held(Said):
    """Answers once it is let go."""

    go: threading.Event = field(default_factory=threading.Event)

    def __call__(self, call: HookCall, caller: Caller) -> Answer:
        made = super().__call__(call, caller)
        assert self.go.wait(60)
        return made


def test_a_refused_call_is_an_operation_outcome_that_is_counted() -> None:
    said = Held(advices=(advice(),))
    settings = open_settings(calls_at_once=1, calls_waiting=0, hook_deadline=60)
    answers: list[requests.Response] = []
    with served(create_app(settings, said)) as base:
        first = threading.Thread(target=lambda: answers.append(post(base + REVIEW, body())))
        first.start()
        end = time.monotonic() + 60
        while not said.calls:
            assert time.monotonic() < end
            time.sleep(0.01)
        refused = post(base + REVIEW, body())
        feedback = post(f"{base}{REVIEW}/feedback", {"feedback": []})
        said.go.set()
        first.join(60)
        counts = requests.get(f"{base}/metrics", timeout=60).text
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "60"
    (issue,) = refused.json()["issue"]
    assert (issue["severity"], issue["code"]) == ("error", "throttled")
    assert feedback.status_code == 503
    assert [one.status_code for one in answers] == [200]
    assert "vestige_overload_total 2.0" in counts
    assert 'vestige_calls_total{service="crlm-lesion-review",status="503"} 1.0' in counts
    assert "vestige_calls_under_way 0.0" in counts


def test_the_time_of_a_call_has_in_it_what_it_waited_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(open_settings(), Said())
    monkeypatch.setattr("cds_hooks.desk.time.monotonic", lambda: 100.0)
    desk.call(SERVICES["crlm-lesion-review"], json.dumps(body()).encode(), OPEN, arrived=93.0)
    figures = dict(
        line.rsplit(" ", 1) for line in desk.metrics_text().decode().splitlines() if line[0] != "#"
    )
    assert float(figures['vestige_call_seconds_sum{service="crlm-lesion-review"}']) >= 7.0
