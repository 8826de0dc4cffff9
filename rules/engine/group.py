"""Statements that are matched in one session of the engine, in several where a ruleset cannot hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby

from rules.engine.cases import Numbers
from rules.engine.columns import Columns
from rules.engine.encode import Row
from rules.engine.hashing import RESERVED, collision
from rules.engine.integers import Integers
from rules.engine.plan import Plan
from rules.engine.session import Budget, Ruleset
from rules.engine.sift import Sift
from rules.engine.units import Unit, compile_ruleset, compile_unit, split
from rules.errors import EngineFault


class Group:
    """Is one step of an evaluation: rulesets that match, and plans that conclude, stratum by stratum."""

    def __init__(self, name: str, plans: Sequence[Plan], integers: Integers) -> None:
        self.strata = [list(group) for _, group in groupby(plans, key=lambda plan: plan.statement.stratum)]
        self.columns = Columns(integers)
        self.same: dict[str, list[str]] = {}
        groups = split(self.distinct([unit for plan in plans for unit in plan.units()]))
        self.rulesets: list[tuple[Ruleset, list[Unit]]] = []
        rules = [compile_ruleset(units, self.columns) for units in groups]
        self.check_names([unit.name for units in groups for unit in units])
        for number, (units, ruleset) in enumerate(zip(groups, rules, strict=True)):
            sizes = {unit.name: len(unit.conditions) for unit in units}
            self.rulesets.append((Ruleset(f"{name}x{number}", ruleset, sizes), units))
        self.sifts = [Sift(units, integers) for units in groups]
        self.writers = {kind: self.columns.writer(kind) for kind in self.columns.sources}

    def keep(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Prepares for the rows of the pack's tables, which every evaluation has."""
        for sift in self.sifts:
            for kind, rows in tables.items():
                sift.keep(kind, rows)

    def distinct(self, units: Sequence[Unit]) -> list[Unit]:
        """Returns one unit for all that test the same, and notes whom it speaks for."""
        first: dict[str, Unit] = {}
        for unit in units:
            same = first.setdefault(json.dumps(compile_unit(unit, self.columns)), unit)
            self.same.setdefault(same.name, []).append(unit.name)
        return list(first.values())

    def check_names(self, units: Sequence[str]) -> None:
        """Refuses names that the engine would confuse."""
        for names in (sorted(self.columns.names()) + list(RESERVED), units):
            both = collision(dict.fromkeys(names))
            if both:
                raise EngineFault(f"durable_rules would confuse the names {both[0]} and {both[1]}")

    def match(self, rows: Mapping[str, Sequence[Row]], last: int, budget: Budget) -> dict[str, list[Numbers]]:
        """Returns the firings of every rule."""
        found: dict[str, list[Numbers]] = {}
        for (ruleset, _), sift in zip(self.rulesets, self.sifts, strict=True):
            payload: list[str] = []
            for kind, needed in sift.needed(rows).items():
                payload += self.writers[kind](needed)
            if payload:
                for name, firings in ruleset.run(payload, last, budget).items():
                    for same in self.same[name]:
                        found[same] = firings
        return found

    def close(self) -> None:
        """Gives the engine's memory back."""
        for ruleset, _ in self.rulesets:
            ruleset.close()
