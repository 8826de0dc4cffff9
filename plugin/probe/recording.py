"""Clients that note what they read, and clients that read from notes: the seam of `Sessions.clients`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from plugin.chart import GapReason
from plugin.errors import FhirError
from plugin.pull.client import Client


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One link that was read, below the base: its resource, or why there was none."""

    link: str
    resource: Mapping[str, Any] | None = None
    reason: GapReason | None = None
    detail: str = ""
    milliseconds: float = 0.0


class Readings:
    """What was read, in order; safe to use from several threads."""

    def __init__(self, readings: tuple[Reading, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._all: list[Reading] = list(readings)

    def __iter__(self) -> Iterator[Reading]:
        with self._lock:
            return iter(tuple(self._all))

    def add(self, reading: Reading) -> None:
        """Adds one reading."""
        with self._lock:
            self._all.append(reading)

    def clear(self) -> None:
        """Forgets all of it."""
        with self._lock:
            self._all.clear()

    def of(self, link: str) -> Reading | None:
        """Returns the last reading of a link, or None."""
        return next((one for one in reversed(tuple(self)) if one.link == link), None)


@dataclass(frozen=True, kw_only=True)
class RecordingClient(Client):
    """A client that notes every link it read in `readings`."""

    readings: Readings = field(repr=False)

    def get(self, link: str) -> Mapping[str, Any]:
        """Returns the resource behind a link, as `Client.get` does, and notes it or the fault."""
        started = time.monotonic()
        try:
            found = super().get(link)
        except FhirError as error:
            self._note(link, started, None, error)
            raise
        self._note(link, started, found, None)
        return found

    def _note(
        self, link: str, started: float, found: Mapping[str, Any] | None, error: FhirError | None
    ) -> None:
        self.readings.add(
            Reading(
                link=link,
                resource=found,
                reason=None if error is None else error.reason,
                detail="" if error is None else error.detail,
                milliseconds=(time.monotonic() - started) * 1000,
            )
        )


@dataclass(frozen=True, kw_only=True)
class ReplayingClient(Client):
    """A client that asks nobody: it answers from `readings`, and refuses what they do not hold."""

    readings: Readings = field(repr=False)

    def get(self, link: str) -> Mapping[str, Any]:
        """Returns what was read behind a link; raises the fault that was noted, or "not-fetched"."""
        found = self.readings.of(link)
        if found is None:
            raise FhirError(GapReason.NOT_FETCHED, "the capture does not hold this answer")
        if found.resource is None:
            raise FhirError(found.reason or GapReason.NOT_FETCHED, found.detail)
        return found.resource
