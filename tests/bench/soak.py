"""The service under steady load: `python -m tests.bench.soak [--minutes M] [--share 0.7] [--growth 0.1]`.

Measures first how many patient-view calls of 155 kB a second the service answers (default settings, 8 connections), then
sends a share of that at even intervals, 200 patients in turn, whether or not earlier answers have come. Memory of the
service and of its child processes, open files, threads and waiting records are sampled every few seconds; a line is
printed for each tenth of the time. The rule engines alone are soaked by `python -m tests.rules.soak`.

Exit code 1 where one call was not answered as expected (refused, late, empty), or where memory at the end (the median of
the last fifth) is larger than after the warm-up (the median of the second fifth) by more than the share `--growth`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests
import uvloop

from tests.bench.load import Connection, Target, Unexpected, at, load, opened, together
from tests.bench.processes import family, resident
from tests.bench.started import vestige

CONNECTIONS = 8
CAPACITY_SECONDS = 15.0
SAMPLE_SECONDS = 3.0
LINES = 10
WAITING = "vestige_records_waiting"


@dataclass(frozen=True)
class Sample:
    """The service at one moment: MB of its process and of its child processes, what it has open, what waits."""

    second: float
    own: float
    children: float
    files: int
    threads: int
    waiting: int

    @property
    def both(self) -> float:
        """MB of all its processes."""
        return self.own + self.children


def sample(target: Target, began: float) -> Sample:
    """Returns how the service is now."""
    own, *children = family(target.pid)
    process = Path(f"/proc/{own}")
    return Sample(
        second=time.perf_counter() - began,
        own=resident(own),
        children=sum(resident(one) for one in children),
        files=len(list((process / "fd").iterdir())),
        threads=len(list((process / "task").iterdir())),
        waiting=_waiting(target),
    )


def _waiting(target: Target) -> int:
    text = requests.get(f"http://127.0.0.1:{target.port}/metrics", timeout=60).text
    return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith(f"{WAITING} "))


@dataclass
class Soak:
    """What a soak gave so far."""

    calls: int = 0
    times: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def growth(self) -> float:
        """Memory of the last fifth over that of the second, less one."""
        each = max(1, len(self.samples) // 5)
        before = statistics.median(one.both for one in self.samples[each : 2 * each] or self.samples)
        after = statistics.median(one.both for one in self.samples[-each:])
        return after / before - 1


async def soaked(target: Target, rate: float, seconds: float, tell: Callable[[Soak], None]) -> Soak:
    """Sends so many calls a second for so long, and returns what that gave; raises Unexpected."""
    found, began = Soak(), time.perf_counter()
    # As many connections as calls are answered at once: what would come beyond waits here, as at a proxy.
    async with opened(target, "patient-view", 2 * CONNECTIONS) as many:
        free: asyncio.Queue[Connection] = asyncio.Queue()
        for one in many:
            free.put_nowait(one)

        async def ask(connection: Connection, number: int) -> None:
            await connection.ask(number)
            found.times.append(connection.times.pop())
            free.put_nowait(connection)

        async def send() -> None:
            async with asyncio.TaskGroup() as group:
                while time.perf_counter() - began < seconds:
                    await asyncio.sleep(max(0.0, began + found.calls / rate - time.perf_counter()))
                    group.create_task(ask(await free.get(), found.calls))
                    found.calls += 1

        await together([send(), _watch(target, found, began, seconds, tell)])
    return found


async def _watch(
    target: Target, found: Soak, began: float, seconds: float, tell: Callable[[Soak], None]
) -> None:
    told = 0
    while (now := time.perf_counter() - began) < seconds:
        found.samples.append(await asyncio.to_thread(sample, target, began))
        if now * LINES / seconds >= told + 1:
            told += 1
            tell(found)
        await asyncio.sleep(SAMPLE_SECONDS)
    tell(found)


class Table:
    """Prints a line for what came since the last one."""

    def __init__(self) -> None:
        self._told = 0
        print(
            f"{'second':>7} {'calls':>7} {'p50 ms':>8} {'p99 ms':>8} {'MB':>7} {'MB children':>11} "
            f"{'files':>6} {'threads':>7} {'records waiting':>15}",
            flush=True,
        )

    def __call__(self, found: Soak) -> None:
        """Prints the line."""
        times, last = sorted(found.times[self._told :]), found.samples[-1]
        self._told = len(found.times)
        print(
            f"{last.second:7.0f} {len(times):7} {at(0.5, times):8.1f} {at(0.99, times):8.1f} {last.own:7.1f} "
            f"{last.children:11.1f} {last.files:6} {last.threads:7} {last.waiting:15}",
            flush=True,
        )


def main() -> int:
    """Prints capacity, lines and the verdict; returns 1 where a call failed or memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--share", type=float, default=0.7, help="of the capacity that is measured first")
    parser.add_argument("--growth", type=float, default=0.1, help="share by which memory may grow")
    parser.add_argument("--engine", choices=("pool", "in-process"), default="pool")
    parser.add_argument("--json", action="store_true", help="prints the samples at the end, too")
    chosen = parser.parse_args()
    try:
        with vestige(f"{chosen.engine}, soaked", chosen.engine) as target:
            capacity = uvloop.run(load(target, "patient-view", CONNECTIONS, CAPACITY_SECONDS)).rate
            rate = chosen.share * capacity
            print(f"capacity {capacity:.1f} calls/s; {rate:.1f} calls/s for {chosen.minutes:g} minutes")
            found = uvloop.run(soaked(target, rate, 60 * chosen.minutes, Table()))
    except Unexpected as error:
        print(f"a call failed: {error}", file=sys.stderr)
        return 1
    if chosen.json:
        print(json.dumps([vars(one) for one in found.samples]))
    growth = found.growth()
    print(f"{len(found.times)} of {found.calls} calls answered; memory grew by {100 * growth:.1f} %")
    if growth > chosen.growth:
        print(f"memory grew by more than {100 * chosen.growth:g} %", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
