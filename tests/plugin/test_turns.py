"""Turns at the processor: so many at a time, in the order they came, given away while somebody else is waited for."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import pytest

from plugin.turns import Turns, waiting

PATIENCE = 60


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


class Crowd:
    """Begins work in threads of its own, each when there is a turn for it."""

    def __init__(self, at_once: int) -> None:
        self.lock = threading.Lock()
        self.queue: deque[Callable[[], None]] = deque()
        self.threads: list[threading.Thread] = []
        self.faults: list[BaseException] = []
        self.turns = Turns(at_once, self.begin)

    def add(self, work: Callable[[], None]) -> None:
        with self.lock:
            self.queue.append(work)
        self.begin()

    def begin(self) -> None:
        with self.lock:
            while self.queue and self.turns.take():
                thread = threading.Thread(target=self.work, args=(self.queue.popleft(),))
                self.threads.append(thread)
                thread.start()

    def work(self, work: Callable[[], None]) -> None:
        try:
            with self.turns.held():
                work()
        except ValueError as error:
            self.faults.append(error)

    def join(self, count: int) -> None:
        until(lambda: len(self.threads) == count)
        for each in self.threads:
            each.join(PATIENCE)
            assert not each.is_alive()


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_than_so_many_work_at_the_same_time(at_once: int) -> None:
    crowd, lock = Crowd(at_once), threading.Lock()
    working, most = 0, 0

    def stretch() -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.001)
        with lock:
            working -= 1

    def work() -> None:
        stretch()
        with waiting():
            time.sleep(0.001)
        stretch()

    for _ in range(30):
        crowd.add(work)
    crowd.join(30)
    assert most == at_once


def test_a_turn_is_given_away_while_its_owner_waits_and_taken_back() -> None:
    crowd, told, go = Crowd(1), [], threading.Event()

    def slow() -> None:
        told.append("slow begins")
        with waiting():
            assert go.wait(PATIENCE)
        told.append("slow ends")

    def quick() -> None:
        told.append("quick")

    crowd.add(slow)
    crowd.add(quick)
    until(lambda: told == ["slow begins", "quick"])
    go.set()
    crowd.join(2)
    assert told == ["slow begins", "quick", "slow ends"]


def test_who_comes_back_goes_before_who_has_not_begun() -> None:
    crowd, told, go = Crowd(1), [], threading.Event()

    def first() -> None:
        with waiting():
            until(lambda: "second" in told)
        told.append("first is back")

    def second() -> None:
        told.append("second")
        until(lambda: bool(crowd.turns._back))
        go.set()

    def third() -> None:
        told.append("third")

    for each in (first, second, third):
        crowd.add(each)
    crowd.join(3)
    assert go.is_set()
    assert told == ["second", "first is back", "third"]


def test_who_has_no_turn_gives_none_away() -> None:
    turns = Turns(1)
    assert turns.take()
    with waiting():
        assert not turns.take()
    assert not turns.take()
    turns.give()
    assert turns.take()


@pytest.mark.parametrize("inside", [False, True])
def test_a_fault_gives_the_turn_back(inside: bool) -> None:
    crowd = Crowd(1)

    def fault() -> None:
        if inside:
            with waiting():
                raise ValueError("fault")
        raise ValueError("fault")

    for _ in range(3):
        crowd.add(fault)
    crowd.join(3)
    assert len(crowd.faults) == 3
    assert crowd.turns.take()
