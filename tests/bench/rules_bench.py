"""Times of the rule engines: `python -m tests.bench.rules_bench [--rounds N]`.

80 statements in six strata (derivations, rules with and without `unless`, decision lists) on 10 to 200 facts of
invented lesions, every round on other facts; then the packaged rules on every sample patient.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

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

SIZES = (10, 50, 100, 200)
DAY = datetime.date(2026, 1, 1)

KINDS = """kinds:
  patient:
    title: The patient
    input: true
    unique: true
    properties:
      today: {type: date, required: true}
      msi: {type: code, values: [high, stable]}
  lesion:
    title: A lesion
    input: true
    unique: id
    properties:
      id: {type: id, required: true}
      segment: {type: code, values: [II, III, IV, V, VI, VII, VIII]}
      baseline: {type: decimal, unit: mm}
      treated: {type: yesno}
  sighting:
    title: What one study says of one lesion
    input: true
    properties:
      id: {type: id, required: true}
      lesion: {type: id, required: true}
      exam: {type: id}
      modality: {type: code, values: [CT, MRI, US]}
      visibility: {type: code, values: [visible, not-visible, indeterminate]}
      mm: {type: decimal, unit: mm}
      day: {type: date, required: true}
      strong: {type: yesno}
  dose:
    title: A dose
    input: true
    properties:
      day: {type: date, required: true}
      agent: {type: code, values: [oxaliplatin, irinotecan]}
