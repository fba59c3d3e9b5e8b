"""Leases of heartbeats, what processes tell of themselves, and a quick way to the killed."""

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
"""In SQLite, microseconds since the epoch."""

KILLED = sa.text("kill_id IS NOT NULL")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("started_at", MOMENT),
        sa.Column("lease", sa.LargeBinary(16)),
        sa.Column("connected", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("rss_bytes", sa.BigInteger),
        sa.Column("cpu_percent", sa.Float),
        sa.Column("loop_lag_seconds", sa.Float),
        sa.Column("version", sa.String(40)),
    ):
        op.add_column("processes", column)
    op.add_column(
        "sessions", sa.Column("leased", sa.Boolean, nullable=False, server_default=sa.false())
    )
    for column_name in ("session_id", "process_id"):
        op.create_index(
            f"ix_sessions_killed_{column_name}",
            "sessions",
            [column_name],
            sqlite_where=KILLED,
            postgresql_where=KILLED,
        )


def downgrade() -> None:
    for column_name in ("session_id", "process_id"):
        op.drop_index(f"ix_sessions_killed_{column_name}", "sessions")
    op.drop_column("sessions", "leased")
    for column_name in (
        "started_at",
        "lease",
        "connected",
        "rss_bytes",
        "cpu_percent",
        "loop_lag_seconds",
        "version",
    ):
        op.drop_column("processes", column_name)
