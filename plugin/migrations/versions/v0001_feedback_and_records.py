"""Feedback on cards, decision records, and the site's key for pseudonyms."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE = """
CREATE TRIGGER decision_record_no_{event} BEFORE {event} ON decision_record
BEGIN SELECT RAISE(ABORT, 'decision records are append-only'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE FUNCTION decision_record_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'decision records are append-only'; END $$
"""
_POSTGRESQL_TRIGGER = """
CREATE TRIGGER decision_record_append_only BEFORE UPDATE OR DELETE ON decision_record
FOR EACH ROW EXECUTE FUNCTION decision_record_append_only()
"""


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("received", sa.String(32), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False, index=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Column("reason_system", sa.Text),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason_display", sa.Text),
        sa.Column("comment", sa.Text),
    )
    op.create_table(
        "decision_record",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("record", sa.String(36), nullable=False, unique=True),
        sa.Column("made", sa.String(32), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "pseudonym_key",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
    )
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        op.execute(_SQLITE.format(event="UPDATE"))
        op.execute(_SQLITE.format(event="DELETE"))
    elif dialect == "postgresql":
        op.execute(_POSTGRESQL_FUNCTION)
        op.execute(_POSTGRESQL_TRIGGER)
