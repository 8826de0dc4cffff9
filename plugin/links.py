"""The hash chain over the decision records of one worker and day, its head, and what checks it.

A segment is what one worker recorded on one day (UTC). The link of a record is the SHA-256 of the link before
it and of the digest of its body; the first follows the SHA-256 of the segment's name. The head of a segment,
with the number of its records, stays when retention drops the records.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa

from plugin.database import insert_into
from plugin.rows import digest, text
from plugin.tables import RECORD, SEGMENT

PORTION = 200


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The head of one segment: how many records it had, how many of them retention dropped, and when."""

    segment: str
    day: str
    records: int
    head: str
    dropped: int = 0
    dropped_head: str | None = None
    dropped_at: str | None = None


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of one segment found; `broken` names its first broken link, None where all hold."""

    segment: str
    records: int
    dropped: int
    head: str
    broken: str | None = None


def worker_name() -> str:
    """Returns a new name for a worker: its host, its process, and what tells it from an earlier one."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:80]
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"


def first_link(segment: str) -> str:
    """Returns what the first record of a segment follows."""
    return digest(segment)


def next_link(previous: str, body_digest: str) -> str:
    """Returns the link of a record that follows another one."""
    return digest(previous + body_digest)


def add_linked(
    connection: sa.Connection, worker: str, rows: Iterable[tuple[datetime, dict[str, str]]]
) -> None:
    """Adds the rows of records, each with when it was made, behind the last one of their worker and day."""
    for day, same in groupby(rows, key=lambda row: text(row[0])[:10]):
        _add_to_segment(connection, f"{worker}/{day}", day, [values for _, values in same])


def _add_to_segment(
    connection: sa.Connection, segment: str, day: str, rows: Sequence[dict[str, str]]
) -> None:
    new = {"segment": segment, "day": day, "records": 0, "head": first_link(segment), "dropped": 0}
    # A write first, so that whoever adds to the same segment at the same time waits.
    connection.execute(insert_into(SEGMENT, connection).on_conflict_do_nothing(), new)
    mine = SEGMENT.c.segment == segment
    query = sa.select(SEGMENT.c.records, SEGMENT.c.head).where(mine).with_for_update()
    place, link = connection.execute(query).one()
    linked: list[dict[str, Any]] = []
    for values in rows:
        place, link = place + 1, next_link(link, values["digest"])
        linked.append({**values, "segment": segment, "place": place, "link": link})
    connection.execute(sa.insert(RECORD), linked)
    connection.execute(sa.update(SEGMENT).where(mine).values(records=place, head=link))


def heads(connection: sa.Connection) -> list[Head]:
    """Returns the head of every segment, by day."""
    rows = connection.execute(sa.select(SEGMENT).order_by(SEGMENT.c.day, SEGMENT.c.segment)).mappings()
    return [Head(**row) for row in rows]


def unlinked(connection: sa.Connection) -> int:
    """Returns how many records stand in no segment, or behind its head."""
    known = sa.exists().where(SEGMENT.c.segment == RECORD.c.segment, RECORD.c.place <= SEGMENT.c.records)
    return int(connection.execute(sa.select(sa.func.count()).select_from(RECORD).where(~known)).scalar_one())


def check(connection: sa.Connection, head: Head) -> Checked:
    """Returns what holds of one segment, up to its first broken link."""
    place, previous, broken = head.dropped, head.dropped_head or first_link(head.segment), None
    for row in _rows(connection, head):
        broken = _fault(row, place + 1, previous)
        if broken is not None:
            break
        place, previous = row["place"], row["link"]
    if broken is None and (place, previous) != (head.records, head.head):
        broken = f"place {place + 1}: missing; the head names {head.records} records"
    return Checked(
        segment=head.segment, records=head.records, dropped=head.dropped, head=head.head, broken=broken
    )


def drop(connection: sa.Connection, head: Head, at: datetime) -> int:
    """Drops the records of a segment, keeps its head, and returns how many went."""
    mine = SEGMENT.c.segment == head.segment
    gone = {"dropped": head.records, "dropped_head": head.head, "dropped_at": text(at)}
    connection.execute(sa.update(SEGMENT).where(mine).values(gone))
    going = sa.and_(RECORD.c.segment == head.segment, RECORD.c.place <= head.records)
    return connection.execute(sa.delete(RECORD).where(going)).rowcount


def droppable(found: list[Head], before: date) -> list[Head]:
    """Returns the segments of days before a day that still have records."""
    return [one for one in found if one.day < before.isoformat() and one.dropped < one.records]


def link_at(connection: sa.Connection, segment: str, place: int) -> str | None:
    """Returns the link of one record, None where it is not there."""
    query = sa.select(RECORD.c.link).where(RECORD.c.segment == segment, RECORD.c.place == place)
    found: str | None = connection.execute(query).scalar()
    return found


def _rows(connection: sa.Connection, head: Head) -> Iterator[sa.RowMapping]:
    # Not beyond the head: a worker may add while this reads.
    mine = sa.and_(RECORD.c.segment == head.segment, RECORD.c.place <= head.records)
    query = sa.select(RECORD).where(mine).order_by(RECORD.c.place)
    yield from connection.execute(query.execution_options(yield_per=PORTION)).mappings()


def _fault(row: sa.RowMapping, place: int, previous: str) -> str | None:
    name = f"place {row['place']}, record {row['record']}"
    if row["place"] != place:
        return f"place {place}: missing; {name} follows"
    if digest(row["body"]) != row["digest"]:
        return f"{name}: was changed after it was written"
    if next_link(previous, row["digest"]) != row["link"]:
        return f"{name}: does not follow the record before it"
    return None
