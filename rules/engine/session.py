"""The only door to durable_rules: one ruleset, one batch of facts, one session, then nothing is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import durable_rules_engine
import msgspec

from rules.engine.columns import SENTINEL
from rules.engine.units import END
from rules.errors import EngineFault, EngineTimeout, LimitExceeded

MAX_FIRINGS = 200_000
CHECKED = 16
"""Messages of firings after which time and number are looked at."""
_FIRST = '"a0":'
"""Stands once in every firing."""
_SESSION = "0"


class _Bound(msgspec.Struct, gc=False):
    id: int


class _Frame(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    a0: _Bound
    a1: _Bound | None = None
    a2: _Bound | None = None
    a3: _Bound | None = None
    a4: _Bound | None = None
    a5: _Bound | None = None
    a6: _Bound | None = None


def _one(frames: Sequence[_Frame]) -> list[tuple[int, ...]]:
    return [(frame.a0.id,) for frame in frames if frame.a1 is None]


def _two(frames: Sequence[_Frame]) -> list[tuple[int, ...]]:
    return [(f.a0.id, f.a1.id) for f in frames if f.a1 is not None and f.a2 is None]


def _three(frames: Sequence[_Frame]) -> list[tuple[int, ...]]:
    return [
        (f.a0.id, f.a1.id, f.a2.id) for f in frames if f.a1 is not None and f.a2 is not None and f.a3 is None
    ]


def _some(frames: Sequence[_Frame], size: int) -> list[tuple[int, ...]]:
    """Returns the numbers of the facts of the frames that have so many."""
    rows = [[fact.id for fact in msgspec.structs.astuple(f) if fact is not None] for f in frames]
    last = f"a{size - 1}"
    return [
        tuple(row)
        for row, frame in zip(rows, frames, strict=True)
        if len(row) == size and getattr(frame, last) is not None
    ]


_BY_SIZE = {1: _one, 2: _two, 3: _three}


def bound(frames: Sequence[_Frame], size: int) -> list[tuple[int, ...]]:
    """Returns the numbers of the facts of each firing; refuses another number of them than `size`."""
    own = _BY_SIZE.get(size)
    found = _some(frames, size) if own is None else own(frames)
    if len(found) != len(frames):
        raise EngineFault("a firing has the wrong number of facts")
    return found


_Firings = msgspec.json.Decoder(list[dict[str, list[_Frame]]])


class Budget:
    """Is what one evaluation may still use: firings and time."""

    def __init__(self, timeout: float, firings: int = MAX_FIRINGS) -> None:
        self.deadline = time.monotonic() + timeout
        self.firings = firings

    def spend(self, count: int = 1) -> None:
        """Takes some firings; raises where not enough are left or the time is over."""
        before = self.firings
        self.firings -= count
        if self.firings < 0:
            raise LimitExceeded(f"more than {MAX_FIRINGS} ways in which conditions hold")
        if before // 64 != self.firings // 64:
            self.check_time()

    def check(self, count: int) -> None:
        """Raises where not so many firings are left or the time is over; takes none."""
        if count > self.firings:
            raise LimitExceeded(f"more than {MAX_FIRINGS} ways in which conditions hold")
        self.check_time()

    def check_time(self) -> None:
        """Raises where the time is over."""
        if time.monotonic() > self.deadline:
            raise EngineTimeout("durable_rules took too long")


class Ruleset:
    """Owns one handle of the engine; it is unusable after any surprise."""

    def __init__(self, name: str, rules: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.broken = False
        self.fired = False
        try:
            self.handle = durable_rules_engine.create_ruleset(name, json.dumps(rules))
        except durable_rules_engine.error as error:
            raise EngineFault(f"durable_rules refused ruleset {name}: {error}") from error

    def run(self, facts: list[str], last: int, budget: Budget) -> dict[str, list[tuple[int, ...]]]:
        """Returns, by rule, the numbers of the facts of each firing.

        `facts` are JSON objects; `last` is the number the sentinel gets. Its rule must fire exactly once:
        this proves that the batch was read to its end, and leaves the session in a state that can be freed.
        """
        if self.broken:
            raise EngineFault("the ruleset was given up after a fault")
        self.broken = True
        self.fired = False
        payload = "[" + ",".join([*facts, f'{{"{SENTINEL}":1,"id":{last}}}']) + "]"
        try:
            found = self._drain(payload, last, budget)
        except durable_rules_engine.error as error:
            raise EngineFault(f"durable_rules failed: {error}") from error
        except (msgspec.DecodeError, KeyError, ValueError, MemoryError) as error:
            raise EngineFault(
                f"durable_rules answered something unreadable ({type(error).__name__})"
            ) from error
        finally:
            # A session in which nothing fired holds a wild pointer and must not be freed; the ruleset is
            # given up then, with its session. The sentinel makes this impossible but for a fault inside the
            # engine.
            if self.fired:
                self._forget()
        self.broken = False
        return found

    def _drain(self, payload: str, last: int, budget: Budget) -> dict[str, list[tuple[int, ...]]]:
        handle = self.handle
        code, offset = durable_rules_engine.assert_facts(handle, payload)
        if code not in (0, 1):
            raise EngineFault(f"durable_rules refused the facts (code {code})")
        start = durable_rules_engine.start_action_for_state(handle, offset)
        messages: list[str] = [start[1]] if start else []
        self.fired = bool(messages)
        following = iter(partial(durable_rules_engine.complete_and_start_action, handle, offset), None)
        told = 0
        while messages:
            some = list(islice(following, CHECKED))
            messages += some
            if len(some) < CHECKED:
                break
            told += sum([message.count(_FIRST) for message in some])
            budget.check(told)
        return self._read(messages, last, budget)

    def _read(self, messages: list[str], last: int, budget: Budget) -> dict[str, list[tuple[int, ...]]]:
        """Returns, by rule, the numbers of the facts of each firing; refuses what is not as it must be."""
        frames: dict[str, list[_Frame]] = {END: []}
        for message in _Firings.decode(f"[{','.join(messages)}]"):
            ((name, told),) = message.items()
            if name in frames:
                frames[name] += told
            else:
                frames[name] = told
        budget.spend(sum(map(len, frames.values())))
        ended = frames.pop(END)
        if len(ended) != 1:
            raise EngineFault("the sentinel did not fire once: facts were dropped")
        if bound(ended, 1) != [(last,)]:
            raise EngineFault("the sentinel's rule fired on another fact")
        sizes = self.sizes
        # In the order of the facts: the engine tells the latest first, and which is the latest means nothing.
        return {name: sorted(bound(own, sizes[name])) for name, own in frames.items()}

    def _forget(self) -> None:
        try:
            durable_rules_engine.delete_state(self.handle, _SESSION)
        except durable_rules_engine.error as error:
            self.broken = True
            raise EngineFault(f"durable_rules could not forget the session: {error}") from error

    def close(self) -> None:
        """Gives the memory back; a broken ruleset is left alone, because freeing it might crash."""
        if not self.broken:
            self.broken = True
            durable_rules_engine.delete_ruleset(self.handle)
