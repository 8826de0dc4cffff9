"""What the store remembers of a patient, asked while the record is pulled; its faults hold no advice back."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from cds_hooks import log
from cds_hooks.call import HookCall
from cds_hooks.trust import Caller
from plugin.advice.answers import answers
from plugin.errors import StoreError
from plugin.record import Pseudonyms
from plugin.sent import Answered
from plugin.settings import Settings
from plugin.store import Store
from plugin.turns import waiting
from rules.facts import Fact
from rules.language import Pack

THREADS = 4
SOON = 0.02
"""Seconds in which a database answers that nothing is wrong with."""
SHARE = 4
"""The part of the hook's deadline for which the store is waited for: a quarter."""


class Lost(NamedTuple):
    """An alarm that the store did not answer."""

    kind: str = "memory-unavailable"
    message: str = "earlier answers could not be read: advice is shown that may have been answered"


@dataclass(frozen=True)
class Remembered:
    """The answers of clinicians to earlier advice on a patient, or the alarm that they could not be read."""

    answers: tuple[Fact, ...] = ()
    alarms: tuple[Lost, ...] = ()


def _nothing() -> Remembered:
    return Remembered()


class Memory:
    """Asks the store for the answers to earlier advice; safe to use from several threads."""

    def __init__(self, store: Store, pseudonyms: Pseudonyms, pack: Pack, settings: Settings) -> None:
        self._store, self._pseudonyms, self._pack = store, pseudonyms, pack
        self._wanted = settings.cards.remember_answers
        self._zone = settings.site.zone
        self._patience = settings.service.hook_deadline / SHARE
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="vestige-memory")

    def patient(self, call: HookCall, caller: Caller) -> str:
        """Returns the pseudonym of a patient within one client, tenant and FHIR server.

        Equal ids of two hospitals are two patients: what one answered is never used for the other.
        """
        server = (call.fhir_server or "").rstrip("/")
        parts = (caller.issuer or "", caller.tenant or "", server, call.patient_id)
        return self._pseudonyms.of("Memory", "\0".join(f"{len(part)}:{part}" for part in parts))

    def ask(self, call: HookCall, caller: Caller) -> Callable[[], Remembered]:
        """Starts to ask and returns what waits for the result; a fault of the store is an alarm in it."""
        if not self._wanted:
            return _nothing
        asked = self._pool.submit(self._store.answered, self.patient(call, caller))
        end = time.monotonic() + self._patience

        def wait() -> Remembered:
            # Counted from the question: the store had the time of the pull already.
            return self._result(asked, max(0.0, end - time.monotonic()))

        return wait

    def _result(self, asked: Future[tuple[Answered, ...]], seconds: float) -> Remembered:
        try:
            return Remembered(answers(_soon(asked, seconds), self._pack, self._zone))
        except (StoreError, TimeoutError, ValueError, OverflowError) as error:
            # The last two: a row whose times no calendar holds.
            asked.cancel()
            log.fault(error, "memory")
            return Remembered(alarms=(Lost(),))

    def close(self) -> None:
        """Ends what waits for the store."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _soon(asked: Future[tuple[Answered, ...]], seconds: float) -> tuple[Answered, ...]:
    """Returns the result; keeps the turn while a database that is well answers, and no longer."""
    soon = min(seconds, SOON)
    with suppress(TimeoutError):
        return asked.result(soon)
    with waiting():
        return asked.result(seconds - soon)
