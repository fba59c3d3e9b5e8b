"""What processes are to be told beside kills: messages on their way, and drains that stand."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, bindparam, delete, exists, select

from ...domain.drain import Drain
from ...domain.ids import DrainId, MessageId, ProcessId, SessionId
from ...domain.message import Message
from .sqlite import SqliteConnection, among, insert, listed
from .tables import UtcDateTime, drains, messages, sessions


async def waiting(
    connection: SqliteConnection, process_ids: Collection[ProcessId]
) -> Mapping[ProcessId, Sequence[Message]]:
    """Return the messages on their way to each of the processes, in the order of their ids."""
    found: dict[ProcessId, list[Message]] = defaultdict(list)
    parameters = {"processes": listed(process_ids)}
    async for rows in connection.pieces(MESSAGES_OF_PROCESSES, parameters):
        for row in rows:
            found[row.process_id].append(as_message(row))
    return found


async def standing(connection: SqliteConnection) -> list[Drain]:
    """Return the drains that stand, in the order of the apps' names."""
    return [as_drain(row) for row in await connection.execute(DRAINS)]


def as_message(row: Row[Any]) -> Message:
    """Return the message of a row."""
    return Message(
        message_id=MessageId(row.message_id),
        session_id=SessionId(row.session_id),
        text=row.text,
        sent_at=row.sent_at,
        sent_by=row.sent_by,
    )


def as_drain(row: Row[Any]) -> Drain:
    """Return the drain of a row."""
    return Drain(
        drain_id=DrainId(row.drain_id),
        app_name=row.app_name,
        started_at=row.started_at,
        kill_at=row.kill_at,
        reason=row.reason,
        requested_by=row.requested_by,
    )


def as_row(value: Message | Drain) -> dict[str, Any]:
    """Return the columns of a message or a drain, which are named as its fields."""
    return asdict(value)


def _setting() -> Any:
    statement = insert(drains)
    fresh: dict[str, Any] = {
        each.name: statement.excluded[each.name] for each in drains.c if not each.primary_key
    }
    return statement.on_conflict_do_update(index_elements=[drains.c.app_name], set_=fresh)


_app_name = bindparam("app", type_=drains.c.app_name.type)

SENDING = insert(messages)
SENT = select(messages).where(among(messages.c.message_id, "ids"))
STRIKING = delete(messages).where(among(messages.c.message_id, "ids"))
STRIKING_OF_SESSIONS = delete(messages).where(among(messages.c.session_id, "ids"))
MESSAGES_OF_PROCESSES = (
    select(messages, sessions.c.process_id)
    .join(sessions, sessions.c.session_id == messages.c.session_id)
    .where(among(sessions.c.process_id, "processes"))
    .order_by(messages.c.message_id)
)

DRAINS = select(drains).order_by(drains.c.app_name)
DRAINING = _setting()
UNDRAINING = delete(drains).where(drains.c.app_name == _app_name)

SERVING_APP = select(sessions.c.process_id).where(
    sessions.c.app_name == _app_name, sessions.c.process_id.is_not(None)
)
SERVING = select(sessions.c.process_id).where(
    among(sessions.c.session_id, "ids"), sessions.c.process_id.is_not(None)
)
_due = select(drains.c.app_name).where(drains.c.kill_at <= bindparam("now", type_=UtcDateTime))
OVERSTAYING = select(sessions.c.session_id).where(
    sessions.c.app_name.in_(_due), sessions.c.kill_id.is_(None)
)
"""Reads the sessions of drained apps alone: a join would look at all of them, every second."""

ANY = exists(select(messages.c.message_id)) | exists(select(drains.c.app_name))
"""Whether there is anything to tell at all: mostly not, and every heartbeat asks."""
