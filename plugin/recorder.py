"""What brings records to the database behind the answers, and what becomes of them while it is away."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from plugin.errors import StoreError, StoreRefusal
from plugin.record import Entry
from plugin.spool import Left, Spool, left_behind, line_of, set_aside
from plugin.store import Store

# What is held in memory where neither the spool nor the database takes it.
HELD = 1000
RETRY_SECONDS = 1.0
LOOK_SECONDS = 30.0
# What comes within this time goes to the disk and to the database together.
GATHER_SECONDS = 0.05
PORTION = 50

Policy = Literal["spool", "refuse"]
Tell = Callable[[str, BaseException | None], None]


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """How the records stand: how many wait on disk and in memory, and what went wrong since the start.

    `away` says that the database did not take the last portion; `aside` counts what it will never take and
    was put into a file beside the spool.
    """

    waiting: int
    spool_bytes: int
    held: int
    away: bool
    faults: int
    lost: int
    aside: int


class Recorder:
    """Keeps entries of several threads, in order, in the spool and then in the database.

    An entry is recorded when `keep` returns: it is in the spool, which outlives this process, and the disk is
    told to have it right after. A database in memory has no spool. `tell` is called with what changed for the
    worse or the better.
    """

    def __init__(self, store: Store, folder: Path | None, *, policy: Policy, limit: int, tell: Tell) -> None:
        self._store, self._folder, self._policy, self._tell = store, folder, policy, tell
        self._spool = None if folder is None else Spool(folder, store.worker, limit)
        self._held: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._away, self._faults, self._lost, self._aside = False, 0, 0, 0
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="vestige-records", daemon=True)
        self._thread.start()

    def require(self) -> None:
        """Raises StoreError where calls are refused while the database is away, and it is."""
        if self._policy == "refuse" and self._away:
            raise StoreError("the database is away, and calls are refused until it takes records again")

    def keep(self, entry: Entry) -> None:
        """Keeps one entry, or raises StoreError where it could not."""
        try:
            self._keep(entry)
        finally:
            self._wake.set()

    def state(self) -> Recording:
        """Returns how the records stand."""
        spool = self._spool
        return Recording(
            waiting=(0 if spool is None else spool.waiting) + len(self._held),
            spool_bytes=0 if spool is None else spool.size,
            held=len(self._held),
            away=self._away,
            faults=self._faults,
            lost=self._lost,
            aside=self._aside,
        )

    def close(self, seconds: float = 3.0) -> None:
        """Brings to the database what waits, as far as the time allows; the rest stays in the spool."""
        self._ending.set()
        self._wake.set()
        self._thread.join(seconds)
        if self._spool is not None and not self._thread.is_alive():
            self._spool.close()

    def _keep(self, entry: Entry) -> None:
        with self._lock:
            if self._ending.is_set():
                self._lost += 1
                raise StoreError("the service is ending and takes no more records")
            fault: OSError | None = None
            # Behind what is held, so that the order stays.
            if self._spool is not None and not self._held:
                try:
                    self._spool.add(entry)
                    return
                except OSError as error:
                    fault = error
            if self._policy == "refuse" and self._spool is not None:
                self._lost += 1
                raise StoreError("the spool cannot be written, and calls are refused until it can") from fault
            if len(self._held) >= HELD:
                self._lost += 1
                raise StoreError("neither the database nor the spool nor memory takes a record") from fault
            self._held.append(entry)
        if self._spool is not None:
            self._faults += 1
            self._tell("records-held-in-memory", fault)

    def _run(self) -> None:
        look = True
        while True:
            try:
                if look:
                    self._bring_left()
                self._bring_own()
            except StoreError as error:
                self._failed(error)
            except Exception as error:  # noqa: BLE001 - a thread that ends would end the records; it is told and tried again
                self._failed(error)
            if self._ending.is_set():
                return
            if self._away:
                self._ending.wait(RETRY_SECONDS)
                look = True
            else:
                look = not self._wake.wait(LOOK_SECONDS)
                self._ending.wait(GATHER_SECONDS)
                self._wake.clear()

    def _bring_own(self) -> None:
        spool = self._spool
        while spool is not None and (lines := self._portion(spool)):
            self._bring([one for one in lines if isinstance(one, Entry)], self._store.worker)
            for line in lines:
                if isinstance(line, bytes):
                    self._put_aside(self._store.worker, line, None)
            spool.take(len(lines))
            self._worked()
        while self._held:
            entries = list(self._held)[:PORTION]
            self._bring(entries, self._store.worker)
            for _ in entries:
                self._held.popleft()
            self._worked()

    def _portion(self, spool: Spool) -> list[Entry | bytes]:
        try:
            spool.sync()
        except OSError as error:
            self._faults += 1
            self._tell("spool-not-synced", error)
        return spool.portion()

    def _bring_left(self) -> None:
        if self._folder is None:
            return
        for left in left_behind(self._folder):
            self._bring_all(left)
            left.remove()
            self._worked()

    def _bring_all(self, left: Left) -> None:
        portion: list[Entry] = []
        spoilt: list[bytes] = []
        for entry in left.entries():
            if isinstance(entry, bytes):
                spoilt.append(entry)
                continue
            portion.append(entry)
            if len(portion) == PORTION:
                self._bring(portion, left.worker)
                portion = []
        if portion:
            self._bring(portion, left.worker)
        for line in spoilt:
            # Torn by a crash, its answer had not left; changed by anybody, it is for a person to see.
            self._put_aside(left.worker, line, None)
        self._tell("spool-left-behind-was-kept", None)

    def _bring(self, entries: Sequence[Entry], worker: str) -> None:
        try:
            self._store.keep(entries, worker)
        except StoreRefusal as error:
            if len(entries) > 1:
                for entry in entries:
                    self._bring([entry], worker)
                return
            self._put_aside(worker, line_of(entries[0]), error)

    def _put_aside(self, worker: str, line: bytes, error: BaseException | None) -> None:
        self._aside += 1
        self._tell("record-put-aside", error)
        if self._folder is not None:
            set_aside(self._folder, worker, line)

    def _failed(self, error: BaseException) -> None:
        self._faults += 1
        if not self._away:
            self._away = True
            self._tell("database-away", error)

    def _worked(self) -> None:
        if self._away:
            self._away = False
            self._tell("database-back", None)
