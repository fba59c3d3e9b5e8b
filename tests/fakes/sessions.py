"""The session store, as dictionaries."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from panel_session_monitor.application.ports import (
    Beat,
    Beaten,
    LiveApp,
    LiveProcess,
    LiveSession,
    SessionPage,
    SessionQuery,
)
from panel_session_monitor.domain.drain import Drain
from panel_session_monitor.domain.event import MOST_EVENTS, TASK_EVENTS, SessionEvent
from panel_session_monitor.domain.ids import MessageId, ProcessId, SessionId
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.message import Message
from panel_session_monitor.domain.report import Figures, Notice, Order, is_served_by
from panel_session_monitor.domain.session import Process, Session
from panel_session_monitor.domain.staleness import Status, status


@dataclass(slots=True)
class Tables:
    """What is stored: every session with its last snapshot, every process by itself, and so on."""

    sessions: dict[SessionId, Session] = field(default_factory=dict)
    processes: dict[ProcessId, LiveProcess] = field(default_factory=dict)
    messages: dict[MessageId, Message] = field(default_factory=dict)
    drains: dict[str, Drain] = field(default_factory=dict)
    events: list[SessionEvent] = field(default_factory=list)

    def copied(self) -> "Tables":
        """Return tables that can be changed without changing these."""
        return Tables(
            dict(self.sessions),
            dict(self.processes),
            dict(self.messages),
            dict(self.drains),
            list(self.events),
        )


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

    async def live_of(self, app_name: str | None) -> list[Session]:
        """Return all live sessions of an app; None: of every app."""
        return [each for each in self._live() if app_name in (None, each.app_name)]

    async def silent_since(self, moment: datetime) -> list[Session]:
        """Return the live sessions last heard of at `moment` or before."""
        return [each for each in self._live() if each.last_heartbeat <= moment]

    async def save(self, sessions: Iterable[Session]) -> None:
        """Store the snapshots."""
        for session in sessions:
            self.tables.sessions[session.session_id] = session
            if session.end:
                self._strike(session.session_id)
            if session.process:
                heard = session.last_heartbeat
                met = LiveProcess(
                    process=session.process,
                    started_at=heard,
                    last_heartbeat=heard,
                    sessions=0,
                    figures=Figures(),
                )
                self.tables.processes.setdefault(session.process.process_id, met)

    async def beat(self, beats: Sequence[Beat], now: datetime) -> list[Beaten]:
        """Store heartbeats: of each process, and of those live sessions that it may speak for."""
        return [await self._beat(each, now) for each in beats]

    async def _beat(self, beat: Beat, now: datetime) -> Beaten:
        if beat.process:
            self._meet(beat.process, beat, now)
        heard = {
            each.session_id: each.seen(now)
            for each in (await self.get(beat.session_ids)).values()
            if not each.end and is_served_by(each, beat.process)
        }
        self.tables.sessions |= heard
        live = {each.session_id for each in self._live() if each.process == beat.process}
        return Beaten(
            absent=tuple(each for each in beat.session_ids if each not in heard),
            kills={key: each.kill for key, each in heard.items() if each.kill},
            whole=beat.process is not None and live == set(heard),
            messages=self._waiting(beat.process.process_id) if beat.process else (),
            drains=await self.drains() if beat.process else (),
        )

    def _meet(self, process: Process, beat: Beat, now: datetime) -> None:
        known = self.tables.processes.get(process.process_id)
        before = known.process if known else process
        self.tables.processes[process.process_id] = LiveProcess(
            process=replace(
                process, host=process.host or before.host, pid=process.pid or before.pid
            ),
            started_at=known.started_at if known else now,
            last_heartbeat=known.last_heartbeat if known and not beat.session_ids else now,
            sessions=0,
            figures=beat.figures or Figures(),
        )

    async def forget_ended(self, before: datetime) -> int:
        """Delete from the history what ended before; return how many sessions."""
        old = [
            each.session_id
            for each in self.tables.sessions.values()
            if each.end and each.end.at < before
        ]
        for session_id in old:
            del self.tables.sessions[session_id]
        self.tables.events = [each for each in self.tables.events if each.session_id not in old]
        return len(old)

    async def note(self, events: Sequence[SessionEvent]) -> None:
        """Store events; of MOST_EVENTS of a session the oldest go, tasks first."""
        for event in events:
            self.tables.events.append(event)
            own = await self.events(event.session_id)
            if len(own) > MOST_EVENTS:
                of_tasks = (each for each in own if each.kind in TASK_EVENTS)
                self.tables.events.remove(next(of_tasks, own[0]))

    async def send(self, messages: Sequence[Message]) -> set[ProcessId]:
        """Store messages; return whose they are."""
        self.tables.messages |= {each.message_id: each for each in messages}
        found = (self.tables.sessions.get(each.session_id) for each in messages)
        return {each.process.process_id for each in found if each and each.process}

    async def shown(self, message_ids: Collection[MessageId]) -> list[Message]:
        """Delete messages; return those that were on their way."""
        known = [each for each in dict.fromkeys(message_ids) if each in self.tables.messages]
        return [self.tables.messages.pop(each) for each in known]

    async def drains(self) -> list[Drain]:
        """Return the drains that stand, in the order of the apps' names."""
        return [each for _, each in sorted(self.tables.drains.items())]

    async def drain(self, drain: Drain) -> set[ProcessId]:
        """Store the drain of an app; return who serves the app."""
        self.tables.drains[drain.app_name] = drain
        return self._serving(drain.app_name)

    async def undrain(self, app_name: str) -> set[ProcessId]:
        """Delete the drain of an app; return who serves the app."""
        self.tables.drains.pop(app_name, None)
        return self._serving(app_name)

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
        return SessionPage(
            sessions=[LiveSession.of(each) for each in page],
            total=len(matching),
            more=len(following) > len(page),
        )

    async def pieces(self, query: SessionQuery) -> AsyncIterator[Sequence[LiveSession]]:
        """Give all matching sessions, a few at a time."""
        sent: SessionId | None = query.after
        while piece := (await self.page(replace(query, after=sent, limit=1_000))).sessions:
            yield piece
            sent = piece[-1].session_id

    async def apps(self, stale_since: datetime) -> list[LiveApp]:
        """Return the apps that have live sessions, in the order of their names."""
        live = sorted(self._live(), key=lambda each: each.app_name)
        return [
            _counted(name, list(own), stale_since)
            for name, own in groupby(live, key=lambda each: each.app_name)
        ]

    async def processes(self, heard_after: datetime) -> list[LiveProcess]:
        """Return the processes that have live sessions or were heard of after a moment."""
        serving = Counter(each.process.process_id for each in self._live() if each.process)
        every = [
            replace(each, sessions=serving[key]) for key, each in self.tables.processes.items()
        ]
        shown = [each for each in every if each.sessions or each.last_heartbeat > heard_after]
        return sorted(shown, key=lambda each: (each.process.host or "", each.process.pid or 0))

    async def orders(self, process_id: ProcessId) -> list[Order | Notice]:
        """Return what a process has not reported as delivered or shown, in the order of ids."""
        waiting: list[Order | Notice] = [
            Order.of(each.session_id, each.kill)
            for each in self._live()
            if each.process
            and each.process.process_id == process_id
            and each.kill
            and each.kill.state is KillState.REQUESTED
        ]
        waiting += map(Notice.of, self._waiting(process_id))
        return sorted(waiting, key=lambda order: order.id)

    async def events(self, session_id: SessionId) -> list[SessionEvent]:
        """Return what has happened to a session."""
        return [each for each in self.tables.events if each.session_id == session_id]

    async def overstaying(self, now: datetime) -> list[SessionId]:
        """Return the live sessions that a drain is to end by now, and nobody has ordered killed."""
        killing = {each.app_name for each in self.tables.drains.values() if each.kills(now)}
        return [
            each.session_id for each in self._live() if each.app_name in killing and not each.kill
        ]

    def _strike(self, session_id: SessionId) -> None:
        messages = self.tables.messages
        of_session = [key for key, each in messages.items() if each.session_id == session_id]
        for message_id in of_session:
            del messages[message_id]

    def _waiting(self, process_id: ProcessId) -> list[Message]:
        live = {
            each.session_id
            for each in self._live()
            if each.process and each.process.process_id == process_id
        }
        return [each for _, each in sorted(self.tables.messages.items()) if each.session_id in live]

    def _serving(self, app_name: str) -> set[ProcessId]:
        live = (each for each in self._live() if each.app_name == app_name)
        return {each.process.process_id for each in live if each.process}

    def _live(self) -> Iterator[Session]:
        return (self._joined(each) for each in self.tables.sessions.values() if not each.end)

    def _joined(self, session: Session) -> Session:
        """Return the session with its process as it was last heard of."""
        if session.process is None:
            return session
        return replace(session, process=self.tables.processes[session.process.process_id].process)


def _counted(app_name: str, live: list[Session], stale_since: datetime) -> LiveApp:
    count = Counter(status(each.last_heartbeat, stale_since, each.task) for each in live)
    return LiveApp(
        app_name=app_name,
        sessions=len(live),
        idle=count[Status.IDLE],
        running=count[Status.RUNNING],
        stale=count[Status.STALE],
        users=len({each.user_id for each in live} - {None}),
    )


def _names(session: Session) -> Iterator[str]:
    task, process = session.task, session.process
    names = (session.app_name, session.user_id, task and task.name, process and process.host)
    return (name.casefold() for name in names if name)


def _matches(session: Session, query: SessionQuery) -> bool:
    return (
        query.app_name in (None, session.app_name)
        and query.user_id in (None, session.user_id)
        and (query.text is None or any(query.text.casefold() in each for each in _names(session)))
        and query.working in (None, session.task is not None)
        and (query.heard_after is None or session.last_heartbeat > query.heard_after)
        and (query.heard_until is None or session.last_heartbeat <= query.heard_until)
    )
