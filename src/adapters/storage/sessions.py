"""The session repository and the unit of work, on SQLAlchemy Core."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    or_,
    select,
    true,
    update,
)

from ...application.ports import Beat, Beaten
from ...domain.drain import Drain
from ...domain.event import SessionEvent
from ...domain.ids import MessageId, ProcessId, SessionId
from ...domain.message import Message
from ...domain.session import Process, Session
from . import events, notices
from .beats import Beats, later
from .rows import as_row, as_session
from .sqlite import SqliteConnection, SqliteDatabase, among, insert, listed
from .tables import history, processes, sessions


@dataclass(slots=True)
class SqlSessions:
    """The sessions within one transaction."""

    connection: SqliteConnection
    _served: dict[SessionId, ProcessId | None] = field(default_factory=dict)
    """Which process serves each live session that was read here."""

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        """Return those of the sessions that are known, whether live or ended."""
        if not session_ids:  # as with most heartbeats: no query
            return {}
        found = {
            each.session_id: each
            for each in await self._read(sessions, LIVE, {"ids": listed(session_ids)})
        }
        if missing := [each for each in session_ids if each not in found]:
            ended = await self._read(history, ENDED, {"ids": listed(missing)})
            found |= {each.session_id: each for each in ended}
        return found

    async def live_of(self, app_name: str | None) -> list[Session]:
        """Return all live sessions of an app; None: of every app."""
        wanted = true() if app_name is None else sessions.c.app_name == app_name
        return await self._read(sessions, with_process(sessions).where(wanted))

    async def silent_since(self, moment: datetime) -> list[Session]:
        """Return the live sessions last heard of at `moment` or before."""
        return await self._read(sessions, with_process(sessions).where(heard_until(moment)))

    async def save(self, snapshots: Iterable[Session]) -> None:
        """Store the snapshots; one that has ended leaves the live list for the history."""
        snapshots = list(snapshots)
        if not snapshots:
            return
        live = [as_row(each) for each in snapshots if not each.end]
        ended = [as_row(each) for each in snapshots if each.end]
        await self._introduce(snapshots)
        await self._release([each for each in snapshots if self._has_moved(each)])
        await self.connection.execute_many(OVERWRITING_LIVE, live)
        if ended:
            gone = [row["session_id"] for row in ended]
            await self.connection.execute(DELETING, {"ids": listed(gone)})
            await self.connection.execute(notices.STRIKING_OF_SESSIONS, {"ids": listed(gone)})
            await self.connection.execute_many(OVERWRITING_ENDED, ended)

    async def beat(self, beats: Sequence[Beat], now: datetime) -> list[Beaten]:
        """Store heartbeats: of each process, and of those live sessions that it may speak for."""
        return await Beats(self.connection, now).store(beats)

    async def forget_ended(self, before: datetime) -> int:
        """Delete from the history what ended before; return how many sessions."""
        await self.connection.execute(events.FORGETTING_ENDED, {"before": before})
        forgotten = await self.connection.execute(
            delete(history).where(history.c.ended_at < before)
        )
        served = [
            exists().where(table.c.process_id == processes.c.process_id)
            for table in (sessions, history)
        ]
        await self.connection.execute(
            delete(processes).where(
                processes.c.last_heartbeat < before, *(~each for each in served)
            )
        )
        return forgotten.rowcount

    async def note(self, happened: Sequence[SessionEvent]) -> None:
        """Store events in their order; of MOST_EVENTS of a session the oldest go, tasks first."""
        await events.note(self.connection, happened)

    async def send(self, messages: Sequence[Message]) -> set[ProcessId]:
        """Store messages until they are shown or their sessions end; return whose they are."""
        await self.connection.execute_many(notices.SENDING, [notices.as_row(m) for m in messages])
        ids = {"ids": listed([each.session_id for each in messages])}
        return set(await self.connection.scalars(notices.SERVING, ids))

    async def shown(self, message_ids: Collection[MessageId]) -> list[Message]:
        """Delete messages that have reached their pages; return those that were on their way."""
        ids = {"ids": listed(message_ids)}
        pieces = self.connection.pieces(notices.SENT, ids)
        found = [notices.as_message(row) async for rows in pieces for row in rows]
        await self.connection.execute(notices.STRIKING, ids)
        return found

    async def drains(self) -> list[Drain]:
        """Return the drains that stand, in the order of the apps' names."""
        return await notices.standing(self.connection)

    async def drain(self, drain: Drain) -> set[ProcessId]:
        """Store the drain of an app, instead of a former one; return who serves the app."""
        await self.connection.execute(notices.DRAINING, notices.as_row(drain))
        return await self._serving(drain.app_name)

    async def undrain(self, app_name: str) -> set[ProcessId]:
        """Delete the drain of an app; return who serves the app."""
        await self.connection.execute(notices.UNDRAINING, {"app": app_name})
        return await self._serving(app_name)

    async def _serving(self, app_name: str) -> set[ProcessId]:
        return set(await self.connection.scalars(notices.SERVING_APP, {"app": app_name}))

    async def _read(
        self, table: Table, query: Select[Any], parameters: dict[str, Any] | None = None
    ) -> list[Session]:
        ended = table is history
        pieces = self.connection.pieces(query, parameters)
        found = [as_session(row, ended=ended) async for rows in pieces for row in rows]
        if not ended:
            self._served |= {each.session_id: _process_id(each) for each in found}
        return found

    async def _introduce(self, snapshots: list[Session]) -> None:
        """Store the processes that are not known yet: sessions refer to them."""
        serving = {each.process: each.last_heartbeat for each in snapshots if each.process}
        rows = [_process_row(process, seen_at) for process, seen_at in serving.items()]
        await self.connection.execute_many(INTRODUCING, rows)

    def _has_moved(self, session: Session) -> bool:
        """Tell whether a session leaves a process or comes to one."""
        process_id = _process_id(session)
        return bool(session.end) or self._served.get(session.session_id, ...) != process_id

    async def _release(self, moved: list[Session]) -> None:
        """Have the processes whose sessions change look at them anew with the next beat."""
        if not moved:
            return
        came = {each.process.process_id for each in moved if each.process}
        parameters = {
            "ids": listed([each.session_id for each in moved]),
            "processes": listed(came),
        }
        await self.connection.execute(RELEASING, parameters)
        self._served |= {each.session_id: _process_id(each) for each in moved}


