"""durable_rules in worker processes: a crash or an endless loop inside the engine costs one answer, not the
service."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess

from rules.admission import Admission, Admitted
from rules.engine import DurableEngine
from rules.errors import EngineFault, EngineLost, EngineStarting, EngineTimeout, RulesError
from rules.evaluation import Alarm
from rules.language.model import Pack
from rules.trace import Trace

START_TIMEOUT = 30.0
COLLECTED = 50_000
"""Objects made and not freed after which a worker looks for cycles."""
GRACE = 0.25
"""Seconds beyond its own time limit before a worker counts as hanging."""


class Pool:
    """Owns the workers; every call has one for itself, and one that died or hangs is replaced."""

    def __init__(self, pack: Pack, workers: int) -> None:
        if workers < 1:
            raise ValueError("a pool needs at least one worker")
        self.pack = pack
        self.context = multiprocessing.get_context("spawn")
        self.free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self.all = [_Worker(pack, self.context) for _ in range(workers)]
        self.restarted = queue.SimpleQueue[str]()
        self.lock = threading.Lock()
        for worker in self.all:
            self.free.put(worker)

    def evaluate(self, admitted: Admitted, timeout: float) -> Trace:
        """Returns a worker's trace; raises an EngineFault where none answers in time."""
        return self.begin(admitted, timeout)()

    def begin(self, admitted: Admitted, timeout: float) -> Callable[[], Trace]:
        """Hands facts to a worker and returns what waits for its trace, to be called once; both raise an
        EngineFault where there is none in time."""
        try:
            worker = self.free.get(timeout=timeout)
        except queue.Empty:
            raise EngineTimeout("every worker is busy") from None
        deadline = time.monotonic() + timeout
        with self.watched(worker, held=True):
            worker.ask(admitted, timeout, deadline)
        return partial(self.finish, worker, deadline)

    def finish(self, worker: _Worker, deadline: float) -> Trace:
        """Returns the trace of a worker that was asked, and frees it."""
        with self.watched(worker):
            return worker.answer(deadline)

    @contextmanager
    def watched(self, worker: _Worker, *, held: bool = False) -> Iterator[None]:
        """Frees a worker at the end (one to be `held`, only where something went wrong); after a fault
        another takes its place."""
        done = False
        try:
            yield
            done = True
        except EngineStarting:
            raise
        except EngineFault as fault:
            # Whatever went wrong, the process is given up: its memory cannot be trusted any more.
            worker = self.replace(worker)
            self.restarted.put(type(fault).__name__)
            raise
        finally:
            if not (held and done):
                self.free.put(worker)

    def replace(self, worker: _Worker) -> _Worker:
        """Ends a worker and returns another in its place."""
        worker.end()
        new = _Worker(self.pack, self.context)
        with self.lock:
            self.all[self.all.index(worker)] = new
        return new

    def wait(self, timeout: float) -> bool:
        """Says whether every worker is ready, after waiting at most so many seconds for them."""
        deadline = time.monotonic() + timeout
        with self.lock:
            workers = list(self.all)
        return all(worker.wait(deadline) for worker in workers)

    def alarms(self) -> tuple[Alarm, ...]:
        """Returns the restarts since the last call."""
        found: list[Alarm] = []
        while not self.restarted.empty():
            found.append(
                Alarm("worker-restarted", f"a worker process was replaced after {self.restarted.get()}")
            )
        return tuple(found)

    def close(self) -> None:
        """Ends every worker."""
        for worker in self.all:
            worker.end()


class _Worker:
    def __init__(self, pack: Pack, context: SpawnContext) -> None:
        self.connection, other = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(other,), daemon=True)
        self.process.start()
        other.close()
        # More than a pipe holds: whoever sends it waits until the process is there and reads it.
        self.handing = threading.Thread(target=self.hand_over, args=(pickle.dumps(pack),), daemon=True)
        self.handing.start()
        self.started = time.monotonic()
        self.ready = False
        self.lock = threading.Lock()

    def hand_over(self, pack: bytes) -> None:
        """Gives the process its rules."""
        # A process that has gone is noticed by whoever asks it.
        with suppress(OSError):
            self.connection.send_bytes(pack)

    def ask(self, admitted: Admitted, timeout: float, deadline: float) -> None:
        """Hands facts to the process; raises an EngineFault where it is gone or not ready."""
        try:
            if not self.wait(deadline):
                self.refuse_late_start()
            # The worker has the rows of the tables, and no use for what the facts rest on.
            self.connection.send((admitted.facts, bool(admitted.constants), timeout))
        except (EOFError, OSError) as error:
            raise self.lost(error) from error

    def answer(self, deadline: float) -> Trace:
        """Returns the trace of the facts it was asked for."""
        try:
            answer = self.receive(deadline)
        except (EOFError, OSError) as error:
            raise self.lost(error) from error
        if not isinstance(answer, Trace):
            raise EngineLost("the worker process answered something else than a trace")
        return answer

    def lost(self, error: Exception) -> EngineLost:
        return EngineLost(f"the worker process died ({type(error).__name__})")

    def wait(self, deadline: float) -> bool:
        """Says whether the process has read its rules, after waiting for it until the deadline."""
        with self.lock:
            if not self.ready and self.connection.poll(max(0.0, deadline - time.monotonic())):
                self.receive(deadline)
                self.ready = True
            return self.ready

    def refuse_late_start(self) -> None:
        """A start may take longer than one call has; only one that takes far too long is given up."""
        if time.monotonic() - self.started < START_TIMEOUT:
            raise EngineStarting("the worker process is still starting")
        raise EngineTimeout("the worker process did not start")

    def receive(self, deadline: float) -> object:
        if not self.connection.poll(max(0.0, deadline - time.monotonic()) + GRACE):
            raise EngineTimeout("the worker process did not answer in time")
        answer: object = self.connection.recv()
        if isinstance(answer, RulesError):
            raise answer
        return answer

    def end(self) -> None:
        self.process.kill()
        # Nobody writes to a connection that is being closed: its number may be another file's at once.
        self.handing.join(5)
        self.connection.close()
        self.process.join(5)


def _serve(connection: Connection) -> None:
    """Reads a pack and answers evaluations until the other end is closed; a fault ends the process."""
    if hasattr(signal, "SIGHUP"):
        # The service reads its settings anew at this signal, which may be sent to all of its processes.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        pack: Pack = connection.recv()
        engine = DurableEngine(pack)
        tables = Admission(pack).constants
        # What stays for good is not looked at by the garbage collector again.
        gc.collect()
        gc.freeze()
        # An evaluation makes thousands of objects and hardly a cycle: not worth looking for several times.
        gc.set_threshold(COLLECTED)
        connection.send("ready")
        while True:
            facts, with_tables, timeout = connection.recv()
            admitted = Admitted(tables if with_tables else (), facts, ())
            connection.send(engine.evaluate(admitted, timeout))
    except EngineFault as fault:
        connection.send(fault)
    except EOFError:
        return
