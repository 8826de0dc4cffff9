"""Turns at the processor: so many at a time, in the order they came, given away while somebody else is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from plugin.turns import Turns, waiting

PATIENCE = 60


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_than_so_many_work_at_the_same_time(at_once: int) -> None:
    turns, lock = Turns(at_once), threading.Lock()
    working, most = 0, 0

    def work() -> None:
        nonlocal working, most
        with turns.taken():
            with lock:
                working += 1
                most = max(most, working)
            time.sleep(0.002)
            with lock:
                working -= 1

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work) for _ in range(40)]:
            done.result(PATIENCE)
    assert most == at_once


def test_a_turn_is_given_away_while_its_owner_waits_and_taken_back() -> None:
    turns, told, go = Turns(1), [], threading.Event()

    def slow() -> None:
        with turns.taken():
            told.append("slow begins")
            with waiting():
                assert go.wait(PATIENCE)
            told.append("slow ends")

    def quick() -> None:
        with turns.taken():
            told.append("quick")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow)
        until(lambda: bool(told))
        pool.submit(quick).result(PATIENCE)
        go.set()
        first.result(PATIENCE)
    assert told == ["slow begins", "quick", "slow ends"]


def test_who_has_no_turn_gives_none_away() -> None:
    turns = Turns(1)
    with waiting():
        pass
    with turns.taken():
        other = threading.Thread(target=lambda: waiting().__enter__())
        other.start()
        other.join(PATIENCE)
        second = threading.Event()
        third = threading.Thread(target=_take, args=(turns, second))
        third.start()
        assert not second.wait(0.05)
    assert second.wait(PATIENCE)
    third.join(PATIENCE)


def _take(turns: Turns, done: threading.Event) -> None:
    with turns.taken():
        done.set()


@pytest.mark.parametrize("inside", [False, True])
def test_a_fault_gives_the_turn_back(inside: bool) -> None:
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="fault"), turns.taken():
            if inside:
                with waiting():
                    raise ValueError("fault")
            raise ValueError("fault")
    with turns.taken(), waiting():
        pass
