"""Findings: what an active, shadowed or switched-off statement says of a subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.facts import Fact, Value


@dataclass(frozen=True, slots=True)
class Finding:
    """Is one conclusion about one subject, with the facts it rests on.

    `says` holds one mapping for every way the conditions held. `facts` are the bound facts; `sources` every
    opaque token behind them and `parameters` every parameter that they or the statement used, transitively.
    """

    rule: str
    case: str | None
    title: str
    subject: str | None
    conclusion: str
    indicator: str
    display: str
    family: str | None
    hooks: tuple[str, ...]
    status: str
    says: tuple[Mapping[str, Value], ...]
    facts: tuple[Fact, ...]
    sources: tuple[str, ...]
    parameters: tuple[str, ...]
    revision: str
