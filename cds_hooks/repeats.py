"""Decisions of the last minutes: the same record, read again on the same day, is not decided twice."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from hashlib import sha256

import msgspec

from cds_hooks.counted import Counted
from plugin.chart import Chart
from plugin.decision import Advice
from plugin.record import Record, repeated
from rules.evaluation import Alarm
from rules.facts import Fact

MOST = 64
"""Decisions that are kept; one takes some 50 kB."""

_READ = tuple(each.name for each in fields(Chart) if each.compare)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a call is answered and recorded with; of the resources that were read only what is recorded.

    `record` is what follows from the decision, without what one call adds; None where no records are kept.
    """

    advices: tuple[Advice, ...]
    gaps: int
    alarms: tuple[Alarm, ...]
    counted: Counted
    record: Record | None

    def again(self) -> Decided:
        """Returns the same with a record of its own."""
        return self if self.record is None else replace(self, record=repeated(self.record))


def digest(chart: Chart, shown_as: str, today: date, answers: Iterable[Fact]) -> bytes:
    """Returns the digest of everything that a decision and its cards follow from, but settings and rules."""
    read = [getattr(chart, name) for name in _READ]
    said = [(fact.kind, dict(fact.values), fact.sources) for fact in answers]
    return sha256(msgspec.json.encode((read, shown_as, today, said))).digest()


class Repeats:
    """Keeps the decisions of one revision of settings and rules; safe to use from several threads.

    One is given again for so many `seconds` after it was made, and never where anything was alarming.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, Decided]] = OrderedDict()

    def find(self, key: bytes) -> Decided | None:
        """Returns what was decided on this digest, None where nothing is kept."""
        with self._lock:
            self._forget()
            found = self._kept.get(key)
        return None if found is None else found[1]

    def keep(self, key: bytes, decided: Decided) -> None:
        """Keeps a decision in which both evaluations answered and agreed; forgets every other one."""
        if not self._seconds or decided.alarms:
            return
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (self._clock(), decided)
            self._forget()

    def _forget(self) -> None:
        """Forgets what is too old or too much; the oldest is the first."""
        end = self._clock() - self._seconds
        while self._kept:
            made, _ = next(iter(self._kept.values()))
            if made > end and len(self._kept) <= MOST:
                return
            self._kept.popitem(last=False)
