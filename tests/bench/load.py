"""Load over HTTP: one server, its calls, and the times of its answers; one answer that is not as expected ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from tests.bench.processes import processor_seconds

What = Literal["discovery", "patient-view"]
Head = Callable[[str], dict[str, str]]


class Unexpected(Exception):
    """A server answered with something else than the bench measures: no figure is worth anything then."""


def _nothing(_path: str) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Target:
    """One server under load: its addresses, the bodies sent in turn, and the headers of a request by its path.

    `ready` are the seconds from the start of its process to its first answer, `first` those of an earlier start that
    had to make the database (the same where there is none); an answer to a call that holds one
    of `never` is as wrong as another status.
    """

    name: str
    port: int
    pid: int
    ready: float
    discovery: str
    call: str
    bodies: tuple[bytes, ...]
    head: Head = _nothing
    first: float | None = None
    never: tuple[bytes, ...] = ()

    def asked(self, what: What) -> tuple[str, str, tuple[bytes, ...]]:
        """Returns method, path and bodies of one kind of request."""
        if what == "discovery":
            return "GET", self.discovery, ()
        return "POST", self.call, self.bodies


@dataclass(frozen=True)
class Row:
    """What one load gave: answers in a second up to the last one, and milliseconds.

    `cpu` are the milliseconds of processor time that the server and its child processes took for one answer.
    """

    server: str
    what: str
    connections: int
    answers: int
    seconds: float
    p50: float
    p99: float
    cpu: float

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.answers / self.seconds


@dataclass
class Connection:
    """A connection that stays open, over which one request after the other is asked."""

    target: Target
    what: What
    times: list[float] = field(default_factory=list)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connects."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.target.port)

    async def ask(self, number: int) -> None:
        """Asks once and keeps the time; raises Unexpected."""
        assert self._reader is not None
        assert self._writer is not None
        method, path, bodies = self.target.asked(self.what)
        content = bodies[number % len(bodies)] if bodies else b""
        head = {"Host": "127.0.0.1", "Content-Length": str(len(content)), **self.target.head(path)}
        if content:
            head["Content-Type"] = "application/json"
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        began = time.perf_counter()
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        answered = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answered.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        told = await self._reader.readexactly(length)
        self.times.append(time.perf_counter() - began)
        self._check(answered, told)

    async def close(self) -> None:
        """Disconnects."""
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    def _check(self, answered: bytes, told: bytes) -> None:
        wrong = next((one for one in self.target.never if one in told), None)
        if answered.startswith(b"HTTP/1.1 200 ") and wrong is None:
            return
        status = answered.split(b"\r\n", 1)[0].decode()
        what = f"holds {wrong.decode()}" if wrong is not None else status
        raise Unexpected(f"{self.target.name}, {self.what}: {what}: {told[:300].decode(errors='replace')}")


@asynccontextmanager
async def opened(target: Target, what: What, count: int) -> AsyncIterator[list[Connection]]:
    """Yields connections, open until the block ends."""
    made = [Connection(target, what) for _ in range(count)]
    try:
        for one in made:
            await one.open()
        yield made
    finally:
        for one in made:
            await one.close()


async def load(target: Target, what: What, connections: int, seconds: float) -> Row:
    """Asks over so many connections, each again once it has its answer; raises Unexpected.

    No request is begun after `seconds`; the rate counts the time up to the last answer.
    """
    async with opened(target, what, connections) as many:
        began, worked = time.perf_counter(), processor_seconds(target.pid)

        async def ask(one: Connection, number: int) -> None:
            # Bodies go round the connections: the same one is not sent by two at the same time.
            while time.perf_counter() < began + seconds:
                await one.ask(number)
                number += connections

        await together(ask(one, number) for number, one in enumerate(many))
        took, worked = time.perf_counter() - began, processor_seconds(target.pid) - worked
    times = sorted(time for one in many for time in one.times)
    cpu = 1000 * worked / len(times)
    return Row(target.name, what, connections, len(times), took, at(0.5, times), at(0.99, times), cpu)


async def together(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Does all of it; the first that raises Unexpected ends the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except* Unexpected as many:
        raise Unexpected(str(_first(many))) from None


def _first(many: BaseException) -> BaseException:
    return _first(many.exceptions[0]) if isinstance(many, BaseExceptionGroup) else many


def at(share: float, sorted_seconds: Sequence[float]) -> float:
    """Returns the milliseconds that a share of the answers kept to."""
    if not sorted_seconds:
        return float("nan")
    return 1000 * sorted_seconds[min(len(sorted_seconds) - 1, int(share * len(sorted_seconds)))]
