"""Times of the rule engines: `python -m tests.bench.rules_bench [--rounds N] [--pack FOLDER]`.

80 statements in six strata (derivations, rules with and without `unless`, decision lists) on 10 to 200 facts of
invented lesions; every row is over rounds with other facts.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from rules.admission import Admission
from rules.crosscheck import Reference
from rules.engine import DurableEngine
from rules.engine.encode import Encoder
from rules.evaluate import Evaluator
from rules.facts import Fact
from rules.language import load_pack
from rules.language.model import Pack
from rules.telling import differing, tell

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


def timed(action: Callable[[int], object], rounds: int) -> tuple[float, float]:
    """Returns median and least time of an action in milliseconds of processor time."""
    times = []
    for number in range(rounds):
        start = time.process_time()
        action(number)
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times), min(times)


def measure(pack: Pack, count: int, rounds: int) -> tuple[dict[str, tuple[float, float]], int]:
    """Returns the medians by step, and the number of findings of the last round."""
    rng = random.Random(count)
    sets = [make_facts(count, rng) for _ in range(rounds)]
    admission, reference = Admission(pack), Reference(pack)
    admitted = [admission.admit(facts) for facts in sets]
    statements = tuple(pack.statements.values())
    with DurableEngine(pack) as engine, Evaluator(pack) as evaluator:
        integers = engine.integers

        def encode(n: int) -> None:
            encoder = Encoder(engine.row_sources, integers.texts)
            for number, key in enumerate(admitted[n].keys):
                encoder.rows[key[0]](number + 1, key[1])

        traces = [engine.evaluate(facts) for facts in admitted]
        seconds = [reference.evaluate(facts) for facts in admitted]
        found = {
            "admit": timed(lambda n: admission.admit(sets[n]), rounds),
            "encode": timed(encode, rounds),
            "durable": timed(lambda n: engine.evaluate(admitted[n]), rounds),
            "crosscheck": timed(lambda n: reference.evaluate(admitted[n]), rounds),
            "compare": timed(lambda n: differing(traces[n], seconds[n]), rounds),
            "tell": timed(lambda n: tell(pack, statements, admitted[n], traces[n], (), (), ()), rounds),
            "total": timed(lambda n: evaluator.evaluate(sets[n]), rounds),
        }
        evaluation = evaluator.evaluate(sets[-1])
    if evaluation.alarms:
        raise SystemExit(f"the engines do not agree: {evaluation.alarms}")
    return found, len(evaluation.findings) + len(evaluation.facts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_workload(Path(name))
        start = time.perf_counter()
        pack = load_pack(Path(name))
        loaded = time.perf_counter()
        Evaluator(pack).close()
        built = time.perf_counter()
    print(
        f"{len(pack.statements)} statements; load {loaded - start:.3f} s, build both engines {built - loaded:.3f} s"
    )
    # What the process keeps for good is not looked at again by the garbage collector, as in the service.
    gc.collect()
    gc.freeze()
    steps = ("admit", "encode", "durable", "crosscheck", "compare", "tell", "total")
    print("facts  concluded       " + "".join(f"{step:>12}" for step in steps) + "   (ms of processor time)")
    for count in SIZES:
        times, concluded = measure(pack, count, options.rounds)
        for number, name in enumerate(("p50", "best")):
            row = "".join(f"{value[number]:12.2f}" for value in times.values())
            print(f"{count:5}  {concluded:9}  {name:>4}  {row}")


if __name__ == "__main__":
    main()
