"""The evaluator: facts in, findings out, by two evaluations that must agree."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Literal, Protocol

from rules.admission import Admission, Admitted
from rules.agreement import differing
from rules.crosscheck import Reference
from rules.engine import DurableEngine
from rules.errors import EngineFault
from rules.evaluation import Alarm, AlarmKind, Derived, Evaluation
from rules.facts import Fact
from rules.language.model import Pack, Statement
from rules.pool import Pool
from rules.telling import Teller
from rules.trace import Trace

Mode = Literal["pool", "in-process", "reference"]
DURABLE, REFERENCE = "durable", "reference"

__all__ = ["Alarm", "AlarmKind", "Derived", "Evaluation", "Evaluator", "Mode"]


class _Engine(Protocol):
    def evaluate(self, admitted: Admitted, timeout: float) -> Trace: ...

    def alarms(self) -> tuple[Alarm, ...]: ...

    def wait(self, _timeout: float, /) -> bool: ...

    def close(self) -> None: ...


class Evaluator:
    """Evaluates facts with a pack, safe to use from several threads.

    `pool` runs durable_rules in worker processes, `in-process` in this one, `reference` not at all.
    `timeout` is in seconds, for each of the two evaluations.
    """

    def __init__(
        self, pack: Pack, *, mode: Mode = "in-process", workers: int = 1, timeout: float = 2.0
    ) -> None:
        self._setup(pack, pack.statements.values(), mode, workers, timeout, any_kind=False)

    @classmethod
    def alone(cls, pack: Pack, statements: Iterable[Statement], *, mode: Mode = "in-process") -> Evaluator:
        """Returns an evaluator of some statements only, for facts of any kind (for test tables)."""
        evaluator = cls.__new__(cls)
        evaluator._setup(pack, statements, mode, 1, 10.0, any_kind=True)
        return evaluator

    def _setup(
        self,
        pack: Pack,
        statements: Iterable[Statement],
        mode: Mode,
        workers: int,
        timeout: float,
        *,
        any_kind: bool,
    ) -> None:
        self.pack = pack
        self.statements = tuple(statements)
        self.timeout = timeout
        self.admission = Admission(pack, any_kind=any_kind)
        self.reference = Reference(pack, self.statements)
        self.teller = Teller(pack, self.statements)
        self.engine: _Engine | None = None
        if mode == "in-process":
            self.engine = InProcess(pack, self.statements)
        elif mode == "pool":
            self.engine = Pool(pack, workers)

    def evaluate(self, facts: Sequence[Fact]) -> Evaluation:
        """Returns findings and derived facts; raises FactError, or an EngineFault where neither evaluation
        answers."""
        admitted = self.admission.admit(facts)
        durable = _Durable(self.engine, admitted, self.timeout)
        fault: EngineFault | None = None
        try:
            second = self.reference.evaluate(admitted, self.timeout)
        except EngineFault as error:
            fault = error
        finally:
            # Whatever became of the second evaluation, a worker that was asked is heard.
            first, alarms = durable.answer()
        if fault is not None:
            if first is None:
                raise fault
            alarms += (Alarm("engine-unavailable", f"the reference evaluation did not answer: {fault}"),)
            return self.teller.tell(admitted, first, (), alarms, (DURABLE,))
        if first is None:
            return self.teller.tell(admitted, second, (), alarms, (REFERENCE,))
        differs = differing(first, second)
        return self.teller.tell(admitted, first, differs, alarms, (DURABLE, REFERENCE))

    def wait(self, timeout: float) -> bool:
        """Says whether durable_rules is ready to answer, after waiting at most so many seconds."""
        return self.engine is None or self.engine.wait(timeout)

    def close(self) -> None:
        """Ends the worker processes and gives the engine's memory back."""
        if self.engine is not None:
            self.engine.close()

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Durable:
    """Is the first evaluation of some facts: a worker is asked and answers later, an engine of this process
    is done at once."""

    def __init__(self, engine: _Engine | None, admitted: Admitted, timeout: float) -> None:
        self.engine = engine
        self.fault: EngineFault | None = None
        self.trace: Callable[[], Trace | None] = _nothing
        try:
            if isinstance(engine, Pool):
                self.trace = engine.begin(admitted, timeout)
            elif engine is not None:
                trace = engine.evaluate(admitted, timeout)
                self.trace = lambda: trace
        except EngineFault as fault:
            self.fault = fault

    def answer(self) -> tuple[Trace | None, tuple[Alarm, ...]]:
        """Returns the trace, None where there is none, and what an operator must know of it."""
        if self.engine is None:
            return None, ()
        try:
            if self.fault is not None:
                raise self.fault
            trace = self.trace()
        except EngineFault as fault:
            unavailable = Alarm("engine-unavailable", f"durable_rules did not answer: {fault}")
            return None, (unavailable, *self.engine.alarms())
        return trace, self.engine.alarms()


def _nothing() -> None:
    return None


class InProcess:
    """Runs durable_rules in this process, one evaluation at a time; builds it anew after a fault."""

    def __init__(self, pack: Pack, statements: Sequence[Statement]) -> None:
        self.pack, self.statements = pack, statements
        self.lock = threading.Lock()
        self.engine = DurableEngine(pack, statements)

    def evaluate(self, admitted: Admitted, timeout: float) -> Trace:
        """Returns the engine's trace."""
        with self.lock:
            if self.engine.broken:
                self.engine = DurableEngine(self.pack, self.statements)
            return self.engine.evaluate(admitted, timeout)

    def alarms(self) -> tuple[Alarm, ...]:
        """Returns nothing: there is no worker to restart."""
        return ()

    def wait(self, _timeout: float) -> bool:
        """Returns True: it is ready once it is made."""
        return True

    def close(self) -> None:
        """Gives the engine's memory back."""
        with self.lock:
            self.engine.close()
