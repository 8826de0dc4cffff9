"""The objects inside answers (cards, suggestions, actions, links), and how their members are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from cds_hooks.conformance.checks import Skip

if TYPE_CHECKING:
    from cds_hooks.conformance.services import Call


@dataclass(frozen=True)
class Item:
    """One object of an answer (a card, a suggestion, an action, a link), and where it stands."""

    held: dict[str, Any]
    where: str
    call: Call


def now() -> str:
    """Returns the time as feedback states it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(value: Any) -> list[Any]:
    """Returns the value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def present(items: Sequence[Item], name: str) -> Iterator[tuple[Item, Any]]:
    """Yields the items that have a member which is not null, with its value; raises Skip where none has."""
    found = [(item, item.held[name]) for item in items if item.held.get(name) is not None]
    if not found:
        raise Skip(f"no {name} was shown for any of the patients")
    yield from found


def filled(value: Any) -> TypeGuard[str]:
    """Returns whether a value is text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def without_ids(document: Any) -> Any:
    """Returns a document without the uuids that differ from answer to answer."""
    if isinstance(document, dict):
        return {
            name: without_ids(value)
            for name, value in document.items()
            if not (name in ("uuid", "id", "fullUrl") and isinstance(value, str))
        }
    if isinstance(document, list):
        return [without_ids(value) for value in document]
    return document
