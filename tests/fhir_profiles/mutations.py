"""The table of faults in mutations.yaml, each one made in a copy of a valid instance."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("mutations.yaml")


@dataclass(frozen=True)
class Mutation:
    """One fault: which instance, what is dropped, what is set."""

    of: str
    fault: str
    drop: tuple[str, ...] = ()
    set: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        return f"{self.of}: {self.fault}"

    def apply(self, instance: dict[str, Any]) -> dict[str, Any]:
        """The instance with the fault; a path that is not there is an error of the table."""
        changed = copy.deepcopy(instance)
        for path in self.drop:
            *parents, last = steps(path)
            del reached(changed, parents)[last]
        for path, value in self.set:
            *parents, last = steps(path)
            target = reached(changed, parents)
            if isinstance(target, list) and last == len(target):
                target.append(value)
            else:
                target[last] = value
        assert changed != instance, f"{self.name}: nothing was changed"
        return changed


def mutations() -> list[Mutation]:
    """Every row of the table."""
    rows = yaml.safe_load(TABLE.read_text())
    return [
        Mutation(of, row["fault"], tuple(row.get("drop", ())), tuple(row.get("set", {}).items()))
        for of, faults in rows.items()
        for row in faults
    ]


def steps(path: str) -> list[str | int]:
    """A dotted path; numbers are positions in a list."""
    return [int(step) if step.isdigit() else step for step in path.split(".")]


def reached(value: Any, path: list[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value
