"""Settings and rules read anew while calls are answered: one revision in force, then another in its place."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from cds_hooks import log
from cds_hooks.app import Workers, app_of, lend, workers
from cds_hooks.desk import Desk
from cds_hooks.kept import Kept
from cds_hooks.rulebook import check_tables
from cds_hooks.usecase import UseCase
from plugin.errors import StoreError, VestigeError
from plugin.settings import Settings, checked
from plugin.settings_changes import changed, kept, marks, takes_restart
from rules.errors import RulesError

RETIRE_SECONDS = 10.0
T = TypeVar("T")


class Revision:
    """Settings, rules, trust and evaluator that belong together, as one application; it never changes."""

    def __init__(self, settings: Settings, outlives: Kept, before: Desk | None = None) -> None:
        self.settings = settings
        self.usecase = UseCase(settings, outlives)
        try:
            self.desk = Desk(settings, self.usecase, before)
            self.app = app_of(self.desk)
        except BaseException:
            self.usecase.retire()
            raise


class Reloading:
    """The service whose settings and rules are read anew at `ask`; an ASGI application.

    `read` returns the settings as they are on disk and in the environment now, or raises SettingsError. A
    call ends with the revision that it began with; where something cannot be used nothing is taken.
    """

    def __init__(self, read: Callable[[], Settings], *, on_hangup: bool = False) -> None:
        self._read = read
        self._on_hangup = on_hangup
        settings = read()
        self._kept = Kept(settings)
        try:
            self._current = Revision(settings, self._kept)
        except BaseException:
            self._kept.close()
            raise
        self._workers: Workers | None = None
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._retiring: list[threading.Thread] = []
        self._life = Starlette(lifespan=self._lifespan)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._current.settings

    @property
    def desk(self) -> Desk:
        """The desk in force."""
        return self._current.desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on to the revision that is in force as it comes, and stays with it."""
        if scope["type"] == "lifespan":
            await self._life(scope, receive, send)
            return
        current = self._current
        with current.desk.in_use:
            await current.app(scope, receive, send)

    def ask(self) -> None:
        """Has settings and rules read anew, soon; from any thread, once it serves."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked.set)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        with workers(self._current.desk) as self._workers:
            lend(self._current.app, self._workers)
            reloads = asyncio.create_task(self._reloads())
            self._loop = asyncio.get_running_loop()
            if self._on_hangup:
                self._loop.add_signal_handler(signal.SIGHUP, self.ask)
            yield
            reloads.cancel()
        self._current.desk.gate.close()
        self._current.usecase.retire()
        for thread in self._retiring:
            thread.join(RETIRE_SECONDS)
        self._kept.close()

    async def _reloads(self) -> None:
        while True:
            await self._asked.wait()
            # A signal from here on asks once more: what it is about may not be read any more.
            self._asked.clear()
            try:
                await self._reload()
            except Exception as error:  # noqa: BLE001 - a fault of a reload must not end the service; it is an alarm
                await self._refuse(f"a fault, error-id {log.fault(error, 'reload')}")

    async def _reload(self) -> None:
        try:
            after, waiting = await _apart(self._prepared)
        except (VestigeError, RulesError) as error:
            await self._refuse(str(error))
            return
        before, self._current = self._current, after
        keys = changed(before.usecase.marks, after.usecase.marks)
        after.desk.reloads.refused, after.desk.reloads.waiting = None, waiting
        after.desk.metrics.set_refused(False)
        after.desk.metrics.count("vestige_reloads_total", outcome="taken")
        log.settings_line(
            "taken",
            rules=after.desk.revision,
            changed=",".join(keys) or "nothing",
            restart=",".join(waiting) or "no",
        )
        await _apart(partial(self._note, after, "reloaded", keys, _waits(waiting)))
        before.desk.in_use.retire(lambda: self._retire(before))

    def _prepared(self) -> tuple[Revision, tuple[str, ...]]:
        """Returns the revision on disk, ready to answer, and the keys that wait for a restart."""
        wanted, current = self._read(), self._current
        settings = checked(kept(current.settings, wanted))
        check_tables(settings, current.usecase.marks["rules.pack"])
        waiting = takes_restart(changed(self._kept.marks, marks(wanted)))
        revision = Revision(settings, self._kept, current.desk)
        assert self._workers is not None
        lend(revision.app, self._workers)
        return revision, waiting

    async def _refuse(self, reason: str) -> None:
        current = self._current
        log.settings_alarm(reason)
        current.desk.reloads.refused = time.time()
        current.desk.metrics.set_refused(True)
        current.desk.metrics.count("vestige_reloads_total", outcome="refused")
        await _apart(partial(self._note, current, "reload-refused", (), (" ".join(reason.split()),)))

    def _note(self, revision: Revision, outcome: str, keys: tuple[str, ...], alarms: tuple[str, ...]) -> None:
        try:
            revision.usecase.note_change(outcome, keys, alarms)
        except StoreError as error:
            log.fault(error, "record")
            revision.desk.metrics.count("vestige_records_lost_total")

    def _retire(self, revision: Revision) -> None:
        """Ends a revision that nobody uses, off the event loop: its worker processes are waited for."""
        thread = threading.Thread(target=_end, args=(revision,), name="vestige-retire", daemon=True)
        self._retiring = [one for one in self._retiring if one.is_alive()] + [thread]
        thread.start()


def _apart(work: Callable[[], T]) -> asyncio.Future[T]:
    """Returns the result to come of work in a thread of its own, which keeps no process from ending."""
    result = Future[T]()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            result.set_exception(error)

    threading.Thread(target=run, name="vestige-reload", daemon=True).start()
    return asyncio.wrap_future(result)


def _end(revision: Revision) -> None:
    revision.usecase.retire()
    # What was frozen with the earlier revision is garbage now.
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _waits(keys: tuple[str, ...]) -> tuple[str, ...]:
    return (f"these wait for a restart: {', '.join(keys)}",) if keys else ()
