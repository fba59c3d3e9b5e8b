"""The server as an operator sees it, with sessions that a test sets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta

from panel_session_monitor.application.apps import ListApps
from panel_session_monitor.application.operator_ports import (
    ChangesMissed,
    Look,
    OperatorError,
    Reached,
)
from panel_session_monitor.application.ports import Clock, Ids, LiveApp, LiveProcess
from panel_session_monitor.application.processes import Processes
from panel_session_monitor.domain.change import Change, Changed, DrainChanged
from panel_session_monitor.domain.drain import Drain
from panel_session_monitor.domain.event import EventKind, SessionEvent, between
from panel_session_monitor.domain.ids import DrainId, KillId, SessionId
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.report import LONGEST_AGE
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import Observation, StalenessPolicy, Status

from .sessions import InMemorySessions, Tables


@dataclass(slots=True, kw_only=True)
class InMemoryOperator:
    """Judges and kills the sessions it holds.

    While `problem` is set it cannot be reached, while `silent` is set it never answers; `asked`
    counts the looks. A kill stays `requested`: how it goes on is for the test to set.
    """

    clock: Clock
    ids: Ids
    live: dict[SessionId, Session] = field(default_factory=dict)
    problem: str | None = None
    policy: StalenessPolicy = field(default_factory=StalenessPolicy)
    silent: bool = False
    asked: int = 0
    ended: dict[SessionId, Session] = field(default_factory=dict)
    drained: dict[str, Drain] = field(default_factory=dict)
    serving: list[LiveProcess] = field(default_factory=list)
    happened: list[SessionEvent] = field(default_factory=list)
    told: list[Change] = field(default_factory=list)
    life: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, *sessions: Session) -> None:
        """Take in sessions, or put others in the place of those with the same ids."""
        now = self.clock.now()
        for session in sessions:
            self.happened += between(self.live.get(session.session_id), session, now)
            self.live.pop(session.session_id, None)
            (self.ended if session.end else self.live)[session.session_id] = session
            self._tell(Changed(session=session))

    def forget(self) -> None:
        """Be a server that was started anew: it knows no position of before."""
        self.life += 1
        self.told.clear()
        self.poke()

    def poke(self) -> None:
        """Let those who follow the changes see what is so by now."""
        self.news.set()
        self.news = asyncio.Event()

    def end(self, *session_ids: SessionId) -> None:
        """Let sessions end, killed if that was ordered."""
        self.hold(*(self.live[each].ended(self.clock.now()) for each in session_ids))

    async def sessions(
        self,
        *,
        app_name: str | None = None,
        status: Status | None = None,
        user_id: str | None = None,
    ) -> list[Observation]:
        """Return all sessions that match."""
        self.asked += 1
        await self._reach()
        now = self.clock.now()
        seen = [self.policy.observe(session, now) for session in self.live.values()]
        criteria: list[tuple[object, Callable[[Observation], object]]] = [
            (app_name, lambda one: one.session.app_name),
            (status, lambda one: one.status),
            (user_id, lambda one: one.session.user_id),
        ]
        return [
            one for one in seen if all(wanted in (None, value(one)) for wanted, value in criteria)
        ]

    async def look(self) -> Look:
        """Return the live list as it is."""
        sessions = await self.sessions()
        drains = tuple(self.drained.values())
        position = f"{self.life}-{len(self.told)}"
        return Look(sessions=sessions, drains=drains, at=self.clock.now(), position=position)

    async def changes(self, position: str) -> AsyncIterator[Change | None]:
        """Yield what `hold`, `end` and the drains have changed since; the past is all kept."""
        life, _, number = position.partition("-")
        await self._reach()
        yield None
        place = int(number)
        while True:
            if int(life) != self.life:
                raise ChangesMissed("the server was started anew")
            while place < len(self.told):
                place += 1
                yield self.told[place - 1]
            await self._reach()
            await self.news.wait()

    async def session(self, session_id: SessionId) -> Observation:
        """Return a session, live or ended."""
        await self._reach()
        known = self.live | self.ended
        if session_id not in known:
            raise OperatorError(f"session {session_id} is not known")
        return self.policy.observe(known[session_id], self.clock.now())

    async def events(self, session_id: SessionId) -> list[SessionEvent]:
        """Return what has happened to a session."""
        await self.session(session_id)
        return [each for each in self.happened if each.session_id == session_id]

    async def apps(self) -> list[LiveApp]:
        """Return the apps that have sessions or are drained."""
        await self._reach()
        live = {key: replace(each, process=None) for key, each in self.live.items()}
        store = InMemorySessions(Tables(sessions=live, drains=dict(self.drained)))
        return await ListApps(reader=store, clock=self.clock, policy=self.policy)()

    async def processes(self) -> Processes:
        """Return the processes that a test has set."""
        await self._reach()
        return Processes(processes=list(self.serving), at=self.clock.now())

    async def kill(
        self, session_id: SessionId, *, reason: str | None = None, requested_by: str | None = None
    ) -> Kill:
        """Order the end of a session; ordered again, the first order stands."""
        await self._reach()
        session = self.live.get(session_id)
        if session is None:
            raise OperatorError(f"session {session_id} has ended")
        kill = Kill(
            kill_id=KillId(self.ids.new()),
            requested_at=self.clock.now(),
            reason=reason,
            requested_by=requested_by,
        )
        ordered = session.ordered(kill)
        self.hold(ordered)
        return ordered.kill or kill

    async def kill_many(
        self,
        session_ids: Collection[SessionId],
        *,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Reached:
        """Order the end of those of the sessions that are live."""
        await self._reach()
        doomed = tuple(each for each in session_ids if each in self.live)
        for session_id in doomed:
            await self.kill(session_id, reason=reason, requested_by=requested_by)
        return Reached(session_ids=doomed)

    async def kill_all(
        self, app_name: str, *, reason: str | None = None, requested_by: str | None = None
    ) -> Reached:
        """Order the end of every session of an app."""
        await self._reach()
        doomed = [key for key, one in self.live.items() if one.app_name == app_name]
        return await self.kill_many(doomed, reason=reason, requested_by=requested_by)

    async def send(
        self,
        text: str,
        *,
        session_id: SessionId | None = None,
        app_name: str | None = None,
        sent_by: str | None = None,
    ) -> Reached:
        """Note a message to every session that is meant."""
        await self._reach()
        if session_id and session_id not in self.live:
            raise OperatorError(f"session {session_id} has ended")
        meant = tuple(
            key
            for key, one in self.live.items()
            if session_id in (None, key) and app_name in (None, one.app_name)
        )
        now = self.clock.now()
        self.happened += [
            SessionEvent(session_id=key, at=now, kind=EventKind.MESSAGE_SENT, text=text, by=sent_by)
            for key in meant
        ]
        return Reached(session_ids=meant)

    async def drain(
        self,
        app_name: str,
        *,
        kill_after: float | None = None,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Drain:
        """Set the terms of an app's drain."""
        await self._reach()
        if kill_after is not None and not 0 <= kill_after <= LONGEST_AGE:
            raise OperatorError("kill_after: must be a number of seconds")
        now = self.clock.now()
        drain = Drain(
            drain_id=DrainId(self.ids.new()),
            app_name=app_name,
            started_at=now,
            kill_at=None if kill_after is None else now + timedelta(seconds=kill_after),
            reason=reason,
            requested_by=requested_by,
        )
        self.drained[app_name] = drain
        self._tell(DrainChanged(app_name=app_name, drain=drain))
        return drain

    async def undrain(self, app_name: str) -> None:
        """Take the drain of an app back."""
        await self._reach()
        if self.drained.pop(app_name, None):
            self._tell(DrainChanged(app_name=app_name, drain=None))

    def _tell(self, change: Change) -> None:
        self.told.append(change)
        self.poke()

    async def _reach(self) -> None:
        if self.silent:
            await asyncio.get_running_loop().create_future()
        if self.problem:
            raise OperatorError(self.problem)
