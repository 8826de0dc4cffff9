"""The tables of the site's database as the store reads and writes them; plugin/migrations makes them."""

from __future__ import annotations

import sqlalchemy as sa

META = sa.MetaData()

VERSION = sa.Table("alembic_version", META, sa.Column("version_num", sa.String(32)))

FEEDBACK = sa.Table(
    "feedback",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64)),
    sa.Column("received", sa.String(32)),
    sa.Column("at", sa.String(32)),
    *(sa.Column(name, sa.Text) for name in ("client", "tenant", "service", "card", "outcome", "accepted")),
    *(sa.Column(name, sa.Text) for name in ("reason_system", "reason_code", "reason_display", "comment")),
    sa.Column("commented", sa.Boolean),
)

RECORD = sa.Table(
    "decision_record",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("record", "made", "digest", "body", "segment")),
    sa.Column("place", sa.Integer),
    sa.Column("link", sa.String(64)),
)

SEGMENT = sa.Table(
    "record_segment",
    META,
    sa.Column("segment", sa.String(200), primary_key=True),
    sa.Column("day", sa.String(10)),
    sa.Column("records", sa.Integer),
    sa.Column("head", sa.String(64)),
    sa.Column("dropped", sa.Integer),
    sa.Column("dropped_head", sa.String(64)),
    sa.Column("dropped_at", sa.String(32)),
)

KEY = sa.Table(
    "pseudonym_key", META, sa.Column("id", sa.Integer, primary_key=True), sa.Column("key", sa.String(64))
)

SENT_CARD = sa.Table(
    "sent_card",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("card", "made", "client", "tenant", "service", "patient")),
    *(sa.Column(name, sa.Text) for name in ("family", "indicator", "pack_revision", "record", "suggestions")),
)

SENT_RULE = sa.Table(
    "sent_rule",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("card", "rule", "digest")),
)

USED_TOKEN = sa.Table(
    "used_token",
    META,
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("expires", sa.BigInteger),
)
