"""Times over HTTP: `python -m tests.bench.service_bench [--seconds S] [--only NAME] [--json]`.

Discovery and a patient-view call of 155 kB (100 Observations over 10 lesions in its prefetch), at 1, 8 and 32
connections, against one process of each server: a bare Starlette server that parses the body and answers a constant,
HealthChain with a constant card, and this service with its engines in-process and in the worker pool, each call decided anew
(200 patients in turn; once with every Observation sent by two keys, once with an ES384 token to be verified at each request),
and `again`: the same record at each call, so that its decision is given again. The load comes from this process over connections that stay open. The time to ready is from the
start of the process to the first 200 of /readyz, on a database that an earlier start has made. Figures of one run compare with each other, not with another run's.

Exit code 1, and no table, as soon as one answer is not what is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import uvloop

from tests.bench.calls import OBSERVATIONS, body
from tests.bench.load import Row, Target, Unexpected, load
from tests.bench.processes import family, resident
from tests.bench.started import bare, healthchain, vestige
from tests.cds_hooks.jwts import elliptic

CONNECTIONS = (1, 8, 32)
WARM_SECONDS = 2.0
Start = Callable[[], contextlib.AbstractContextManager[Target]]


def servers() -> dict[str, Start]:
    """Returns what can be measured, by name."""
    modes: dict[str, dict[str, Any]] = {
        "in-process": {"engine": "in-process"},
        "in-process, sent twice": {"engine": "in-process", "twice": True},
        "in-process, ES384": {"engine": "in-process", "client": elliptic()},
        "in-process, again": {"engine": "in-process", "patients": 1, "anew": False},
        "in-process, again, ES384": {
            "engine": "in-process",
            "patients": 1,
            "anew": False,
            "client": elliptic(),
        },
        "pool (default)": {"engine": "pool"},
    }
    ours = {name: (lambda name=name, how=how: vestige(name, **how)) for name, how in modes.items()}
    return {"bare Starlette": bare, "HealthChain": healthchain, **ours}


def measure(seconds: float, only: str | None) -> tuple[list[Row], dict[str, dict[str, float]]]:
    """Loads every server in turn; returns the rows, and seconds to ready and resident MB of each server."""
    rows: list[Row] = []
    facts: dict[str, dict[str, float]] = {}
    for name, start in servers().items():
        if only is not None and only != name:
            continue
        with start() as target:
            own, *children = family(target.pid)
            at_ready = resident(own)
            uvloop.run(load(target, "patient-view", 1, min(seconds, WARM_SECONDS)))
            for many in CONNECTIONS:
                rows.append(uvloop.run(load(target, "discovery", many, seconds)))
            for many in CONNECTIONS:
                rows.append(uvloop.run(load(target, "patient-view", many, seconds)))
            own, *children = family(target.pid)
            facts[name] = {
                "ready": target.ready,
                "first": target.ready if target.first is None else target.first,
                "MB at ready": at_ready,
                "MB": resident(own),
                "children MB": sum(resident(one) for one in children),
            }
    return rows, facts


def main() -> int:
    """Prints the table; returns 1 where an answer was not what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    parser.add_argument("--only", choices=sorted(servers()))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    before = os.getloadavg()[0]
    try:
        rows, facts = measure(chosen.seconds, chosen.only)
    except Unexpected as error:
        print(f"not measured: {error}", file=sys.stderr)
        return 1
    if chosen.json:
        told = [{**vars(row), "rate": row.rate} for row in rows]
        print(json.dumps({"rows": told, "servers": facts, "load": before}, indent=1))
    else:
        _print(rows, facts, before)
    return 0


def _print(rows: list[Row], facts: dict[str, dict[str, float]], load_before: float) -> None:
    base = {(row.what, row.connections): row.rate for row in rows if row.server == "bare Starlette"}
    sizes = (
        f"{len(body('bench-1')) / 1000:.0f} kB; sent twice {len(body('bench-1', OBSERVATIONS)) / 1000:.0f} kB"
    )
    print(f"body {sizes}; load average before {load_before:.1f}")
    print(
        f"{'server':26} {'what':13} {'conn':>4} {'req/s':>8} {'of bare':>8} {'p50 ms':>8} {'p99 ms':>8} {'cpu ms':>7}"
    )
    for row in rows:
        of = base.get((row.what, row.connections))
        share = f"{row.rate / of:8.3f}" if of else f"{'-':>8}"
        print(
            f"{row.server:26} {row.what:13} {row.connections:4} {row.rate:8.1f} {share} "
            f"{row.p50:8.2f} {row.p99:8.2f} {row.cpu:7.2f}"
        )
    for name, said in facts.items():
        print(
            f"{name:26} ready in {said['ready']:.2f} s ({said['first']:.2f} where the database is made), "
            f"{said['MB at ready']:.0f} MB resident then and {said['MB']:.0f} after the loads, "
            f"{said['children MB']:.0f} in its child processes"
        )


if __name__ == "__main__":
    sys.exit(main())
