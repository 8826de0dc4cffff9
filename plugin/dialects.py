"""The dialects of FHIR servers: what a make of server is known to refuse or to do its own way, as data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from plugin.ready import ready
from plugin.yaml_text import read_yaml


class Quirk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing a make of server does: `says` what, `does` what we do about it, with its source and its test.

    `absent`: resource types it lacks. `type` with `needs`: a search of it wants one of these parameters
    beside the patient; with `categories`: its search knows these only. `count`: the page to ask for.
    `costs`: what a lesion may be called here instead of its status with everything read. An entry with none
    of them needs no change in what is asked.
    """

    id: str
    says: str
    does: str
    source: str
    test: str
    absent: tuple[str, ...] = ()
    type: str | None = None
    needs: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    count: dict[str, int] = {}
    costs: tuple[str, ...] = ()


class _Signs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names by which a CapabilityStatement is recognised."""

    software: tuple[str, ...] = ()
    publisher: tuple[str, ...] = ()


class Dialect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One make of server."""

    name: str
    recognised_by: _Signs
    quirks: tuple[Quirk, ...]

    def refuses(self, resource: str, parameters: Mapping[str, str]) -> str | None:
        """Returns in words why this server does not answer such a search, or None where it may."""
        for quirk in self.quirks:
            if resource in quirk.absent:
                return f"{self.name} has no {resource}"
            if quirk.type != resource:
                continue
            if quirk.needs and not set(quirk.needs) & set(parameters):
                return f"{self.name} wants {' or '.join(quirk.needs)} in a search of {resource}"
            asked = {value.rpartition("|")[2] for value in parameters.get("category", "").split(",") if value}
            if quirk.categories and not asked <= set(quirk.categories):
                return f"{self.name} does not know the category in a search of {resource}"
        return None

    def lacks(self, resource: str) -> bool:
        """Says whether this server has no such resource type."""
        return any(resource in quirk.absent for quirk in self.quirks)

    def count(self, resource: str) -> int | None:
        """Returns how large a page to ask for, or None to leave it to the server."""
        return next((quirk.count[resource] for quirk in self.quirks if resource in quirk.count), None)


ready(Dialect)


@cache
def dialects() -> Mapping[str, Dialect]:
    """Returns every known dialect by its short name."""
    folder = files("plugin") / "servers"
    found = {
        file.name.removesuffix(".yaml"): msgspec.convert(read_yaml(file.read_text(encoding="utf-8")), Dialect)
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".yaml")
    }
    return MappingProxyType(found)


def recognised(statement: Mapping[str, Any]) -> Dialect | None:
    """Returns the dialect that a CapabilityStatement names itself, or None."""
    software = statement.get("software")
    name = software.get("name") if isinstance(software, Mapping) else None
    publisher = statement.get("publisher")
    for dialect in dialects().values():
        signs = dialect.recognised_by
        if name in signs.software or publisher in signs.publisher:
            return dialect
    return None
