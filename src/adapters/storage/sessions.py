"""The session repository, the unit of work and the reader, on SQLAlchemy Core."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
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
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...application.ports import SessionPage, SessionQuery
from ...domain.ids import SessionId
from ...domain.kill import Kill
from ...domain.session import Process, Session
from .rows import as_kill, as_row, as_session
from .sqlite import among, insert
from .tables import history, processes, sessions


@dataclass(frozen=True, slots=True)
class SqlSessions:
    """The sessions within one transaction."""

    connection: AsyncConnection

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        """Return those of the sessions that are known, whether live or ended."""
        if not session_ids:  # as with most heartbeats: no query
            return {}
        found = {
            each.session_id: each
            for each in await self._read(sessions, among(sessions.c.session_id, session_ids))
        }
        if missing := [each for each in session_ids if each not in found]:
            ended = await self._read(history, among(history.c.session_id, missing))
            found |= {each.session_id: each for each in ended}
        return found

    async def live_of(self, app_name: str) -> list[Session]:
        """Return all live sessions of an app."""
        return await self._read(sessions, sessions.c.app_name == app_name)

    async def silent_since(self, moment: datetime) -> list[Session]:
        """Return the live sessions last heard of at `moment` or before."""
        return await self._read(sessions, sessions.c.last_heartbeat <= moment)

    async def save(self, snapshots: Iterable[Session]) -> None:
        """Store the snapshots; one that has ended leaves the live list for the history."""
        snapshots = list(snapshots)
        live = [as_row(each) for each in snapshots if not each.end]
        ended = [as_row(each) for each in snapshots if each.end]
        await self._introduce(snapshots)
        if live:
            await self.connection.execute(_overwriting(sessions), live)
        if ended:
            gone = [row["session_id"] for row in ended]
            await self.connection.execute(
                delete(sessions).where(among(sessions.c.session_id, gone))
            )
            await self.connection.execute(_overwriting(history), ended)

    async def beat(
        self, process: Process, session_ids: Collection[SessionId], now: datetime
    ) -> Mapping[SessionId, Kill | None]:
        """Store a heartbeat of the process and of those live sessions that it may speak for."""
        await self.connection.execute(_beating(), [_process_row(process, now)])
        if not session_ids:
            return {}
        heard, moment = sessions.c.last_heartbeat, literal(now, sessions.c.last_heartbeat.type)
        beating = await self.connection.execute(
            update(sessions)
            .where(
                among(sessions.c.session_id, session_ids),
                or_(sessions.c.process_id == process.process_id, sessions.c.process_id.is_(None)),
            )
            .values(last_heartbeat=case((heard < moment, moment), else_=heard))
            .returning(sessions.c.session_id, *_KILL_COLUMNS)
        )
        return {SessionId(row.session_id): as_kill(row) for row in beating}

    async def forget_ended(self, before: datetime) -> int:
        """Delete from the history what ended before; return how many sessions."""
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

    async def _read(self, table: Table, condition: ColumnElement[bool]) -> list[Session]:
        rows = await self.connection.execute(_with_process(table).where(condition))
        return [as_session(row, ended=table is history) for row in rows]

    async def _introduce(self, snapshots: list[Session]) -> None:
        """Store the processes that are not known yet: sessions refer to them."""
        serving = {each.process: each.last_heartbeat for each in snapshots if each.process}
        if serving:
            await self.connection.execute(
                insert(processes).on_conflict_do_nothing(),
                [_process_row(process, seen_at) for process, seen_at in serving.items()],
            )


@dataclass(frozen=True, slots=True)
class SqlUnitOfWork:
    """Opens transactions, one at a time: SQLite has one writer, and here nobody fails for it."""

    engine: AsyncEngine
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SqlSessions]:
        """Begin a transaction that ends with the block."""
        writing = self.engine.execution_options(writes=True)
        async with self.turn, writing.begin() as connection:
            yield SqlSessions(connection)


@dataclass(frozen=True, slots=True)
class SqlReader:
    """Reads what was committed last, without waiting for the writer."""

    engine: AsyncEngine

    async def find(self, session_id: SessionId) -> Session | None:
        """Return the session, live or ended."""
        async with self.engine.connect() as connection:
            return (await SqlSessions(connection).get([session_id])).get(session_id)

    async def page(self, query: SessionQuery) -> SessionPage:
        """Return a page of the live sessions."""
        matching = and_(*_criteria(query))
        wanted = _with_process(sessions).where(matching).order_by(sessions.c.session_id)
        if query.after:
            wanted = wanted.where(sessions.c.session_id > query.after)
        if query.limit is not None:
            wanted = wanted.limit(query.limit + 1)
        async with self.engine.connect() as connection:
            found = [as_session(row) for row in await connection.execute(wanted)]
            page = tuple(found[: query.limit])
            whole = query.limit is None and not query.after
            counting = select(func.count()).select_from(sessions).where(matching)
            total = len(page) if whole else await connection.scalar(counting)
        return SessionPage(sessions=page, total=total or 0, more=len(found) > len(page))

    async def check(self) -> str | None:
        """Return None if the database answers, or in one line why it does not."""
        try:
            async with self.engine.connect() as connection:
                await connection.execute(select(sessions.c.session_id).limit(1))
        except SQLAlchemyError as error:
            return f"the database does not answer: {error.__cause__ or error}"
        return None


_KILL_COLUMNS = [column for column in sessions.c if column.name.startswith("kill_")]


def _overwriting(table: Table) -> Any:
    """Return an insert that overwrites the row that is there."""
    statement = insert(table)
    fresh = {each.name: each for each in statement.excluded if not each.primary_key}
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=fresh)


def _beating() -> Any:
    """Return the insert of a process that beats; what it does not say of itself stays known."""
    statement = insert(processes)
    fresh, known = statement.excluded, processes.c
    return statement.on_conflict_do_update(
        index_elements=[known.process_id],
        set_={
            "host": func.coalesce(fresh.host, known.host),
            "pid": func.coalesce(fresh.pid, known.pid),
            "last_heartbeat": fresh.last_heartbeat,
        },
    )


def _with_process(table: Table) -> Select[Any]:
    """Read a table's sessions together with the process that serves each."""
    served = table.outerjoin(processes, processes.c.process_id == table.c.process_id)
    return select(table, processes.c.host, processes.c.pid).select_from(served)


def _process_row(process: Process, now: datetime) -> dict[str, Any]:
    return {
        "process_id": process.process_id,
        "host": process.host,
        "pid": process.pid,
        "last_heartbeat": now,
    }


def _criteria(query: SessionQuery) -> Iterator[ColumnElement[bool]]:
    yield true()
    if query.app_name is not None:
        yield sessions.c.app_name == query.app_name
    if query.user_id is not None:
        yield sessions.c.user_id == query.user_id
    if query.working is not None:
        started = sessions.c.task_started_at
        yield started.is_not(None) if query.working else started.is_(None)
    if query.heard_after is not None:
        yield sessions.c.last_heartbeat > query.heard_after
    if query.heard_until is not None:
        yield sessions.c.last_heartbeat <= query.heard_until
