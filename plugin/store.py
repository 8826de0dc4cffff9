"""The site's database: feedback, the cards that were sent, and decision records, which are only added to."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from plugin import links
from plugin.database import (
    HEAD,
    engine_of,
    in_memory,
    insert_into,
    kind_of,
    require_file,
    upgrade,
    version_of,
)
from plugin.errors import StoreError, StoreRefusal
from plugin.links import Checked, Head
from plugin.ready import ready
from plugin.record import Entry, Record
from plugin.rows import Feedback, FeedbackItem, digest, feedback_of, feedback_row, text
from plugin.sent import Answered, SentCard
from plugin.sent_query import add_sent, answers_to, cards_of, same_client, was_answered
from plugin.tables import FEEDBACK, KEY, RECORD, SEGMENT, SENT_CARD

__all__ = ["HEAD", "Feedback", "FeedbackItem", "Store"]


class Store:
    """One database, by any SQLAlchemy URL; safe to use from several threads and processes.

    Every method raises StoreError where the database cannot be used. `create` False opens one that is there
    and leaves it as it is.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self._engine = engine_of(url)
        self.worker = links.worker_name()
        self._name = self._engine.url.render_as_string(hide_password=True)
        # A database in memory is one connection, whose transactions threads must not share.
        self._alone = threading.RLock() if in_memory(self._engine.url) else nullcontext()
        try:
            if create:
                with self._guarded():
                    upgrade(self._engine)
            else:
                require_file(self._engine.url)
                self.check()
        except StoreError:
            self.close()
            raise

    def add_feedback(self, items: Sequence[FeedbackItem]) -> int:
        """Keeps all items or none, the same one sent again only once; returns how many were new."""
        received = datetime.now(UTC)
        with self._guarded(), self._engine.begin() as connection:
            return sum(_add_once(connection, feedback_row(item, received)) for item in items)

    def feedback(self) -> tuple[Feedback, ...]:
        """Returns all feedback in the order it came."""
        with self._guarded(), self._engine.connect() as connection:
            rows = connection.execute(sa.select(FEEDBACK).order_by(FEEDBACK.c.id)).mappings()
            return tuple(feedback_of(row) for row in rows)

    def add_record(self, record: Record, cards: Sequence[SentCard] = ()) -> None:
        """Adds one decision record and the cards that were sent on it, all or nothing."""
        with self._guarded(), self._engine.begin() as connection:
            _add_records(connection, self.worker, [record])
            add_sent(connection, cards)

    def keep(self, entries: Sequence[Entry], worker: str) -> None:
        """Adds what a worker recorded, all or nothing and on the disk; what is there already is left out."""
        with self._guarded(), self._engine.connect() as connection, _on_disk(connection), connection.begin():
            _keep(connection, worker, entries)

    def heads(self) -> tuple[Head, ...]:
        """Returns the head of every worker's day of decision records, those dropped among them."""
        with self._guarded(), self._engine.connect() as connection:
            return tuple(links.heads(connection))

    def verify(self) -> Iterator[Checked]:
        """Yields what the hash chain of each worker and day says of its decision records."""
        for head in self.heads():
            with self._guarded(), self._engine.connect() as connection:
                yield links.check(connection, _now(connection, head))

    def unlinked(self) -> int:
        """Returns how many decision records stand in no hash chain."""
        with self._guarded(), self._engine.connect() as connection:
            return links.unlinked(connection)

    def link_at(self, segment: str, place: int) -> str | None:
        """Returns the link of one decision record, None where it is not there."""
        with self._guarded(), self._engine.connect() as connection:
            return links.link_at(connection, segment, place)

    def droppable(self, before: date) -> tuple[Head, ...]:
        """Returns the heads of the days before a day whose records are still there."""
        return tuple(links.droppable(list(self.heads()), before))

    def drop(self, before: date) -> tuple[Head, ...]:
        """Drops the records of whole days before a day, keeps their heads, and returns these."""
        gone = self.droppable(before)
        for head in gone:
            with self._guarded(), self._engine.begin() as connection:
                links.drop(connection, head, datetime.now(UTC))
        return gone

    def add_sent(self, cards: Sequence[SentCard]) -> None:
        """Adds cards that were sent where no decision record is kept."""
        with self._guarded(), self._engine.begin() as connection:
            add_sent(connection, cards)

    def records(self) -> Iterator[Record]:
        """Yields every decision record, oldest first; raises StoreError at one that was changed."""
        with self._guarded(), self._engine.connect() as connection:
            rows = connection.execute(sa.select(RECORD).order_by(RECORD.c.id)).mappings()
            for row in rows:
                yield self._record(row)

    def record_of(self, card: str) -> Record | None:
        """Returns the decision record behind a card, None where there is none; StoreError where changed."""
        query = (
            sa.select(RECORD)
            .join(SENT_CARD, SENT_CARD.c.record == RECORD.c.record)
            .where(SENT_CARD.c.card == card)
        )
        with self._guarded(), self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else self._record(row)

    def answered(self, patient: str) -> tuple[Answered, ...]:
        """Returns the cards of a patient (a pseudonym) that were answered, in the order they were sent."""
        with self._guarded(), self._engine.connect() as connection:
            cards = cards_of(connection, SENT_CARD.c.patient == patient, was_answered())
            return tuple(one for one in answers_to(connection, cards) if one.reply is not None)

    def sent(self, since: datetime | None = None) -> tuple[Answered, ...]:
        """Returns every card sent, from a moment on, with the answer that stands for it, in order."""
        wanted = sa.true() if since is None else SENT_CARD.c.made >= text(since)
        with self._guarded(), self._engine.connect() as connection:
            return tuple(answers_to(connection, cards_of(connection, wanted)))

    def unmatched(self, since: datetime | None = None) -> int:
        """Returns how many pieces of feedback name no card that was sent to their client."""
        wanted = sa.true() if since is None else FEEDBACK.c.received >= text(since)
        known = sa.exists().where(SENT_CARD.c.card == FEEDBACK.c.card, *same_client())
        query = sa.select(sa.func.count()).select_from(FEEDBACK).where(wanted, ~known)
        with self._guarded(), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def pseudonym_key(self) -> bytes:
        """Returns the key under which this database's pseudonyms are made; made once, at first use."""
        with self._guarded(), self._engine.begin() as connection:
            found = connection.execute(sa.select(KEY.c.key)).scalar()
            if found is None:
                _add_once(connection, {"id": 1, "key": secrets.token_hex(32)}, KEY)
                found = connection.execute(sa.select(KEY.c.key)).scalar_one()
            return bytes.fromhex(found)

    def check(self) -> None:
        """Raises StoreError where the database cannot be reached or has not the shape this version needs."""
        with self._guarded():
            found = version_of(self._engine)
        if found != HEAD:
            raise StoreError(f"{self._name}: is at step {found}, this version needs {HEAD}")

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def _record(self, row: sa.RowMapping) -> Record:
        if digest(row["body"]) != row["digest"]:
            raise StoreError(
                f"{self._name}: decision record {row['record']} was changed after it was written"
            )
        return msgspec.json.decode(row["body"], type=Record)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with self._alone:
                yield
        except (IntegrityError, DataError) as error:
            raise StoreRefusal(f"{self._name}: does not take what it was given: {kind_of(error)}") from error
        except SQLAlchemyError as error:
            raise StoreError(f"{self._name}: the database cannot be used: {kind_of(error)}") from error
        except msgspec.MsgspecError as error:
            # What the row holds is not repeated.
            raise StoreError(f"{self._name}: holds a row that this version cannot read") from error