"""


def _kind(name: str, properties: str) -> str:
    return f"  {name}:\n    title: Made up\n    shown: true\n    unique: lesion\n    properties: {{{properties}}}\n"


def write_workload(folder: Path) -> None:
    """Writes the pack."""
    kinds, statements = [KINDS], ["rules:"]
    for n in range(12):
        modality = ("CT", "MRI", "US")[n % 3]
        kinds.append(
            _kind(f"first{n}", "lesion: {type: id, required: true}, day: {type: date}, mm: {type: decimal}")
        )
        statements.append(f"""  - id: D{n}
    title: A derivation
    stratum: 1
    each: lesion L
    from: {{sighting S: {{lesion: = L.id, modality: {modality}, visibility: {"visible" if n % 2 else "not-visible"}}}}}
    give: {{first{n}: {{lesion: = L.id, day: {"min" if n < 6 else "max"} S.day, mm: max S.mm}}}}""")
    for n in range(8):
        kinds.append(
            _kind(f"best{n}", "lesion: {type: id, required: true}, mm: {type: decimal}, day: {type: date}")
        )
        statements.append(f"""  - id: P{n}
    title: A choice
    stratum: 1
    each: lesion L
    from: {{sighting S: {{lesion: = L.id, modality: [CT, MRI]}}}}
    pick: ["S.strong is yes", "S.day {"latest" if n % 2 else "earliest"}", "S.mm largest"]
    give: {{best{n}: {{lesion: = L.id, mm: = S.mm, day: = S.day}}}}""")
    for n in range(20):
        statements.append(f"""  - id: R{n}
    title: A rule on one stratum
    stratum: {2 + n % 2}
    when:
      - best{n % 8} B: {{mm: "> {n % 10}"}}
      - first{n % 12} F: {{lesion: = B.lesion, day: "< B.day - {n}"}}
    unless:
      - sighting X: {{lesion: = B.lesion, day: "> B.day", visibility: visible, mm: "> B.mm"}}
    subject: = B.lesion
    conclusion: c{n}
    indicator: info
    hooks: [all]
    say: {{mm: = B.mm, day: = F.day}}""")
    for n in range(10):
        kinds.append(
            _kind(f"status{n}", "lesion: {type: id, required: true}, value: {type: code, values: [A, B, C]}")
        )
        statements.append(f"""  - id: S{n}
    title: A decision list
    stratum: 4
    each: lesion L
    cases:
      - id: a
        when: [{{lesion M: {{id: = L.id, treated: yes}}}}]
        then: {{status{n}: {{lesion: = L.id, value: A}}}}
      - id: b
        when: [{{best{n % 8} B: {{lesion: = L.id, mm: "<= 0.7 * L.baseline"}}}}]
        unless: [{{first{n} F: {{lesion: = L.id, day: "> B.day"}}}}]
        then: {{status{n}: {{lesion: = L.id, value: B}}}}
      - id: c
        then: {{status{n}: {{lesion: = L.id, value: C}}}}""")
    for n in range(30):
        statements.append(f"""  - id: A{n}
    title: Advice
    stratum: {5 + n % 2}
    when:
      - status{n % 10} T: {{value: {"ABC"[n % 3]}}}
      - lesion L: {{id: = T.lesion, segment: [II, III, {"IV" if n % 2 else "V"}]}}
      - patient P: {{}}
    unless:
      - dose D: {{day: "> P.today - {n}"}}
    subject: = L.id
    conclusion: a{n}
    indicator: warning
    hooks: [all]""")
    (folder / "statements").mkdir()
    (folder / "pack.yaml").write_text('id: bench\ntitle: A workload\nversion: "1"\n')
    (folder / "facts.yaml").write_text("".join(kinds))
    (folder / "statements" / "all.yaml").write_text("\n".join(statements) + "\n")


def make_facts(count: int, rng: random.Random) -> list[Fact]:
    """Returns invented facts: a tenth lesions, a few doses, the rest sightings."""
    lesions = max(1, count // 10)
    found = [Fact("patient", {"today": DAY}, ("p",))]
    for n in range(lesions):
        values = {
            "id": f"L{n}",
            "segment": rng.choice(["II", "V", "VII"]),
            "baseline": Decimal(rng.randint(50, 400)) / 10,
        }
        found.append(Fact("lesion", values, (f"l{n}",)))
    for n in range(max(1, count // 20)):
        found.append(Fact("dose", {"day": DAY - datetime.timedelta(days=rng.randint(10, 200))}, (f"d{n}",)))
    for n in range(count - len(found)):
        values = {
            "id": f"S{n}",
            "lesion": f"L{n % lesions}",
            "exam": f"E{n // lesions}",
            "modality": rng.choice(["CT", "CT", "MRI"]),
            "visibility": rng.choice(["visible", "visible", "not-visible", "indeterminate"]),
            "mm": Decimal(rng.randint(10, 400)) / 10,
            "day": DAY - datetime.timedelta(days=30 * (n // lesions)),
            "strong": rng.choice(["yes", "no", "unknown"]),
        }
        found.append(Fact("sighting", values, (f"s{n}",)))
    return found


Row = tuple[float, float, float]
"""Median, 99th percentile and least time in milliseconds."""
STEPS = ("admit", "encode", "durable", "crosscheck", "compare", "tell", "total")


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

    return {
        "admit": timed(lambda n: admission.admit(sets[n % count]), rounds),
        "encode": timed(encode, rounds),
        "durable": timed(lambda n: durable.evaluate(admitted[n % count]), rounds),
        "crosscheck": timed(lambda n: reference.evaluate(admitted[n % count]), rounds),
        "compare": timed(lambda n: differing(traces[n % count], seconds[n % count]), rounds),
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


def bench_workload(rounds: int) -> None:
    """Measures the made-up workload in this process and through a pool of one worker."""
    with tempfile.TemporaryDirectory() as folder:
        write_workload(Path(folder))
        start = time.perf_counter()
        pack = load_pack(Path(folder))
    loaded = time.perf_counter()
    with Evaluator(pack) as evaluator, Evaluator(pack, mode="pool", timeout=30) as pooled:
        built = time.perf_counter()
        print(
            f"{len(pack.statements)} statements: load {loaded - start:.2f} s, build {built - loaded:.2f} s "
            f"(the engine twice), {len(durable_of(evaluator).groups)} sessions of durable_rules"
        )
        settle()
        for size in SIZES:
            rng = random.Random(size)
            sets = [make_facts(size, rng) for _ in range(min(rounds, 40))]
            given = concluded(evaluator, sets[-1])
            show("80 rules, in-process", size, given, measure(evaluator, sets, rounds))
            through = timed(
                lambda n, sets=sets: pooled.evaluate(sets[n % len(sets)]),  # type: ignore[misc]
                rounds,
                time.perf_counter,
            )
            show("80 rules, pool, wall time", size, given, {"total": through})


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


def main() -> None:
    """Prints the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    print("\nThe rule engines: milliseconds of processor time (pool: wall time)")
    print(f"{'':26} facts concluded      " + "".join(f"{step:>11}" for step in STEPS))
    bench_workload(options.rounds)
    bench_samples(options.rounds)


if __name__ == "__main__":
    main()
