"""The times that facts are made with, in days: parameters of the rule pack that a site may set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Times in days, under the names of the pack's parameters, with the values of the pack as it is shipped.

    line_gap: a longer time without a dose begins a new line of therapy. cycle_gap: a dose of the backbone
    this long after the start of a cycle begins the next. cea_window: how far the last value may lie from the
    index study. cea_baseline: how long before the line began its first value may lie.
    """

    line_gap: int = 56
    cycle_gap: int = 10
    cea_window: int = 28
    cea_baseline: int = 42

    @classmethod
    def of(cls, parameters: Mapping[str, int | Decimal]) -> Windows:
        """Returns the times that are among the parameters, and the shipped ones of a pack that has none."""
        names = {each.name for each in fields(cls)}
        return cls(**{name: int(value) for name, value in parameters.items() if name in names})


SHIPPED = Windows()
