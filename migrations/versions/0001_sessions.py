"""Live sessions, the history of ended ones, and the processes that serve them."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
"""In SQLite, microseconds since the epoch."""

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("process_id", sa.Uuid, nullable=False),
        sa.Column("host", sa.String(200)),
        sa.Column("pid", sa.BigInteger),
        sa.Column("last_heartbeat", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("process_id", name="pk_processes"),
        sqlite_with_rowid=False,
    )
    op.create_table("sessions", *session_columns("sessions"), sqlite_with_rowid=False)
    op.create_index("ix_sessions_app_name", "sessions", ["app_name"])
    op.create_table(
        "history",
        *session_columns("history"),
        sa.Column("ended_at", MOMENT, nullable=False),
        sa.Column("end_reason", sa.String(16), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_history_ended_at", "history", ["ended_at"])
    for table in ("sessions", "history"):
        op.create_index(f"ix_{table}_process_id", table, ["process_id"])


def downgrade() -> None:
    op.drop_table("history")
    op.drop_table("sessions")
    op.drop_table("processes")


def session_columns(table: str) -> Iterator[Any]:
    yield sa.Column("session_id", sa.Uuid, nullable=False)
    yield sa.Column("app_name", sa.String(200), nullable=False)
    yield sa.Column("user_id", sa.String(200))
    yield sa.Column("process_id", sa.Uuid)
    yield sa.Column("started_at", MOMENT, nullable=False)
    yield sa.Column("last_heartbeat", MOMENT, nullable=False)
    yield sa.Column("task", sa.String(200))
    yield sa.Column("task_started_at", MOMENT)
    yield sa.Column("task_progress", sa.Float)
    yield sa.Column("kill_id", sa.Uuid)
    yield sa.Column("kill_reason", sa.String(500))
    yield sa.Column("kill_requested_by", sa.String(200))
    for step in ("requested", "delivered", "acknowledged", "ended", "expired"):
        yield sa.Column(f"kill_{step}_at", MOMENT)
    yield sa.PrimaryKeyConstraint("session_id", name=f"pk_{table}")
    yield sa.ForeignKeyConstraint(
        ["process_id"], ["processes.process_id"], name=f"fk_{table}_process_id"
    )
