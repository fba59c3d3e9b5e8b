"""The schema: live sessions, the history of ended ones, and the processes that serve them.

Messages are kept while they are on their way. Events are kept as long as their session is.

A process is a row of its own, so that one heartbeat can be stored once for all its sessions: a
leased session was heard of whenever its process was. `processes.lease` is the digest of the ids
that beat last, if these are just the process's live sessions, all of them leased.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    false,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from ...domain.ids import MESSAGE_LENGTH, NAME_LENGTH, REASON_LENGTH

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LEASE_BYTES = 16
"""Length of a lease's digest."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, exact to the microsecond.

    SQLite has no type for moments and loses the zone: there it is microseconds since the epoch.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        return BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn a moment into what is stored."""
        if value is None or dialect.name != "sqlite":
            return value
        return (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn what is stored into a moment."""
        if value is None:
            return None
        if dialect.name != "sqlite":
            return value.astimezone(UTC)  # type: ignore[no-any-return]  # the driver's datetime
        return EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

processes = Table(
    "processes",
    metadata,
    Column("process_id", Uuid, primary_key=True),
    Column("host", String(NAME_LENGTH)),
    Column("pid", BigInteger),
    Column("last_heartbeat", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("lease", LargeBinary(LEASE_BYTES)),
    Column("connected", Boolean, nullable=False, server_default=false()),
    Column("rss_bytes", BigInteger),
    Column("cpu_percent", Float),
    Column("loop_lag_seconds", Float),
    Column("version", String(40)),
    sqlite_with_rowid=False,
)


def _session_columns() -> Iterator[Column[Any]]:
    """The columns of a session, live or ended."""
    yield Column("session_id", Uuid, primary_key=True)
    yield Column("app_name", String(NAME_LENGTH), nullable=False)
    yield Column("user_id", String(NAME_LENGTH))
    yield Column("process_id", Uuid, ForeignKey(processes.c.process_id), index=True)
    yield Column("started_at", UtcDateTime, nullable=False)
    yield Column("last_heartbeat", UtcDateTime, nullable=False)
    yield Column("task", String(NAME_LENGTH))
    yield Column("task_started_at", UtcDateTime)
    yield Column("task_progress", Float)
    yield Column("kill_id", Uuid)
    yield Column("kill_reason", String(REASON_LENGTH))
    yield Column("kill_requested_by", String(NAME_LENGTH))
    for step in ("requested", "delivered", "acknowledged", "ended", "expired"):
        yield Column(f"kill_{step}_at", UtcDateTime)


sessions = Table(
    "sessions",
    metadata,
    *_session_columns(),
    Column("leased", Boolean, nullable=False, server_default=false()),
    Index("ix_sessions_app_name", "app_name"),
    sqlite_with_rowid=False,
)

killed = sessions.c.kill_id.is_not(None)
"""Whether a live session is to be ended: few are, and every heartbeat asks."""

for name, column in (("session_id", sessions.c.session_id), ("process_id", sessions.c.process_id)):
    Index(f"ix_sessions_killed_{name}", column, sqlite_where=killed, postgresql_where=killed)

history = Table(
    "history",
    metadata,
    *_session_columns(),
    Column("ended_at", UtcDateTime, nullable=False, index=True),
    Column("end_reason", String(16), nullable=False),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False, index=True),
    Column("text", String(MESSAGE_LENGTH), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("sent_by", String(NAME_LENGTH)),
    sqlite_with_rowid=False,
)

drains = Table(
    "drains",
    metadata,
    Column("app_name", String(NAME_LENGTH), primary_key=True),
    Column("drain_id", Uuid, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("kill_at", UtcDateTime),
    Column("reason", String(REASON_LENGTH)),
    Column("requested_by", String(NAME_LENGTH)),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("session_id", Uuid, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", String(MESSAGE_LENGTH)),
    Column("by", String(NAME_LENGTH)),
)
