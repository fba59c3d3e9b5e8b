"""The session reader, on SQLAlchemy Core: outside every transaction, never in a writer's way."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    func,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.exc import SQLAlchemyError

from ...application.ports import LiveApp, LiveProcess, LiveSession, SessionPage, SessionQuery
from ...domain.drain import Drain
from ...domain.event import SessionEvent
from ...domain.ids import KillId, ProcessId, SessionId
from ...domain.kill import Kill
from ...domain.report import Figures, Notice, Order
from ...domain.session import Process, Session
from . import events, notices
from .apps import COUNTED, Counts
from .rows import as_kill, kill_columns
from .sessions import SqlSessions, heard_until, last_heartbeat
from .sqlite import SqliteConnection, SqliteDatabase, seconds
from .tables import killed, processes, sessions

READ_AT_ONCE = 5_000
"""Sessions of a long list that one statement looks at."""

SEARCHED_AT_ONCE = 1_000
"""Sessions that one statement looks at more closely, for a text or to count them by kind."""

END = "g"
"""Comes after every id in hexadecimal digits."""

Span = dict[str, str]
"""A part of the live list: the ids `after` one and up to the `last`, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class SqlReader:
    """Reads what was committed last, without waiting for the writer."""

    database: SqliteDatabase

    async def find(self, session_id: SessionId) -> Session | None:
        """Return the session, live or ended."""
        async with self.database.reading() as connection:
            return (await SqlSessions(connection).get([session_id])).get(session_id)

    async def page(self, query: SessionQuery) -> SessionPage:
        """Return a page of the live sessions, as of one moment."""
        matching = and_(true(), *_criteria(query))
        most = sys.maxsize if query.limit is None else query.limit + 1
        found: list[LiveSession] = []
        async with self.database.reading() as connection:
            async for span in _spans(connection, _size(query), query.after):
                wanted = LISTED.where(matching, WITHIN).limit(most - len(found))
                found += await _sessions(connection, wanted, span)
                if len(found) == most:
                    break
            total = len(found)
            if query.after or len(found) == most:  # else these are all
                total = await _total(connection, query, matching)
        page = found[: query.limit]
        return SessionPage(sessions=page, total=total, more=len(found) > len(page))

    async def pieces(self, query: SessionQuery) -> AsyncIterator[Sequence[LiveSession]]:
        """Give all matching sessions, a few at a time."""
        wanted, span = LISTED.where(WITHIN, *_criteria(query)), _begin(query.after)
        while span["last"] != END:
            async with self.database.reading() as connection:
                span = await _next(connection, span, _size(query))
                found = await _sessions(connection, wanted, span)
            yield found
            await asyncio.sleep(0)  # where little is found, little is done with it

    async def apps(self, stale_since: datetime) -> list[LiveApp]:
        """Return the apps that have live sessions, in the order of their names, without drains."""
        counts = Counts()
        async with self.database.reading() as connection:
            async for span in _spans(connection, SEARCHED_AT_ONCE):
                wanted = span | {"stale_since": stale_since}
                async for rows in connection.pieces(COUNTED.where(WITHIN), wanted):
                    counts.add(rows)
        return counts.apps()

    async def processes(self, heard_after: datetime) -> list[LiveProcess]:
        """Return the processes that have live sessions or were heard of after a moment."""
        live = or_(processes.c.last_heartbeat > heard_after, SERVED.c.serving.is_not(None))
        async with self.database.reading() as connection:
            pieces = connection.pieces(PROCESSES.where(live))
            return [
                LiveProcess(
                    process=Process(
                        process_id=ProcessId(row.process_id), host=row.host, pid=row.pid
                    ),
                    started_at=row.started_at or row.last_heartbeat,
                    last_heartbeat=row.last_heartbeat,
                    sessions=row.serving or 0,
                    figures=Figures(
                        connected=row.connected,
                        rss_bytes=row.rss_bytes,
                        cpu_percent=row.cpu_percent,
                        loop_lag_seconds=row.loop_lag_seconds,
                        version=row.version,
                    ),
                )
                async for rows in pieces
                for row in rows
            ]

    async def events(self, session_id: SessionId) -> list[SessionEvent]:
        """Return what has happened to a session, in the order in which it was noted."""
        async with self.database.reading() as connection:
            return await events.of_session(connection, session_id)

    async def orders(self, process_id: ProcessId) -> list[Order | Notice]:
        """Return what a process has not reported as delivered or shown, in the order of ids."""
        async with self.database.reading() as connection:
            found = await connection.execute(ORDERS, {"process": process_id})
            waiting = await notices.waiting(connection, [process_id])
        orders: list[Order | Notice] = [
            Order(
                session_id=SessionId(row.session_id),
                kill_id=KillId(row.kill_id),
                reason=row.kill_reason,
                requested_by=row.kill_requested_by,
            )
            for row in found
        ]
        orders += map(Notice.of, waiting[process_id])
        return sorted(orders, key=lambda order: order.id)

    async def drains(self) -> list[Drain]:
        """Return the drains that stand, in the order of the apps' names."""
        async with self.database.reading() as connection:
            return await notices.standing(connection)

    async def overstaying(self, now: datetime) -> list[SessionId]:
        """Return the live sessions that a drain is to end by now, and nobody has ordered killed."""
        async with self.database.reading() as connection:
            return await connection.scalars(notices.OVERSTAYING, {"now": now})

    async def check(self) -> str | None:
        """Return None if the database answers, or in one line why it does not."""
        try:
            async with self.database.reading() as connection:
                await connection.execute(select(sessions.c.session_id).limit(1))
        except SQLAlchemyError as error:
            return f"the database does not answer: {error.__cause__ or error}"
        return None


