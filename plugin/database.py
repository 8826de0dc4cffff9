"""The database behind a URL: its engine, and the steps that bring its tables to what this version reads."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from plugin.errors import StoreAddressError, StoreError
from plugin.tables import VERSION

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

# The newest step in plugin/migrations; a database that has it already is opened without loading Alembic.
HEAD = "0004"
# What goes when a step is taken back, by step; the first one is never taken back.
GOING_BACK = {
    "0002": "the cards that were sent, so that advice that was answered is shown again",
    "0003": "the tokens that were used, so that one that is still valid is accepted a second time",
    "0004": "the hash chains of the decision records and their heads",
}
MIGRATIONS = Path(__file__).parent / "migrations"

# How long a database that does not answer is waited for; the driver's own patience is minutes.
CONNECT_SECONDS = 5
LOST_MILLISECONDS = 10_000

# Alembic keeps the step at hand in its module, one at a time for the whole process.
_migrating = threading.Lock()


def engine_of(url: str) -> sa.Engine:
    """Returns the engine for a database URL.

    Raises StoreAddressError where the URL cannot be used, StoreError where its driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        backend = parsed.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise StoreAddressError(f"store.url: {backend} is not supported; use SQLite or PostgreSQL")
        more: dict[str, Any] = {"pool_pre_ping": True}
        if in_memory(parsed):
            more = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        elif backend == "postgresql":
            patience = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": LOST_MILLISECONDS}
            more["connect_args"] = {k: v for k, v in patience.items() if k not in parsed.query}
        engine = sa.create_engine(parsed, hide_parameters=True, **more)
    except ModuleNotFoundError as error:
        hint = "install vestige[postgres]" if "psycopg" in str(error) else f"install {error.name}"
        raise StoreError(f"store.url: the database driver is not installed: {hint}") from error
    except (SQLAlchemyError, ValueError) as error:
        # The address itself is not repeated: it may hold a password.
        raise StoreAddressError(
            "store.url: is no database address; write for example sqlite:///vestige.db"
        ) from error
    if backend == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def insert_into(table: sa.Table, connection: sa.Connection) -> postgresql.Insert | sqlite.Insert:
    """Returns an insert that can pass over what is there already, as this make of database writes it."""
    # Each only where it is used: that of PostgreSQL takes as long to load as all that reads FHIR.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def in_memory(url: sa.URL) -> bool:
    """Tells whether a URL names an SQLite database that lives in this process only."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def require_file(url: sa.URL) -> None:
    """Raises StoreError where the file of an SQLite database is not there: a reader must not make one."""
    if url.get_backend_name() == "sqlite" and (in_memory(url) or not Path(url.database or "").is_file()):
        name = url.render_as_string(hide_password=True)
        raise StoreError(f"{name}: there is no such database; name the one that the service writes to")


def version_of(engine: sa.Engine) -> str | None:
    """Returns the step a database is at, None for an empty one."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(VERSION.name):
            return None
        found: str | None = connection.execute(sa.select(VERSION.c.version_num)).scalar()
        return found


def upgrade(engine: sa.Engine) -> None:
    """Brings a database to the newest step, whoever else does the same at the same time."""
    if version_of(engine) == HEAD:
        return
    try:
        _step(engine, "upgrade", HEAD)
    except SQLAlchemyError:
        # Several workers may start at once: whoever came first is doing it.
        if not _becomes_ready(engine):
            raise


def migrate(url: str, step: str = HEAD) -> None:
    """Brings a database to a step, forward or back; raises StoreError where that cannot be done.

    Going back drops what the later steps brought. A step before the first would drop the decision records
    and is refused.
    """
    if not step.isdigit() or not 1 <= int(step) <= int(HEAD):
        raise StoreError(f"there is no step {step}; the steps are 0001 to {HEAD}")
    engine = engine_of(url)
    try:
        now = version_of(engine)
        _step(engine, "downgrade" if now is not None and int(step) < int(now) else "upgrade", step)
    except SQLAlchemyError as error:
        name = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"{name}: cannot be brought to step {step}: {kind_of(error)}") from error
    finally:
        engine.dispose()


def kind_of(error: SQLAlchemyError) -> str:
    """Returns the kind of a fault only: the text of the driver may repeat values."""
    inner = getattr(error, "orig", None)
    return type(inner if inner is not None else error).__name__


def _step(engine: sa.Engine, direction: str, step: str) -> None:
    # Half a second to import: only for a database that is new or at another step.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _migrating, engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            # The driver opens no transaction before a change of tables: half a step could stay behind.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        try:
            getattr(command, direction)(config, step)
        except CommandError as error:
            name = engine.url.render_as_string(hide_password=True)
            raise StoreError(
                f"{name}: is at a step that this version does not know; a newer version has opened it"
            ) from error


def _becomes_ready(engine: sa.Engine) -> bool:
    for _ in range(50):
        if version_of(engine) == HEAD:
            return True
        time.sleep(0.1)
    return False


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # The patience first: the change to a write-ahead log may itself have to wait for another worker.
    for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
