"""Rows of the site's database, from and to what the store is given and hands out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from plugin.ready import ready
from plugin.sent import SentCard, SentRule

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its zone: two of them can always be compared."""


class FeedbackItem(msgspec.Struct, frozen=True, kw_only=True):
    """What one user did with one card; `commented` says that words came with it, kept or not."""

    service: str
    card: str
    outcome: str
    at: Moment
    accepted: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    reason_display: str | None = None
    comment: str | None = None
    commented: bool = False
    client: str | None = None
    tenant: str | None = None


class Feedback(FeedbackItem, frozen=True, kw_only=True):
    """One stored piece of feedback; `received` is when it came."""

    received: Moment


def feedback_row(item: FeedbackItem, received: datetime) -> dict[str, Any]:
    """Returns the row of a piece of feedback; the digest tells the same one sent again."""
    values = {
        "at": text(item.at),
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
    # What came later is left out where it is not set, so that what was kept before is still known again.
    more = {"tenant": item.tenant, "commented": True if item.commented and not item.comment else None}
    marks = {**values, **{name: value for name, value in more.items() if value is not None}}
    body = msgspec.json.encode(marks, order="deterministic").decode()
    return {
        **values,
        "tenant": item.tenant,
        "commented": item.commented,
        "received": text(received),
        "digest": digest(body),
    }


def feedback_of(row: sa.RowMapping) -> Feedback:
    """Returns the feedback of a row."""
    accepted = msgspec.json.decode(row["accepted"], type=tuple[str, ...])
    named = {name: row[name] for name in Feedback.__struct_fields__ if name != "accepted"}
    return msgspec.convert({**named, "accepted": accepted}, Feedback)


def text(moment: datetime) -> str:
    """Returns a moment as the database holds it: UTC, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def digest(body: str) -> str:
    """Returns the SHA-256 of a text."""
    return hashlib.sha256(body.encode()).hexdigest()


def sent_card_of(row: sa.RowMapping, rules: Sequence[SentRule]) -> SentCard:
    """Returns the card of a row."""
    same = ("card", "service", "patient", "family", "indicator", "pack_revision", "client", "tenant")
    return SentCard(
        **{name: row[name] for name in same},
        record=row["record"],
        made=msgspec.convert(row["made"], Moment),
        rules=tuple(rules),
        suggestions=msgspec.json.decode(row["suggestions"], type=tuple[str, ...]),
    )


ready(Feedback, Moment, tuple[str, ...])
