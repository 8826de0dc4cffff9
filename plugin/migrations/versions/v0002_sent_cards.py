"""Cards that were sent, so that an answer finds its rules and its decision; who answered, and how."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sent_card",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("card", sa.String(64), nullable=False, unique=True),
        sa.Column("made", sa.String(32), nullable=False, index=True),
        sa.Column("client", sa.Text),
        sa.Column("tenant", sa.Text),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("patient", sa.String(64), nullable=False, index=True),
        sa.Column("family", sa.String(16), nullable=False),
        sa.Column("indicator", sa.String(16), nullable=False),
        sa.Column("pack_revision", sa.Text, nullable=False),
        sa.Column("record", sa.String(36)),
        sa.Column("suggestions", sa.Text, nullable=False),
    )
    op.create_table(
        "sent_rule",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("card", sa.String(64), nullable=False, index=True),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64)),
    )
    op.add_column("feedback", sa.Column("tenant", sa.Text))
    op.add_column(
        "feedback", sa.Column("commented", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    op.execute("UPDATE feedback SET commented = true WHERE comment IS NOT NULL")


def downgrade() -> None:
    op.drop_column("feedback", "commented")
    op.drop_column("feedback", "tenant")
    op.drop_table("sent_rule")
    op.drop_table("sent_card")
