"""Messages on their way to pages, drains of apps, and the events of sessions' lives."""

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
"""In SQLite, microseconds since the epoch."""

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""In SQLite, the number of the row itself."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.String(1_000), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("sent_by", sa.String(200)),
        sa.PrimaryKeyConstraint("message_id", name="pk_messages"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_messages_session_id", "messages", ["session_id"])
    op.create_table(
        "drains",
        sa.Column("app_name", sa.String(200), nullable=False),
        sa.Column("drain_id", sa.Uuid, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("kill_at", MOMENT),
        sa.Column("reason", sa.String(500)),
        sa.Column("requested_by", sa.String(200)),
        sa.PrimaryKeyConstraint("app_name", name="pk_drains"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("number", COUNT, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("text", sa.String(1_000)),
        sa.Column("by", sa.String(200)),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
    )
    op.create_index("ix_events_session_id", "events", ["session_id"])


def downgrade() -> None:
    for table in ("events", "drains", "messages"):
        op.drop_table(table)
