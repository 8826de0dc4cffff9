"""The only door to durable_rules: one ruleset, one batch of facts, one session, then nothing is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import durable_rules_engine
import msgspec

from rules.engine.units import END
from rules.errors import EngineFault, EngineTimeout, LimitExceeded

MAX_FIRINGS = 20_000
_SESSION = "0"


class _Bound(msgspec.Struct):
    id: int


_Firing = msgspec.json.Decoder(dict[str, dict[str, _Bound]])


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
        payload = "[" + ",".join([*facts, f'{{"k":0,"id":{last},"one":1}}']) + "]"
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
        message = start[1] if start else None
        found: dict[str, list[tuple[int, ...]]] = {}
        ended = 0
        while message:
            self.fired = True
            budget.spend()
            ((name, frame),) = _Firing.decode(message).items()
            if name == END:
                ended += 1
                if frame["a0"].id != last:
                    raise EngineFault("the sentinel's rule fired on another fact")
            else:
                size = self.sizes[name]
                if len(frame) != size:
                    raise EngineFault("a firing has the wrong number of facts")
                found.setdefault(name, []).append(tuple([frame[alias].id for alias in _ALIASES[:size]]))
            message = durable_rules_engine.complete_and_start_action(handle, offset)
        if ended != 1:
            raise EngineFault("the sentinel did not fire once: facts were dropped")
        return found

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


_ALIASES = tuple(f"a{number}" for number in range(16))
