"""Fuzzes what reads from outside: calls, feedback, records, files and rule packs. `make fuzz-input` runs it.

usage: python -m tests.security.fuzz [--minutes N] [--seed N] [TARGET...]
"""

from __future__ import annotations

import argparse
import secrets
import time
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.security import inputs
from tests.security.mutate import VALUES, Mutation, as_text, mutated, mutated_text, mutations

Check = Callable[..., Any]
numbers = st.integers(0, 2**16)


def call(which: int, drawn: list[Mutation], bytewise: bool) -> None:
    """A call, as a document or as bytes that were damaged, to every service; then the same as feedback."""
    whole = {
        **inputs.calls()[which % len(inputs.calls())],
        "prefetch": {"patient": {"resourceType": "Patient", "id": "1"}},
    }
    told: Any = whole if which % 3 else inputs.FEEDBACK
    body = mutated_text(as_text(told), drawn) if bytewise else as_text(mutated(told, drawn))
    inputs.take_call(body)
    inputs.take_feedback(body)


def record(which: int, drawn: list[Mutation]) -> None:
    """A sample patient's record, damaged, through reading, timeline, facts, rules, cards, page and record."""
    whole = inputs.calls()[which % len(inputs.calls())]
    part = "context" if which % 7 == 0 else "prefetch"
    inputs.take_record(as_text({**whole, part: mutated(whole[part], drawn)}))


def file(which: int, drawn: list[Mutation], bytewise: bool) -> None:
    """The same from a file, as `vestige assess` reads it."""
    prefetch = inputs.calls()[which % len(inputs.calls())]["prefetch"]
    entries = [entry for one in prefetch.values() for entry in one.get("entry", [{"resource": one}])]
    whole = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    body = mutated_text(as_text(whole), drawn[:2]) if bytewise else as_text(mutated(whole, drawn))
    inputs.take_files(body)


def pack(which: int, drawn: list[Mutation], bytewise: bool) -> None:
    """A rule pack with one file damaged, and a site's own values that fit nothing."""
    names = sorted(inputs.PACK)
    name = names[which % len(names)]
    data = inputs.PACK[name]
    if bytewise:
        data = mutated_text(data, drawn)
    else:
        document = mutated(yaml.load(data, yaml.BaseLoader), drawn)
        data = yaml.safe_dump(_plain(document), allow_unicode=True, width=10**6).encode(
            "utf-8", "surrogatepass"
        )
    site = (
        None
        if which % 5
        else {"parameters": {str(which): VALUES[which % len(VALUES)]}, "states": {"ST": str(which)}}
    )
    inputs.take_pack({**inputs.PACK, name: data}, site)


def _plain(value: Any) -> Any:
    """Lone surrogates have no place in YAML; the byte-wise mutations make such files."""
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


TARGETS: dict[str, tuple[Check, dict[str, Any]]] = {
    "call": (call, {"which": numbers, "drawn": mutations, "bytewise": st.booleans()}),
    "record": (record, {"which": numbers, "drawn": mutations}),
    "file": (file, {"which": numbers, "drawn": mutations, "bytewise": st.booleans()}),
    "pack": (pack, {"which": numbers, "drawn": mutations, "bytewise": st.booleans()}),
}


def run(target: str, executions: int, number: int) -> int:
    """Runs one target with a seed and returns how often; a fault leaves as hypothesis shrank it."""
    check, drawn = TARGETS[target]
    count = 0

    def counted(**values: Any) -> None:
        nonlocal count
        count += 1
        check(**values)

    ready = settings(
        max_examples=executions,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(ready(given(**drawn)(counted)))()
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    asked = parser.parse_args()
    number = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    print(f"seed {number}", flush=True)
    names = asked.targets or list(TARGETS)
    counts = dict.fromkeys(names, 0)
    end = time.monotonic() + asked.minutes * 60
    turn = 0
    while time.monotonic() < end:
        for name in names:
            counts[name] += run(name, 500, number + turn)
        turn += 1
    for name, count in counts.items():
        print(f"{name:8} {count:8} executions")
    print(f"{'in all':8} {sum(counts.values()):8} executions, no crash")


if __name__ == "__main__":
    main()
