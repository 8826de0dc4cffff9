"""The manifest: what a run is about to create and has created, on disk before each request goes out.

A file of JSON lines, written through to the disk. The first line says what it is; after a crash or a power
cut it still names everything that may have been created, and `vestige interop --clean` removes that.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from plugin.address import AddressError, base_of
from plugin.errors import InputError

FORMAT = "vestige-interop-manifest"
VERSION = 1


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One resource: its type, the identifier it is known by, and its id once it is known."""

    type: str
    identifier: str
    id: str | None = None

    @property
    def name(self) -> str:
        """Type and identifier in one."""
        return f"{self.type}|{self.identifier}"


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    version: int
    run: str
    base: str
    started: str


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    did: str
    type: str
    identifier: str
    id: str | None = None


def new_run() -> str:
    """Returns an id that no other run has."""
    return f"vi-{secrets.token_hex(6)}"


class Manifest:
    """One run's manifest, open for appending."""

    def __init__(self, path: Path, run: str, base: str, planned: Iterable[Planned] = ()) -> None:
        self.path = path
        self.run = run
        self.base = base
        self._left: dict[str, Planned] = {one.name: one for one in planned}
        self._made: set[str] = set()

    @classmethod
    def begun(cls, path: Path, run: str, base: str) -> Manifest:
        """Returns a new manifest; raises InputError where the file exists or cannot be written."""
        head = _Head(
            format=FORMAT, version=VERSION, run=run, base=base, started=datetime.now(UTC).isoformat()
        )
        try:
            with path.open("xb") as file:
                _through(file, [head])
        except FileExistsError:
            raise InputError(f"{path}: exists; give another file, or clean up with it first") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
        return cls(path, run, base)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Returns what is left of a run; raises InputError for a file that is no manifest.

        The last line may be cut short by a crash: what it would have said was not yet sent.
        """
        try:
            first, *rest = path.read_bytes().split(b"\n")
            head = msgspec.json.decode(first, type=_Head)
            base = base_of(head.base)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
        except (msgspec.MsgspecError, AddressError, ValueError) as error:
            raise InputError(f"{path}: is no manifest of a run: {error}") from error
        if head.format != FORMAT or head.version != VERSION or not head.run.startswith("vi-"):
            raise InputError(f"{path}: is no manifest that this version reads")
        found = cls(path, head.run, base)
        for number, line in enumerate(rest, start=2):
            if not line.strip():
                continue
            try:
                found._take(msgspec.json.decode(line, type=_Line))
            except msgspec.MsgspecError as error:
                if number < len(rest):
                    raise InputError(f"{path}: line {number} cannot be read: {error}") from error
        return found

    @property
    def left(self) -> tuple[Planned, ...]:
        """What may still be there, in the order of creation."""
        return tuple(self._left.values())

    @property
    def made(self) -> frozenset[str]:
        """The names of what the server said it created."""
        return frozenset(self._made)

    def plan(self, resources: Iterable[Planned]) -> None:
        """Writes what is about to be created."""
        self._write("plan", resources)

    def created(self, resources: Iterable[Planned]) -> None:
        """Writes what the server created, with the ids it gave."""
        self._write("made", resources)

    def gone(self, resources: Iterable[Planned]) -> None:
        """Writes what was removed, or never came to be."""
        self._write("gone", resources)

    def finish(self) -> None:
        """Removes the file where nothing is left."""
        if not self._left:
            self.path.unlink(missing_ok=True)

    def _write(self, did: str, resources: Iterable[Planned]) -> None:
        lines = [_Line(did=did, type=one.type, identifier=one.identifier, id=one.id) for one in resources]
        if not lines:
            return
        try:
            with self.path.open("ab") as file:
                _through(file, lines)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror or error}") from error
        for line in lines:
            self._take(line)

    def _take(self, line: _Line) -> None:
        one = Planned(type=line.type, identifier=line.identifier, id=line.id)
        if line.did == "gone":
            self._left.pop(one.name, None)
            return
        self._left[one.name] = one
        if line.did == "made":
            self._made.add(one.name)


def _through(file: Any, lines: Iterable[msgspec.Struct]) -> None:
    """Writes the lines and waits until they are on the disk: only then may a request go out."""
    file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    file.flush()
    os.fsync(file.fileno())
