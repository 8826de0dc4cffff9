"""Cards that were sent, and the answer that stands for each: what the store writes and asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from plugin.rows import Feedback, feedback_of, sent_card_of, text
from plugin.sent import Answered, Reply, SentCard, SentRule
from plugin.tables import FEEDBACK, SENT_CARD, SENT_RULE

# Cards are read in portions: a database has a limit on how many values one statement may name.
PORTION = 500


def was_answered() -> sa.ColumnElement[bool]:
    """The condition that some feedback names a card; whose it is, is looked at card by card."""
    return sa.exists().where(FEEDBACK.c.card == SENT_CARD.c.card)


def same_client() -> tuple[sa.ColumnElement[bool], ...]:
    """Only the client that got a card can answer it, within the tenant it was sent to."""
    return tuple(SENT_CARD.c[name].is_not_distinct_from(FEEDBACK.c[name]) for name in ("client", "tenant"))


def add_sent(connection: sa.Connection, cards: Sequence[SentCard]) -> None:
    """Adds cards with their rules."""
    if not cards:
        return
    names = [column.name for column in SENT_CARD.columns if column.name not in ("id", "made", "suggestions")]
    rows = [
        {
            **{name: getattr(card, name) for name in names},
            "made": text(card.made),
            "suggestions": msgspec.json.encode(card.suggestions).decode(),
        }
        for card in cards
    ]
    rules = [
        {"card": card.card, "rule": one.rule, "digest": one.digest} for card in cards for one in card.rules
    ]
    connection.execute(sa.insert(SENT_CARD), rows)
    if rules:
        connection.execute(sa.insert(SENT_RULE), rules)


def cards_of(connection: sa.Connection, *wanted: sa.ColumnElement[bool]) -> list[SentCard]:
    """Returns the cards that meet the conditions, in the order they were sent."""
    query = sa.select(SENT_CARD).where(*wanted).order_by(SENT_CARD.c.id)
    rows = connection.execute(query).mappings().all()
    rules: dict[str, list[SentRule]] = {}
    for part in _portions([row["card"] for row in rows]):
        found = sa.select(SENT_RULE).where(SENT_RULE.c.card.in_(part)).order_by(SENT_RULE.c.id)
        for row in connection.execute(found).mappings():
            rules.setdefault(row["card"], []).append(SentRule(rule=row["rule"], digest=row["digest"]))
    return [sent_card_of(row, rules.get(row["card"], [])) for row in rows]


def answers_to(connection: sa.Connection, cards: Sequence[SentCard]) -> Iterator[Answered]:
    """Yields each card with its last answer, by its own time.

    A time ahead of its arrival counts as that, one before the card was sent as when it was sent: a clock may
    be wrong, and some clients send a date of the year 1 for none.
    """
    made = {card.card: card.made for card in cards}
    last: dict[str, tuple[datetime, int, Reply]] = {}
    for part in _portions([card.card for card in cards]):
        query = (
            sa.select(FEEDBACK)
            .join(SENT_CARD, SENT_CARD.c.card == FEEDBACK.c.card)
            .where(FEEDBACK.c.card.in_(part), *same_client())
        )
        for row in connection.execute(query).mappings():
            reply = _reply(feedback_of(row), made[row["card"]])
            if row["card"] not in last or last[row["card"]][:2] < (reply.at, row["id"]):
                last[row["card"]] = (reply.at, row["id"], reply)
    for card in cards:
        yield Answered(sent=card, reply=last[card.card][2] if card.card in last else None)


def _reply(found: Feedback, made: datetime) -> Reply:
    same = {name: getattr(found, name) for name in Reply.__struct_fields__ if name != "at"}
    return Reply(at=max(min(found.at, found.received), made), **same)


def _portions(cards: Sequence[str]) -> Iterable[Sequence[str]]:
    return (cards[start : start + PORTION] for start in range(0, len(cards), PORTION))
