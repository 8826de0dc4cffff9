"""Runs every bench: `python -m tests.bench [NAME...]`, each module `tests/bench/*_bench.py` with a `main`.

Arguments are names of benches (`rules` for rules_bench); without any, all run, each in a process of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def benches() -> list[str]:
    """Returns the names of the benches in this folder."""
    return sorted(path.stem.removesuffix("_bench") for path in Path(__file__).parent.glob("*_bench.py"))


def main() -> int:
    """Runs the benches one after the other; returns 1 where one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="any of " + ", ".join(benches()))
    names = parser.parse_args().names or benches()
    unknown = sorted(set(names) - set(benches()))
    if unknown:
        parser.error(f"no bench is called {unknown[0]}; there are {', '.join(benches())}")
    failed = 0
    for name in names:
        # A process of its own: one bench's memory and caches are not the next one's.
        done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}_bench"], check=False)
        if done.returncode:
            print(f"bench {name} failed with code {done.returncode}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
