"""A hash chain over the decision records of each worker and day, and its heads, which stay."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# Only what the head of its chain says was dropped may go; both texts say the same.
_DROPPED = "EXISTS (SELECT 1 FROM record_segment s WHERE s.segment = OLD.segment AND s.dropped >= OLD.place)"
_SQLITE_UPDATE = """
CREATE TRIGGER decision_record_no_UPDATE BEFORE UPDATE ON decision_record
BEGIN SELECT RAISE(ABORT, 'decision records are append-only'); END
"""
_SQLITE_DELETE = """
CREATE TRIGGER decision_record_no_DELETE BEFORE DELETE ON decision_record {when}
BEGIN SELECT RAISE(ABORT, 'decision records are append-only'); END
"""
_SQLITE_HEADS = """
CREATE TRIGGER record_segment_no_DELETE BEFORE DELETE ON record_segment
BEGIN SELECT RAISE(ABORT, 'heads of decision records stay'); END
"""
_POSTGRESQL = """
CREATE OR REPLACE FUNCTION decision_record_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN {first} RAISE EXCEPTION 'decision records are append-only'; END $$
"""
_POSTGRESQL_DROPPED = f"IF TG_OP = 'DELETE' AND {_DROPPED} THEN RETURN OLD; END IF;"
_POSTGRESQL_HEADS = """
CREATE FUNCTION record_segment_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'heads of decision records stay'; END $$
"""
_POSTGRESQL_HEADS_TRIGGER = """
CREATE TRIGGER record_segment_stays BEFORE DELETE ON record_segment
FOR EACH ROW EXECUTE FUNCTION record_segment_stays()
"""


def upgrade() -> None:
    op.add_column("decision_record", sa.Column("segment", sa.Text))
    op.add_column("decision_record", sa.Column("place", sa.Integer))
    op.add_column("decision_record", sa.Column("link", sa.String(64)))
    op.create_index("decision_record_place", "decision_record", ["segment", "place"], unique=True)
    op.create_table(
        "record_segment",
        sa.Column("segment", sa.String(200), primary_key=True),
        sa.Column("day", sa.String(10), nullable=False, index=True),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("dropped", sa.Integer, nullable=False),
        sa.Column("dropped_head", sa.String(64)),
        sa.Column("dropped_at", sa.String(32)),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER IF EXISTS decision_record_no_UPDATE")
        op.execute("DROP TRIGGER IF EXISTS decision_record_no_DELETE")
        _link_earlier()
        op.execute(_SQLITE_UPDATE)
        op.execute(_SQLITE_DELETE.format(when=f"WHEN NOT {_DROPPED}"))
        op.execute(_SQLITE_HEADS)
    else:
        op.execute("ALTER TABLE decision_record DISABLE TRIGGER decision_record_append_only")
        _link_earlier()
        op.execute("ALTER TABLE decision_record ENABLE TRIGGER decision_record_append_only")
        op.execute(_POSTGRESQL.format(first=_POSTGRESQL_DROPPED))
        op.execute(_POSTGRESQL_HEADS)
        op.execute(_POSTGRESQL_HEADS_TRIGGER)


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        op.execute("DROP TRIGGER decision_record_no_UPDATE")
        op.execute("DROP TRIGGER decision_record_no_DELETE")
    else:
        op.execute(_POSTGRESQL.format(first=""))
    op.drop_table("record_segment")
    op.drop_index("decision_record_place", "decision_record")
    for name in ("segment", "place", "link"):
        op.drop_column("decision_record", name)
    if sqlite:
        op.execute(_SQLITE_UPDATE)
        op.execute(_SQLITE_DELETE.format(when=""))
    else:
        op.execute("DROP FUNCTION record_segment_stays()")


def _link_earlier() -> None:
    """Puts the records that are there into a chain for each day, as of the moment of this step."""
    bind = op.get_bind()
    found = bind.execute(sa.text("SELECT id, made, digest FROM decision_record ORDER BY id")).all()
    heads: dict[str, tuple[int, str]] = {}
    for id_, made, digest in found:
        segment = f"earlier/{made[:10]}"
        place, previous = heads.get(segment, (0, _sha(segment)))
        heads[segment] = (place + 1, _sha(previous + digest))
        bind.execute(
            sa.text("UPDATE decision_record SET segment = :s, place = :p, link = :l WHERE id = :id"),
            {"s": segment, "p": place + 1, "l": heads[segment][1], "id": id_},
        )
    for segment, (records, head) in heads.items():
        bind.execute(
            sa.text(
                "INSERT INTO record_segment (segment, day, records, head, dropped) VALUES (:s, :d, :r, :h, 0)"
            ),
            {"s": segment, "d": segment[-10:], "r": records, "h": head},
        )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