@dataclass(frozen=True, slots=True)
class SqlUnitOfWork:
    """Opens transactions, which take turns."""

    database: SqliteDatabase

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SqlSessions]:
        """Begin a transaction that ends with the block."""
        async with self.database.writing() as connection:
            yield SqlSessions(connection)


last_heartbeat = case(
    (sessions.c.leased, later(sessions.c.last_heartbeat, processes.c.last_heartbeat)),
    else_=sessions.c.last_heartbeat,
)
"""When a live session was last heard of: a leased one, when its process was."""


def heard_until(moment: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Tell whether a session, read with its process, was last heard of at `moment` or before."""
    alone = or_(~sessions.c.leased, processes.c.last_heartbeat <= moment)
    return and_(sessions.c.last_heartbeat <= moment, alone)


def with_process(table: Table) -> Select[Any]:
    """Read a table's sessions together with the process that serves each."""
    served = table.outerjoin(processes, processes.c.process_id == table.c.process_id)
    columns = [each for each in table.c if each.name not in ("last_heartbeat", "leased")]
    heard = last_heartbeat if table is sessions else table.c.last_heartbeat
    known = (processes.c.host, processes.c.pid, heard.label("last_heartbeat"))
    return select(*columns, *known).select_from(served)


def _process_id(session: Session) -> ProcessId | None:
    return session.process.process_id if session.process else None


def _process_row(process: Process, now: datetime) -> dict[str, Any]:
    return {
        "process_id": process.process_id,
        "host": process.host,
        "pid": process.pid,
        "started_at": now,
        "last_heartbeat": now,
    }


def _overwriting(table: Table) -> Any:
    """Return an insert that overwrites the row that is there."""
    statement = insert(table)
    told = [each.name for each in table.c if each.name != "leased" and not each.primary_key]
    fresh: dict[str, Any] = {name: statement.excluded[name] for name in told}
    if table is sessions:
        stays = sessions.c.process_id.is_not_distinct_from(statement.excluded.process_id)
        fresh["leased"] = and_(sessions.c.leased, stays)
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=fresh)


_left = select(sessions.c.process_id).where(among(sessions.c.session_id, "ids"))

LIVE = with_process(sessions).where(among(sessions.c.session_id, "ids"))
ENDED = with_process(history).where(among(history.c.session_id, "ids"))
OVERWRITING_LIVE = _overwriting(sessions)
OVERWRITING_ENDED = _overwriting(history)
DELETING = delete(sessions).where(among(sessions.c.session_id, "ids"))
INTRODUCING = insert(processes).on_conflict_do_nothing()
RELEASING = (
    update(processes)
    .where(
        or_(
            among(processes.c.process_id, "processes"),
            processes.c.process_id.in_(_left),
        )
    )
    .values(lease=None)
)
