"""Memory over many evaluations: `python -m tests.rules.soak [--evaluations N] [--seed S]`.

Both engines in one process evaluate the packaged rules on random facts of every input kind, never the same twice
(texts, days and sizes change with every round), so that whatever an evaluation leaves behind adds up. Prints resident memory at
intervals; exit code 1 where it grew by more than 3 % after the first tenth.
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import sys
import time
from decimal import Decimal
from pathlib import Path

from rules.evaluate import Evaluator
from rules.facts import Fact, Value
from rules.language import load_pack
from rules.language.model import ALONE, Pack, Property

ALLOWED = 1.03
INTERVALS = 20


def resident() -> float:
    """Returns the resident memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def value(prop: Property, number: int, rng: random.Random) -> Value:
    """Returns a value of the property's type; texts are new in every round."""
    if prop.values:
        return rng.choice(prop.values)
    if prop.type == "date":
        return datetime.date(2020, 1, 1) + datetime.timedelta(days=number % 2000 + rng.randint(0, 300))
    if prop.type == "id":
        return f"{prop.name[:3]}-{number}-{rng.randint(0, 4)}"
    whole = rng.randint(0, 400)
    return whole if prop.type == "int" else Decimal(whole) / 10


def patient(pack: Pack, number: int, rng: random.Random) -> list[Fact]:
    """Returns facts of every input kind, whose texts meet by chance: five lesions, exams and so on."""
    facts: list[Fact] = []
    for kind in pack.kinds.values():
        if not kind.input:
            continue
        most = {"sighting": 12, "exam": 4, "lesion": 4}.get(kind.name, 2)
        marks: set[Value | None] = set()
        for _ in range(1 if kind.unique == ALONE else rng.randint(0, most)):
            values = {
                name: value(prop, number, rng)
                for name, prop in kind.properties.items()
                if prop.required or rng.random() < 0.8
            }
            if kind.name == "lesion":
                values["id"] = f"les-{number}-{len(marks)}"
            mark = values.get(kind.unique) if kind.unique and kind.unique != ALONE else len(marks)
            if mark not in marks:
                marks.add(mark)
                facts.append(Fact(kind.name, values, (f"Observation/{number}-{len(facts)}",)))
    return facts


def main() -> int:
    """Runs the evaluations; returns 1 where memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    findings = derived = 0
    seen: list[float] = []
    start = time.monotonic()
    pack = load_pack()
    with Evaluator(pack, timeout=30) as evaluator:
        for number in range(options.evaluations):
            evaluation = evaluator.evaluate(patient(pack, number, rng))
            if evaluation.alarms:
                print(f"evaluation {number}: {[alarm.message for alarm in evaluation.alarms]}")
                return 1
            findings += len(evaluation.findings)
            derived += len(evaluation.facts)
            if (number + 1) % max(1, options.evaluations // INTERVALS) == 0:
                seen.append(resident())
                print(f"{number + 1:8} evaluations {seen[-1]:8.2f} MB resident", flush=True)
    first = seen[1] if len(seen) > 1 else seen[0]
    grown = seen[-1] / first
    print(
        f"seed {options.seed}: {options.evaluations} evaluations, {findings} findings, {derived} derived facts, "
        f"{time.monotonic() - start:.0f} s; {first:.2f} MB after a tenth, {seen[-1]:.2f} MB at the end"
    )
    return 0 if grown <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
