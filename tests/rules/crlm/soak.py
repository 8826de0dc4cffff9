"""Compares rules and oracle over many random histories: `python -m tests.rules.crlm.soak --histories N --seed S`."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from tests.rules.crlm import generate, oracle
from tests.rules.crlm.status_rules import rules


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=200_000)
    parser.add_argument("--seed", default="0")
    parser.add_argument(
        "--durable", action="store_true", help="let durable_rules evaluate too, not only the reference"
    )
    arguments = parser.parse_args()
    chosen = rules("in-process" if arguments.durable else "reference")
    began = time.monotonic()
    seen: Counter[tuple[str, str]] = Counter()
    differences = 0
    for number in range(arguments.histories):
        history = generate.history(random.Random(f"{arguments.seed}/{number}"))
        found = chosen.statuses(history)
        for lesion in history.lesions:
            status = oracle.status(history, lesion.id)
            seen[status.value, status.reason] += 1
            if found[lesion.id] != (status.value, status.reason):
                differences += 1
                print(
                    f"history {arguments.seed}/{number} {lesion.id}: rules {found[lesion.id]}, text {status}"
                )
    for (value, reason), count in seen.most_common():
        print(f"{count:9d}  {value} {reason}")
    took = time.monotonic() - began
    print(
        f"{arguments.histories} histories, {sum(seen.values())} lesions, {differences} differences, {took:.0f} s"
    )
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
