"""The events of the sessions' lives."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, delete, func, select

from ...domain.event import MOST_EVENTS, TASK_EVENTS, EventKind, SessionEvent
from ...domain.ids import SessionId
from .sqlite import SqliteConnection, among, insert, listed
from .tables import UtcDateTime, events, history


async def note(connection: SqliteConnection, happened: Sequence[SessionEvent]) -> None:
    """Store events in their order; of a session that has too many the oldest go, tasks first."""
    await connection.execute_many(NOTING, [asdict(each) for each in happened])
    concerned = {"ids": listed({each.session_id for each in happened})}
    eventful = await connection.scalars(EVENTFUL, concerned)
    await connection.execute_many(FORGETTING, [{"session": each} for each in eventful])


async def of_session(connection: SqliteConnection, session_id: SessionId) -> list[SessionEvent]:
    """Return what has happened to a session, in order."""
    pieces = connection.pieces(OF_SESSION, {"session": session_id})
    return [
        SessionEvent(
            session_id=session_id,
            at=row.at,
            kind=EventKind(row.kind),
            text=row.text,
            by=row.by,
        )
        async for rows in pieces
        for row in rows
    ]


_own = events.c
_of_session = _own.session_id == bindparam("session", type_=_own.session_id.type)
_count = select(func.count()).select_from(events).where(_of_session).scalar_subquery()
_oldest = (
    select(_own.number)
    .where(_of_session)
    .order_by(_own.kind.not_in(TASK_EVENTS), _own.number)
    .limit(_count - MOST_EVENTS)
)
_forgotten = select(history.c.session_id).where(
    history.c.ended_at < bindparam("before", type_=UtcDateTime)
)

NOTING = insert(events)
OF_SESSION = select(events).where(_of_session).order_by(_own.number)
EVENTFUL = (
    select(_own.session_id)
    .where(among(_own.session_id, "ids"))
    .group_by(_own.session_id)
    .having(func.count() > MOST_EVENTS)
)
FORGETTING = delete(events).where(_own.number.in_(_oldest))
FORGETTING_ENDED = delete(events).where(_own.session_id.in_(_forgotten))
