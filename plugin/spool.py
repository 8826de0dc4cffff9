"""The spool: a file for each worker in which entries wait until the database has them.

A line is the SHA-256 of an entry, a blank, and the entry as JSON. The worker holds a lock on its file, so
that whoever comes after a crash knows which files were left behind.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import msgspec
import sqlalchemy as sa

from plugin.database import in_memory
from plugin.errors import StoreError
from plugin.ready import ready
from plugin.record import Entry

SUFFIX = ".spool"
BROKEN = ".broken"
PORTION = 50
PORTION_BYTES = 1024 * 1024


def folder_of(url: str, configured: Path | None) -> Path | None:
    """Returns the folder in which records wait for a database; None for one that lives in memory."""
    parsed = sa.make_url(url)
    if configured is not None:
        return configured
    if in_memory(parsed):
        return None
    if parsed.get_backend_name() == "sqlite" and not (parsed.database or "").startswith("file:"):
        return Path(f"{parsed.database}-spool")
    return Path("vestige-spool")


class Spool:
    """One worker's file; entries are added by any thread and taken by one."""

    def __init__(self, folder: Path, worker: str, limit: int) -> None:
        self._path = folder / f"{worker}{SUFFIX}"
        self._limit = limit
        self._lock = threading.Lock()
        self._lengths: deque[int] = deque()
        self._taken = self._written = 0
        self._synced = True
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = _own(self._path)
        except OSError as error:
            raise StoreError(f"store.spool: {folder} cannot be written: {error.strerror}") from error

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return len(self._lengths)

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return self._written

    def add(self, entry: Entry) -> None:
        """Adds an entry whole, so that it outlives this process; raises OSError and leaves nothing of it."""
        line = line_of(entry)
        with self._lock:
            if self._written + len(line) > self._limit:
                raise OSError(errno.ENOSPC, f"more than {self._limit} bytes (store.spool_max) wait")
            try:
                self._write(line)
            except OSError:
                os.ftruncate(self._file, self._written)
                raise
            self._written += len(line)
            self._lengths.append(len(line))
            self._synced = False

    def sync(self) -> None:
        """Returns once the disk has what was added before; raises OSError where it does not take it."""
        with self._lock:
            due, self._synced = not self._synced, True
        if due:
            os.fsync(self._file)

    def portion(self) -> list[Entry | bytes]:
        """Returns the next entries, oldest first, without taking them; of a line that is spoilt its bytes."""
        with self._lock:
            lengths = _few(list(self._lengths)[:PORTION])
            data = os.pread(self._file, sum(lengths), self._taken)
        ends = list(accumulate(lengths))
        return [_read(data[end - length : end]) for end, length in zip(ends, lengths, strict=True)]

    def take(self, count: int) -> None:
        """Takes the oldest entries away: the database has them."""
        with self._lock:
            for _ in range(count):
                self._taken += self._lengths.popleft()
            if not self._lengths:
                os.ftruncate(self._file, 0)
                self._taken = self._written = 0

    def close(self) -> None:
        """Closes the file, and removes it where nothing waits in it."""
        with self._lock:
            if not self._lengths:
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            # What comes later fails, whatever else has the number by then.
            self._file = -1

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self._file, view) :]


def line_of(entry: Entry) -> bytes:
    """Returns an entry as the line of a spool."""
    body = msgspec.json.encode(entry)
    return sha256(body).hexdigest().encode() + b" " + body + b"\n"


def entry_of(line: bytes) -> Entry:
    """Returns the entry of a line; raises ValueError where it is torn or was changed."""
    mark, _, body = line.rstrip(b"\n").partition(b" ")
    if sha256(body).hexdigest().encode() != mark:
        raise ValueError("a line of the spool is torn or was changed")
    return msgspec.json.decode(body, type=Entry)


class Left:
    """A file that a worker left behind, locked for whoever brings its entries to the database."""

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file = path, file
        self.worker = path.name.removesuffix(SUFFIX)

    def entries(self) -> Iterator[Entry | bytes]:
        """Yields the entries, oldest first; of a line that is spoilt its bytes."""
        with os.fdopen(os.dup(self._file), "rb") as stream:
            stream.seek(0)
            yield from map(_read, stream)

    def remove(self) -> None:
        """Removes the file: the database has what was in it."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._file)


def left_behind(folder: Path) -> Iterator[Left]:
    """Yields the files whose workers are gone, one at a time."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        left = Left(path, file)
        try:
            yield left
        finally:
            left.close()


def set_aside(folder: Path, worker: str, line: bytes) -> None:
    """Keeps what cannot be brought to the database in a file beside the spool, for a person to look at."""
    file = os.open(folder / f"{worker}{BROKEN}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line if line.endswith(b"\n") else line + b"\n")
        os.fsync(file)
    finally:
        os.close(file)


def _read(line: bytes) -> Entry | bytes:
    try:
        return entry_of(line)
    except (ValueError, msgspec.MsgspecError):
        return line


def _own(path: Path) -> int:
    """Returns the new file of this worker, locked; another worker may have taken it for one left behind."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return file
        os.close(file)


def _few(lengths: list[int]) -> list[int]:
    """Returns as many of the first lengths as make a portion, at least one."""
    total, found = 0, list[int]()
    for length in lengths:
        if found and total + length > PORTION_BYTES:
            break
        total += length
        found.append(length)
    return found


ready(Entry)
