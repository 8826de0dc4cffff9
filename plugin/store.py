"""The site's database: feedback on cards, and the record of every decision, which is only ever added to."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from plugin.errors import StoreError
from plugin.record import Record

# The newest step in plugin/migrations; a database that has it already is opened without loading Alembic.
HEAD = "0001"
_MIGRATIONS = Path(__file__).parent / "migrations"

# Alembic keeps the step at hand in its module, one at a time for the whole process.
_migrating = threading.Lock()

_meta = sa.MetaData()
_version = sa.Table("alembic_version", _meta, sa.Column("version_num", sa.String(32)))
_feedback = sa.Table(
    "feedback",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64)),
    sa.Column("received", sa.String(32)),
    sa.Column("at", sa.String(32)),
    *(sa.Column(name, sa.Text) for name in ("client", "service", "card", "outcome", "accepted")),
    *(sa.Column(name, sa.Text) for name in ("reason_system", "reason_code", "reason_display", "comment")),
)
_record = sa.Table(
    "decision_record",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("record", "made", "digest", "body")),
)
_key = sa.Table(
    "pseudonym_key", _meta, sa.Column("id", sa.Integer, primary_key=True), sa.Column("key", sa.String(64))
)


class FeedbackItem(Protocol):
    """What one user did with one card, as the protocol layer read it."""

    @property
    def service(self) -> str: ...
    @property
    def card(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def accepted(self) -> tuple[str, ...]: ...
    @property
    def reason_system(self) -> str | None: ...
    @property
    def reason_code(self) -> str | None: ...
    @property
    def reason_display(self) -> str | None: ...
    @property
    def comment(self) -> str | None: ...
    @property
    def client(self) -> str | None: ...


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """One stored piece of feedback; `received` is when it came."""

    service: str
    card: str
    outcome: str
    at: datetime
    received: datetime
    accepted: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    reason_display: str | None = None
    comment: str | None = None
    client: str | None = None


class Store:
    """One database, by any SQLAlchemy URL; safe to use from several threads and processes.

    Every method raises StoreError where the database cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._name = self._engine.url.render_as_string(hide_password=True)
        with self._guarded():
            _upgrade(self._engine)

    def add_feedback(self, items: Sequence[FeedbackItem]) -> int:
        """Keeps all items or none, the same one sent again only once; returns how many were new."""
        received = datetime.now(UTC)
        with self._guarded(), self._engine.begin() as connection:
            return sum(_add_once(connection, _row(item, received)) for item in items)

    def feedback(self) -> tuple[Feedback, ...]:
        """Returns all feedback in the order it came."""
        with self._guarded(), self._engine.connect() as connection:
            rows = connection.execute(sa.select(_feedback).order_by(_feedback.c.id)).mappings()
            return tuple(_read(row) for row in rows)

    def add_record(self, record: Record) -> None:
        """Adds one decision record."""
        body = msgspec.json.encode(record, order="deterministic").decode()
        values = {"record": record.id, "made": _text(record.made), "digest": _digest(body), "body": body}
        with self._guarded(), self._engine.begin() as connection:
            connection.execute(sa.insert(_record).values(values))

    def records(self) -> Iterator[Record]:
        """Yields every decision record, oldest first; raises StoreError at one that was changed."""
        with self._guarded(), self._engine.connect() as connection:
            rows = connection.execute(sa.select(_record).order_by(_record.c.id)).mappings()
            for row in rows:
                if _digest(row["body"]) != row["digest"]:
                    raise StoreError(
                        f"{self._name}: decision record {row['record']} was changed after it was written"
                    )
                yield msgspec.json.decode(row["body"], type=Record)

    def pseudonym_key(self) -> bytes:
        """Returns the key under which this database's pseudonyms are made; made once, at first use."""
        with self._guarded(), self._engine.begin() as connection:
            found = connection.execute(sa.select(_key.c.key)).scalar()
            if found is None:
                _add_once(connection, {"id": 1, "key": secrets.token_hex(32)}, _key)
                found = connection.execute(sa.select(_key.c.key)).scalar_one()
            return bytes.fromhex(found)

    def check(self) -> None:
        """Raises StoreError where the database cannot be reached or has not the shape this version needs."""
        with self._guarded():
            found = _version_of(self._engine)
        if found != HEAD:
            raise StoreError(f"{self._name}: is at step {found}, this version needs {HEAD}")

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            # Only the kind of fault: the text of the driver may repeat values.
            raise StoreError(f"{self._name}: the database cannot be used: {_kind(error)}") from error


def _kind(error: SQLAlchemyError) -> str:
    inner = getattr(error, "orig", None)
    return type(inner if inner is not None else error).__name__


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        memory = parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:")
        more: dict[str, Any] = {"poolclass": StaticPool} if memory else {"pool_pre_ping": True}
        engine = sa.create_engine(parsed, hide_parameters=True, **more)
    except ModuleNotFoundError as error:
        hint = "install vestige[postgres]" if "psycopg" in str(error) else f"install {error.name}"
        raise StoreError(f"store.url: the database driver is not installed: {hint}") from error
    except (SQLAlchemyError, ValueError) as error:
        # The address itself is not repeated: it may hold a password.
        raise StoreError(
            "store.url: is no database address; write for example sqlite:///vestige.db"
        ) from error
    if engine.dialect.name not in ("sqlite", "postgresql"):
        raise StoreError(f"store.url: {engine.dialect.name} is not supported; use SQLite or PostgreSQL")
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # The patience first: the change to a write-ahead log may itself have to wait for another worker.
    for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _version_of(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(_version.name):
            return None
        found: str | None = connection.execute(sa.select(_version.c.version_num)).scalar()
        return found


def _upgrade(engine: sa.Engine) -> None:
    if _version_of(engine) == HEAD:
        return
    # Half a second to import: only for a database that is new or old.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with _migrating, engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError:
        # Several workers may start at once: whoever came first is doing it.
        if not _becomes_ready(engine):
            raise


def _becomes_ready(engine: sa.Engine) -> bool:
    for _ in range(50):
        if _version_of(engine) == HEAD:
            return True
        time.sleep(0.1)
    return False


def _add_once(connection: sa.Connection, values: Mapping[str, Any], table: sa.Table = _feedback) -> bool:
    """Adds a row unless it is there, and says whether it was new."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    result = connection.execute(insert(table).values(values).on_conflict_do_nothing())
    return result.rowcount == 1


def _row(item: FeedbackItem, received: datetime) -> dict[str, Any]:
    values = {
        "at": _text(item.at),
        "client": item.client,
        "service": item.service,
        "card": item.card,
        "outcome": item.outcome,
        "accepted": msgspec.json.encode(item.accepted).decode(),
        "reason_system": item.reason_system,
        "reason_code": item.reason_code,
        "reason_display": item.reason_display,
        "comment": item.comment,
    }
    body = msgspec.json.encode(values, order="deterministic").decode()
    return {**values, "received": _text(received), "digest": _digest(body)}


def _read(row: sa.RowMapping) -> Feedback:
    accepted = msgspec.json.decode(row["accepted"], type=tuple[str, ...])
    named = {name: row[name] for name in Feedback.__struct_fields__ if name != "accepted"}
    return msgspec.convert({**named, "accepted": accepted}, Feedback)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
