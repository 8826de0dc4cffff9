"""Times of the pull: `python -m tests.bench.pull_bench [--rounds N] [--delay MS] [--json]`.

A call without prefetch asks a FHIR server in a process of its own, which answers each search after a fixed delay. Our
own share is the time of the whole pull less the slowest search, that is the time one search alone takes in the same
run; beside it the processor time of our process, all threads together. The server is known and connections are open,
as in a service that runs; rows are for an empty record and for one of 100 Observations, 20 studies and 10 lesions.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from plugin.pull import HookInput, Sessions, pull
from plugin.pull.client import Client
from plugin.pull.transport import Deadline
from plugin.settings import Fhir, FhirServer, Service, Settings
from tests.bench.reading_bench import PATIENT, patient

RECORDS = {"empty": 0, "100 Observations": 100}
PARALLEL = Fhir().parallel


def answers(observations: int) -> dict[str, bytes]:
    """The body for each resource type."""
    resources = patient(observations) if observations else [{"resourceType": "Patient", "id": PATIENT}]
    kinds = {one["resourceType"] for one in resources}
    found = {kind: [one for one in resources if one["resourceType"] == kind] for kind in kinds}
    bodies = {kind: json.dumps(searchset(many)).encode() for kind, many in found.items()}
    return {**bodies, "Patient": json.dumps(found["Patient"][0]).encode(), "metadata": statement()}


def searchset(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def statement() -> bytes:
    return json.dumps({"resourceType": "CapabilityStatement", "rest": []}).encode()


def serve(bodies: dict[str, bytes], delay: float, tell: Connection) -> None:
    """Answers every GET after the delay, until the process is ended."""
    nothing = json.dumps(searchset([])).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                kind = (
                    head.split(b" ", 2)[1].decode().removeprefix("/fhir/").partition("?")[0].partition("/")[0]
                )
                # All codes are asked for apart from the category: one of the searches finds the Observations.
                whole = kind != "Observation" or b"category=imaging" in head
                body = bodies.get(kind, nothing) if whole else nothing
                await asyncio.sleep(delay)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"
                    % len(body)
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=256)
        tell.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def serving(observations: int, delay: float) -> Iterator[str]:
    """Runs the server; yields its base."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(answers(observations), delay, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/fhir"
    finally:
        process.terminate()
        process.join()


def measure(base: str, rounds: int, parallel: int = PARALLEL) -> dict[str, list[float]]:
    """Returns, in milliseconds, the whole pull, one search alone, our own share and the processor time."""
    fhir = Fhir(
        servers=(FhirServer(base=base, open=True),), budget=30.0, read_timeout=30.0, parallel=parallel
    )
    settings = Settings(service=Service(open=True), fhir=fhir)
    sessions = Sessions(settings)
    call = HookInput(hook="patient-view", patient_id=PATIENT, fhir_server=base)
    server = sessions.server(fhir.servers[0])
    client = Client(session=server.session, base=base, limits=fhir, deadline=Deadline(600))
    times: dict[str, list[float]] = {"pull": [], "search": [], "own share": [], "processor": []}
    for number in range(rounds + 3):
        gc.collect()
        start = time.perf_counter()
        client.get(f"Observation?patient={PATIENT}&category=imaging")
        alone = time.perf_counter() - start
        worked, start = time.process_time(), time.perf_counter()
        pull(call, settings, sessions)
        whole, used = time.perf_counter() - start, time.process_time() - worked
        if number >= 3:  # the first open connections and learn what the server can do
            row = {"pull": whole, "search": alone, "own share": whole - alone, "processor": used}
            for name, seconds in row.items():
                times[name].append(seconds * 1000)
    sessions.close()
    return times


def at(times: list[float], share: float) -> float:
    """Returns the time that so large a share of the rounds stays within."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--delay", type=float, default=30.0, help="milliseconds until the server answers")
    parser.add_argument("--parallel", type=int, default=PARALLEL, help="searches at once")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = {}
    for name, observations in RECORDS.items():
        with serving(observations, options.delay / 1000) as base:
            times = measure(base, options.rounds, options.parallel)
        table[name] = {step: {"p50": at(each, 0.5), "p99": at(each, 0.99)} for step, each in times.items()}
    if options.json:
        print(json.dumps(table))
        return
    print("record              " + "  ".join(f"{step:>15}" for step in table["empty"]) + "   (p50 / p99, ms)")
    for name, row in table.items():
        print(f"{name:18}  " + "  ".join(f"{v['p50']:7.2f}/{v['p99']:7.2f}" for v in row.values()))


if __name__ == "__main__":
    main()
