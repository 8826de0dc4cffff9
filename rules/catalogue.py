"""The catalogue of a pack: every id that it promises, and the statements or checks that keep the promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rules.errors import PackError, Problem
from rules.language import Pack

FILE = "catalogue.yaml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One id of the catalogue: the statements that decide it, or the checks made when the pack is built."""

    id: str
    title: str
    rules: tuple[str, ...]
    checks: tuple[str, ...]


def catalogue_of(pack: Pack) -> tuple[Entry, ...]:
    """Returns every id of the pack's catalogue in its order; empty where the pack has none.

    Raises PackError where an entry names neither a statement nor a check, or a statement that is not there.
    """
    document = _document(pack)
    entries: Mapping[str, Any] = document.get("catalogue", {})
    return tuple(_entry(pack, str(id_), dict(fields)) for id_, fields in entries.items())


def further(pack: Pack) -> tuple[str, ...]:
    """Returns the statements with findings that the pack has beside its catalogue."""
    return tuple(str(one) for one in _document(pack).get("further", ()))


def _document(pack: Pack) -> dict[str, Any]:
    file = pack.folder / FILE
    if not file.is_file():
        return {}
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not isinstance(document.get("catalogue"), dict):
        raise PackError((Problem(FILE, 1, "the file holds a mapping 'catalogue:' of ids"),))
    return document


def _entry(pack: Pack, id_: str, fields: Mapping[str, Any]) -> Entry:
    rules = tuple(str(one) for one in fields.get("rules", ()))
    checks = tuple(str(one) for one in fields.get("checks", ()))
    unknown = [rule for rule in rules if rule not in pack.statements]
    if unknown or not (rules or checks):
        what = f"names no statement: {', '.join(unknown)}" if unknown else "names neither rules nor checks"
        raise PackError((Problem(FILE, 1, f"{id_} {what}"),))
    title = str(fields["title"]) if "title" in fields else pack.statements[rules[0]].title
    return Entry(id_, title, rules, checks)
