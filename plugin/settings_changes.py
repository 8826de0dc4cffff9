"""What differs between two settings, by key and never by value, and what takes a restart to change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from plugin.errors import SettingsError
from plugin.settings import Settings

RESTART = (
    "service.host", "service.port", "service.open", "service.tls_cert", "service.tls_key",
    "service.tls_client_ca", "service.log", "service.hook_deadline", "service.calls_at_once",
    "service.calls_waiting", "store.url", "store.spool", "store.spool_max", "store.on_failure",
    "store.pseudonym_key", "trust.replay_store", "traces",
)  # fmt: skip
"""Keys, and a section, that are read at the start only: sockets, threads, database, replay store, traces."""

# By which member an entry of a list is named: a place would change with every entry before it.
_NAMES = ("issuer", "base", "server", "label")


def marks(settings: Settings) -> dict[str, str]:
    """Returns every key with a text that changes with its value, or with the content of the file it names.

    The texts hold secrets: they are compared, or digested under a key, and never shown.
    """
    return dict(_marks(settings, ""))


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the keys whose marks differ, those among them that came or went."""
    return tuple(sorted(key for key in {*before, *after} if before.get(key) != after.get(key)))


def kept(before: Settings, after: Settings) -> Settings:
    """Returns the later settings with those values of the earlier ones that take a restart to change."""
    for key in RESTART:
        section, _, name = key.partition(".")
        value = getattr(before, section)
        if name:
            held = getattr(value, name)
            value = msgspec.structs.replace(getattr(after, section), **{name: held})
        after = msgspec.structs.replace(after, **{section: value})
    return after


def takes_restart(keys: Iterable[str]) -> tuple[str, ...]:
    """Returns those of the keys that are read at the start only."""
    return tuple(key for key in keys if key in RESTART or key.split(".", 1)[0] in RESTART)


def _marks(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _marks(getattr(value, name), f"{at}.{name}" if at else name)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _marks(one, f"{at}.{name}")
    elif isinstance(value, tuple) and any(isinstance(one, msgspec.Struct) for one in value):
        for number, one in enumerate(value):
            yield from _marks(one, f"{at}[{_name(one, number)}]")
        # Which comes first may matter: the first code of an order is the one that is suggested.
        yield at, repr([_name(one, number) for number, one in enumerate(value)])
    elif isinstance(value, Path):
        yield at, f"{value} {_content(value)}"
    else:
        yield at, repr(value)


def _name(entry: Any, number: int) -> str:
    found = next((getattr(entry, name) for name in _NAMES if hasattr(entry, name)), None)
    return found if isinstance(found, str) else str(number)


def _content(file: Path) -> str:
    """A digest of what is in a file; a folder has the revision of its rules."""
    if file.is_dir():
        return "folder"
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "none"
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror or error}") from error
