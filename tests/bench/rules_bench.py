"""Times of the rule engines: `python -m tests.bench.rules_bench [--rounds N]`.

80 rules in one stratum (`flat`) and 80 statements in six strata (`layered`: derivations, rules with and without
`unless`, decision lists) on 10 to 200 facts of invented lesions, every round on other facts; then the packaged rules on
every sample patient.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from cds_hooks.process import collect_seldom
from fhir_profiles.read import unbundle
from fhir_profiles.samples import names, sample
from plugin.chart import Chart
from plugin.facts import facts_of
from plugin.settings import Settings
from plugin.timeline import build
from rules.agreement import differing
from rules.engine import DurableEngine
from rules.engine.encode import Texts
from rules.evaluate import Evaluator, InProcess
from rules.facts import Fact
from rules.language import load_pack
from tests.bench.workload import make_facts, write_flat, write_workload

SIZES = (10, 50, 100, 200)
Row = tuple[float, float, float]
"""Median, 99th percentile and least time in milliseconds."""
STEPS = ("admit", "encode", "durable", "crosscheck", "compare", "both", "tell", "total")
"""`both` is durable, crosscheck and compare in one, as an evaluation runs them; `encode` is part of durable."""


def timed(
    action: Callable[[int], object], rounds: int, clock: Callable[[], float] = time.process_time
) -> Row:
    """Returns how long an action takes."""
    times: list[float] = []
    for number in range(rounds):
        start = clock()
        action(number)
        times.append((clock() - start) * 1000)
    times.sort()
    return statistics.median(times), times[min(rounds - 1, rounds * 99 // 100)], times[0]


def measure(evaluator: Evaluator, sets: list[list[Fact]], rounds: int) -> dict[str, Row]:
    """Returns the times of the steps, in processor time, over rounds through the sets of facts."""
    engine = evaluator.engine
    if not isinstance(engine, InProcess):
        raise SystemExit("only an engine in this process is measured step by step")
    admission, reference, durable = evaluator.admission, evaluator.reference, engine.engine
    admitted = [admission.admit(facts) for facts in sets]
    traces = [durable.evaluate(facts) for facts in admitted]
    seconds = [reference.evaluate(facts) for facts in admitted]
    if any(evaluator.evaluate(facts).alarms for facts in sets):
        raise SystemExit("the two engines do not agree")
    count = len(sets)

    def encode(n: int) -> None:
        texts = Texts(durable.texts)
        for number, (kind, values) in enumerate(admitted[n % count].facts):
            durable.make[kind](number, values, texts)

    def tell(n: int) -> None:
        evaluator.teller.tell(admitted[n % count], traces[n % count], (), (), ())

    def both(n: int) -> None:
        facts = admitted[n % count]
        differing(durable.evaluate(facts), reference.evaluate(facts))

    return {
        "admit": timed(lambda n: admission.admit(sets[n % count]), rounds),
        "encode": timed(encode, rounds),
        "durable": timed(lambda n: durable.evaluate(admitted[n % count]), rounds),
        "crosscheck": timed(lambda n: reference.evaluate(admitted[n % count]), rounds),
        "compare": timed(lambda n: differing(traces[n % count], seconds[n % count]), rounds),
        "both": timed(both, rounds),
        "tell": timed(tell, rounds),
        "total": timed(lambda n: evaluator.evaluate(sets[n % count]), rounds),
    }


def concluded(evaluator: Evaluator, facts: list[Fact]) -> int:
    """Returns how many findings and facts are given."""
    evaluation = evaluator.evaluate(facts)
    return len(evaluation.findings) + len(evaluation.facts)


def show(name: str, facts: int, given: int, rows: Mapping[str, Row]) -> None:
    """Prints the rows of one measurement."""
    for number, word in enumerate(("p50", "p99", "best")):
        cells = "".join(f"{rows[step][number]:11.2f}" if step in rows else f"{'':11}" for step in STEPS)
        head = f"{name:26}{facts:6}{given:10}" if not number else f"{'':42}"
        print(f"{head}  {word:>4}{cells}")


def bench_workload(name: str, write: Callable[[Path], None], rounds: int) -> None:
    """Measures a made-up workload in this process and through a pool of one worker."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        start = time.perf_counter()
        pack = load_pack(Path(folder))
    loaded = time.perf_counter()
    with Evaluator(pack) as evaluator, Evaluator(pack, mode="pool", timeout=30) as pooled:
        built = time.perf_counter()
        print(
            f"\n{name}, {len(pack.statements)} statements: load {loaded - start:.2f} s, build {built - loaded:.2f} s "
            f"(the engine twice), {len(durable_of(evaluator).groups)} sessions of durable_rules"
        )
        if not pooled.wait(30):
            raise SystemExit("the pool did not start")
        settle()
        for size in SIZES:
            rng = random.Random(size)
            sets = [make_facts(size, rng) for _ in range(min(rounds, 40))]
            given = concluded(evaluator, sets[-1])
            show(f"{name}, in-process", size, given, measure(evaluator, sets, rounds))
            pooled.evaluate(sets[0])
            through = timed(
                lambda n, sets=sets: pooled.evaluate(sets[n % len(sets)]),  # type: ignore[misc]
                rounds,
                time.perf_counter,
            )
            show(f"{name}, pool, wall time", size, given, {"total": through})


def bench_samples(rounds: int) -> None:
    """Measures the packaged rules on every sample patient."""
    pack = load_pack()
    with Evaluator(pack) as evaluator:
        print(
            f"\nthe packaged rules, {len(pack.statements)} statements, "
            f"{len({s.stratum for s in pack.statements.values()})} strata, "
            f"{len(durable_of(evaluator).groups)} sessions of durable_rules at most"
        )
        settle()
        for name in names():
            told = sample(name)
            resources = unbundle(told.bundle)
            drafts = unbundle(told.hook["context"].get("draftOrders", {}))
            patient = next(each["id"] for each in resources if each["resourceType"] == "Patient")
            chart = Chart(patient_id=patient, resources=resources, drafts=drafts, hook=told.hook["hook"])
            timeline = build(chart, today=told.anchor, timezone=ZoneInfo("UTC"))
            facts = list(facts_of(timeline, today=told.anchor, settings=Settings()))
            given = concluded(evaluator, facts)
            show(name, len(facts), given, measure(evaluator, [facts], rounds))


def durable_of(evaluator: Evaluator) -> DurableEngine:
    """Returns the engine of an evaluator in this process."""
    if not isinstance(evaluator.engine, InProcess):
        raise SystemExit("the engine is in another process")
    return evaluator.engine.engine


def settle() -> None:
    """Keeps what stays for good from the garbage collector, as the service does at its start."""
    gc.collect()
    gc.freeze()
    collect_seldom()


def main() -> None:
    """Prints the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"\nThe rule engines: milliseconds of processor time (pool: wall time); load {load}")
    print(f"{'':26} facts concluded      " + "".join(f"{step:>11}" for step in STEPS))
    for name, write in (("flat", write_flat), ("layered", write_workload)):
        bench_workload(name, write, options.rounds)
    bench_samples(options.rounds)


if __name__ == "__main__":
    main()