def _begin(after: SessionId | None) -> Span:
    return {"after": "", "last": after.hex if after else ""}


def _size(query: SessionQuery) -> int:
    return SEARCHED_AT_ONCE if query.text else READ_AT_ONCE


async def _next(connection: SqliteConnection, span: Span, size: int) -> Span:
    """Return the span that follows, of so many sessions."""
    after = span["last"]
    last = await connection.scalar(LAST, {"after": after, "others": size - 1})
    return {"after": after, "last": last or END}


async def _spans(
    connection: SqliteConnection, size: int, after: SessionId | None = None
) -> AsyncIterator[Span]:
    """Cut the live list, however long it is; between two spans others have their turn."""
    span = _begin(after)
    while span["last"] != END:
        span = await _next(connection, span, size)
        yield span
        await asyncio.sleep(0)


async def _total(
    connection: SqliteConnection, query: SessionQuery, matching: ColumnElement[bool]
) -> int:
    count = _count(query, matching)
    if replace(query, app_name=None, after=None, limit=None) == SessionQuery():
        # An index alone tells it: pieces would take several times the few milliseconds that it is.
        return int(await connection.scalar(count, {}))
    spans = _spans(connection, _size(query))
    return sum([await connection.scalar(count.where(WITHIN), span) async for span in spans])


async def _sessions(
    connection: SqliteConnection, wanted: Select[Any], span: Span
) -> list[LiveSession]:
    """Read sessions, and complete them with the kills that were ordered: few have one."""
    records = connection.records(wanted, LiveSession, span)
    page = [each async for some in records for each in some]
    if not page:
        return page
    first, last = page[0].session_id, page[-1].session_id
    kills: dict[SessionId, Kill | None] = {
        row.session_id: as_kill(row)
        async for rows in connection.pieces(KILLS, {"first": first, "last": last})
        for row in rows
    }
    if not kills:
        return page
    return [
        each._replace(kill=kills[each.session_id]) if each.session_id in kills else each
        for each in page
    ]


def _count(query: SessionQuery, matching: ColumnElement[bool]) -> Select[Any]:
    """Return the query for the number of matches; the processes are joined only where needed."""
    by_process = query.heard_after or query.heard_until or query.text
    counted_in = _served if by_process else sessions
    return select(func.count()).select_from(counted_in).where(matching)


def _criteria(query: SessionQuery) -> Iterator[ColumnElement[bool]]:
    if query.app_name is not None:
        yield sessions.c.app_name == query.app_name
    if query.user_id is not None:
        yield sessions.c.user_id == query.user_id
    if query.text is not None:
        names = (sessions.c.app_name, sessions.c.user_id, sessions.c.task, processes.c.host)
        yield func.found_in(query.text.casefold(), *names)
    if query.working is not None:
        started = sessions.c.task_started_at
        yield started.is_not(None) if query.working else started.is_(None)
    if query.heard_after is not None:
        yield ~heard_until(query.heard_after)
    if query.heard_until is not None:
        yield heard_until(query.heard_until)


_served = sessions.outerjoin(processes, processes.c.process_id == sessions.c.process_id)
_id = sessions.c.session_id

_hex = type_coerce(_id, String)
_later = _hex > bindparam("after")

LAST = select(_hex).where(_later).order_by(_id).offset(bindparam("others", type_=Integer)).limit(1)
"""The id that ends a span, after `others` of it."""

WITHIN = and_(_later, _hex <= bindparam("last"))
"""Whether a session is of a span."""

LISTED = (
    select(
        _id,
        sessions.c.app_name,
        sessions.c.user_id,
        sessions.c.process_id,
        processes.c.host,
        processes.c.pid,
        sessions.c.task,
        sessions.c.task_progress,
        seconds(sessions.c.started_at),
        seconds(last_heartbeat),
        seconds(sessions.c.task_started_at),
        null(),
    )
    .select_from(_served)
    .order_by(_id)
)
"""The columns of `LiveSession`, except for the kill."""

KILLS = select(_id, *kill_columns(sessions)).where(
    killed, _id.between(bindparam("first", type_=_id.type), bindparam("last", type_=_id.type))
)
ORDERS = (
    select(_id, sessions.c.kill_id, sessions.c.kill_reason, sessions.c.kill_requested_by)
    .where(
        sessions.c.process_id == bindparam("process", type_=sessions.c.process_id.type),
        killed,
        sessions.c.kill_delivered_at.is_(None),
    )
    .order_by(sessions.c.kill_id)
)
SERVED = (
    select(sessions.c.process_id, func.count().label("serving"))
    .group_by(sessions.c.process_id)
    .subquery()
)
PROCESSES = (
    select(processes, SERVED.c.serving)
    .outerjoin(SERVED, SERVED.c.process_id == processes.c.process_id)
    .order_by(processes.c.host, processes.c.pid, processes.c.process_id)
)
