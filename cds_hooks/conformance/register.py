"""The register of requirements: number, strength, part and title, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml

STRENGTHS = ("SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY", "silent")
_RANK = {"SHALL": 0, "SHALL NOT": 0, "SHOULD": 1, "SHOULD NOT": 1, "MAY": 2, "silent": 3}


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One requirement; `by` is who is bound by its sentence, `version` the one that first holds it."""

    number: int
    strength: str
    part: str
    title: str
    by: str = "service"
    version: str = "2.0.1"

    @property
    def binding(self) -> bool:
        """True where a service that breaks it is not conformant to 2.0.1."""
        return _RANK[self.strength] == 0 and self.by == "service" and self.version == "2.0.1"


@cache
def requirements() -> Mapping[int, Requirement]:
    """Returns every requirement by its number."""
    found = msgspec.convert(_document()["requirements"], list[Requirement])
    return {one.number: one for one in found}


@cache
def parts() -> Mapping[str, str]:
    """Returns the title of every part by its letter."""
    named: dict[str, str] = _document()["parts"]
    return named


def strongest(numbers: Iterable[int]) -> Requirement:
    """Returns the requirement that binds most, the first where several bind alike."""
    chosen = [requirements()[number] for number in numbers]
    return min(chosen, key=lambda one: (not one.binding, _RANK[one.strength]))


def _document() -> dict[str, Any]:
    text = resources.files("cds_hooks.conformance").joinpath("requirements.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
