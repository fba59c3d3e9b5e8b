"""The session store, as dictionaries."""

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from panel_session_monitor.application.ports import SessionPage, SessionQuery
from panel_session_monitor.domain.ids import ProcessId, SessionId
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.report import is_served_by
from panel_session_monitor.domain.session import Process, Session


@dataclass(slots=True)
class Tables:
    """What is stored: every session with its last snapshot, and every process by itself."""

    sessions: dict[SessionId, Session] = field(default_factory=dict)
    processes: dict[ProcessId, Process] = field(default_factory=dict)

    def copied(self) -> "Tables":
        """Return tables that can be changed without changing these."""
        return Tables(dict(self.sessions), dict(self.processes))


@dataclass(slots=True)
class InMemorySessions:
    """Unit of work, repository and reader in one.

    A transaction works on a copy of the tables, which takes their place when the block ends well.
    Transactions take turns, also between threads that run event loops of their own. While
    `failure` is set, every transaction fails with it at its beginning.
    """

    tables: Tables = field(default_factory=Tables)
    failure: Exception | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)

    # UnitOfWork

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator["InMemorySessions"]:
        """Begin a transaction that ends with the block."""
        if self.failure:
            raise self.failure
        if not self.turn.acquire(blocking=False):
            await asyncio.to_thread(self.turn.acquire)
        try:
            transaction = InMemorySessions(self.tables.copied())
            yield transaction
            self.tables = transaction.tables
        finally:
            self.turn.release()

    # SessionRepository

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        """Return those of the sessions that are known, whether live or ended."""
        stored = self.tables.sessions
        return {each: self._joined(stored[each]) for each in session_ids if each in stored}

    async def live_of(self, app_name: str) -> list[Session]:
        """Return all live sessions of an app."""
        return [each for each in self._live() if each.app_name == app_name]

    async def silent_since(self, moment: datetime) -> list[Session]:
        """Return the live sessions last heard of at `moment` or before."""
        return [each for each in self._live() if each.last_heartbeat <= moment]

    async def save(self, sessions: Iterable[Session]) -> None:
        """Store the snapshots."""
        for session in sessions:
            self.tables.sessions[session.session_id] = session
            if session.process:
                self.tables.processes.setdefault(session.process.process_id, session.process)

    async def beat(
        self, process: Process, session_ids: Collection[SessionId], now: datetime
    ) -> Mapping[SessionId, Kill | None]:
        """Store a heartbeat of the process and of those live sessions that it may speak for."""
        known = self.tables.processes.get(process.process_id, process)
        self.tables.processes[process.process_id] = replace(
            known, host=process.host or known.host, pid=process.pid or known.pid
        )
        heard = [
            each.seen(now)
            for each in (await self.get(session_ids)).values()
            if not each.end and is_served_by(each, process)
        ]
        self.tables.sessions |= {each.session_id: each for each in heard}
        return {each.session_id: each.kill for each in heard}

    async def forget_ended(self, before: datetime) -> int:
        """Delete from the history what ended before; return how many sessions."""
        old = [
            each.session_id
            for each in self.tables.sessions.values()
            if each.end and each.end.at < before
        ]
        for session_id in old:
            del self.tables.sessions[session_id]
        return len(old)

    # SessionReader

    async def find(self, session_id: SessionId) -> Session | None:
        """Return the session, live or ended."""
        return (await self.get([session_id])).get(session_id)

    async def page(self, query: SessionQuery) -> SessionPage:
        """Return a page of the live sessions."""
        matching = sorted(
            (each for each in self._live() if _matches(each, query)),
            key=lambda session: session.session_id,
        )
        following = [each for each in matching if not query.after or each.session_id > query.after]
        page = tuple(following[: query.limit])
        return SessionPage(sessions=page, total=len(matching), more=len(following) > len(page))

    def _live(self) -> Iterator[Session]:
        return (self._joined(each) for each in self.tables.sessions.values() if not each.end)

    def _joined(self, session: Session) -> Session:
        """Return the session with its process as it was last heard of."""
        if session.process is None:
            return session
        return replace(session, process=self.tables.processes[session.process.process_id])


def _matches(session: Session, query: SessionQuery) -> bool:
    return (
        query.app_name in (None, session.app_name)
        and query.user_id in (None, session.user_id)
        and query.working in (None, session.task is not None)
        and (query.heard_after is None or session.last_heartbeat > query.heard_after)
        and (query.heard_until is None or session.last_heartbeat <= query.heard_until)
    )