def _add_once(connection: sa.Connection, values: Mapping[str, Any], table: sa.Table = FEEDBACK) -> bool:
    """Adds a row unless it is there, and says whether it was new."""
    statement = insert_into(table, connection).values(values).on_conflict_do_nothing().returning(table.c.id)
    return connection.execute(statement).first() is not None


def _add_records(connection: sa.Connection, worker: str, records: Iterable[Record]) -> None:
    links.add_linked(connection, worker, [(record.made, _row(record)) for record in records])


def _row(record: Record) -> dict[str, str]:
    body = msgspec.json.encode(record, order="deterministic").decode()
    return {"record": record.id, "made": text(record.made), "digest": digest(body), "body": body}


def _keep(connection: sa.Connection, worker: str, entries: Sequence[Entry]) -> None:
    """Adds what is not there: the process may have ended between writing it here and saying so."""
    # What comes twice in one portion is kept once, too.
    once: dict[str | int, Entry] = {}
    for at, entry in enumerate(entries):
        once.setdefault(entry.record.id if entry.record is not None else at, entry)
    there = _found(connection, RECORD.c.record, [name for name in once if isinstance(name, str)])
    new = [entry for name, entry in once.items() if name not in there]
    _add_records(connection, worker, [entry.record for entry in new if entry.record is not None])
    cards = {card.card: card for entry in new for card in entry.sent}
    known = _found(connection, SENT_CARD.c.card, list(cards))
    add_sent(connection, [card for name, card in cards.items() if name not in known])


def _found(connection: sa.Connection, column: sa.Column[str], wanted: Sequence[str]) -> set[str]:
    """Returns those of the values that a column has."""
    query = sa.select(column).where(column.in_(wanted))
    return set(connection.execute(query).scalars()) if wanted else set()


def _now(connection: sa.Connection, head: Head) -> Head:
    """Returns a head as it is within this transaction: a worker may have added to it since."""
    query = sa.select(SEGMENT).where(SEGMENT.c.segment == head.segment)
    return Head(**connection.execute(query).mappings().one())


@contextmanager
def _on_disk(connection: sa.Connection) -> Iterator[None]:
    """Lets SQLite say that it is done only once the disk has it, which is slower and done here only."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA synchronous = FULL")
    connection.commit()
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
        connection.commit()


ready(Record)
