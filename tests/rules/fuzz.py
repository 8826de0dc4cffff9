"""Differential fuzzing: durable_rules, the crosscheck and a naive interpreter on random packs and facts.

`python -m tests.rules.fuzz --programs N --seed S` prints a summary; exit code 1 where the three differ. One
program in twenty has up to 60 statements and 200 facts, the others up to 12 of each.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rules.errors import LimitExceeded, PackError
from rules.evaluate import Evaluator
from rules.evaluation import Evaluation
from tests.rules.naive import Naive, frozen
from tests.rules.program import Maker, loaded

LARGE = 20
"""One program in so many is large."""


@dataclass
class Summary:
    programs: int = 0
    large: int = 0
    most_facts: int = 0
    beyond: int = 0
    refused: int = 0
    evaluations: int = 0
    findings: int = 0
    derived: int = 0
    differences: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.programs} programs ({self.large} large, {self.refused} refused by the loader), "
            f"{self.evaluations} evaluations of up to {self.most_facts} facts ({self.beyond} beyond a limit), "
            f"{self.findings} findings, {self.derived} derived facts, {len(self.differences)} differences"
        )


def told(evaluation: Evaluation) -> tuple[set, set]:
    """Returns findings and derived facts in the naive interpreter's form."""
    findings = {
        (
            f.rule,
            f.case,
            f.subject,
            f.conclusion,
            f.indicator,
            f.status,
            frozenset(frozenset(said.items()) for said in f.says),
            frozenset(frozen(fact.kind, dict(fact.values)) for fact in f.facts),
            f.sources,
            f.parameters,
        )
        for f in evaluation.findings
    }
    derived = {
        (
            d.rule,
            d.case,
            frozen(d.fact.kind, dict(d.fact.values)),
            frozenset(frozen(f.kind, dict(f.values)) for f in d.support),
        )
        for d in evaluation.facts
    }
    return findings, derived


def check(seed: int, summary: Summary, rounds: int = 6) -> None:
    """Runs one random program on a few sets of facts; notes differences in the summary."""
    large = seed % LARGE == 0
    maker = Maker(random.Random(seed), *((60, 200) if large else (12, 12)))
    program = maker.program()
    with tempfile.TemporaryDirectory() as name:
        try:
            pack = loaded(program, Path(name))
        except PackError as error:
            summary.refused += 1
            summary.reasons.append(f"seed {seed}: {error.problems[0]}")
            return
    summary.programs += 1
    summary.large += large
    with Evaluator(pack, timeout=30) as evaluator:
        for number in range(1 if large else rounds):
            facts = maker.facts(program)
            summary.most_facts = max(summary.most_facts, len(facts))
            try:
                evaluation = evaluator.evaluate(facts)
            except LimitExceeded:
                summary.beyond += 1
                continue
            naive = Naive(program, facts)
            findings, derived = told(evaluation)
            summary.evaluations += 1
            summary.findings += len(findings)
            summary.derived += len(derived)
            where = f"seed {seed}, facts {number}"
            limits = [
                alarm.kind == "engine-unavailable" and "more than" in alarm.message
                for alarm in evaluation.alarms
            ]
            if limits and all(limits):
                # One of the two stopped at a limit, by name; the other's answer is compared.
                summary.beyond += 1
            elif evaluation.alarms:
                summary.differences.append(f"{where}: {[alarm.message for alarm in evaluation.alarms]}")
            if findings != naive.findings:
                summary.differences.append(
                    f"{where}: findings missing {naive.findings - findings}, extra {findings - naive.findings}"
                )
            if derived != naive.derived:
                summary.differences.append(
                    f"{where}: facts missing {naive.derived - derived}, extra {derived - naive.derived}"
                )


def run(programs: int, seed: int) -> Summary:
    """Checks programs seed, seed + 1, ..."""
    summary = Summary()
    for number in range(seed, seed + programs):
        check(number, summary)
    return summary


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=None, help="of the first program; a fresh one by default")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    start = time.monotonic()
    summary = run(options.programs, seed)
    for reason in summary.reasons[:10]:
        print("refused:", reason)
    for difference in summary.differences[:10]:
        print("DIFFERENCE:", difference)
    print(f"seed {seed}: {summary}, {time.monotonic() - start:.1f} s")
    return 1 if summary.differences else 0


if __name__ == "__main__":
    sys.exit(main())
