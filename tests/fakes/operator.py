"""The server as an operator sees it, with sessions that a test sets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from panel_session_monitor.application.ports import Clock, Ids, KilledAll, OperatorError
from panel_session_monitor.domain.ids import KillId, SessionId
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import Observation, StalenessPolicy, Status


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

    def hold(self, *sessions: Session) -> None:
        """Take in sessions, or put others in the place of those with the same ids."""
        self.live |= {session.session_id: session for session in sessions}

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

    async def kill_all(
        self, app_name: str, *, reason: str | None = None, requested_by: str | None = None
    ) -> KilledAll:
        """Order the end of every session of an app."""
        await self._reach()
        doomed = tuple(key for key, one in self.live.items() if one.app_name == app_name)
        for session_id in doomed:
            await self.kill(session_id, reason=reason, requested_by=requested_by)
        return KilledAll(session_ids=doomed)

    async def _reach(self) -> None:
        if self.silent:
            await asyncio.get_running_loop().create_future()
        if self.problem:
            raise OperatorError(self.problem)
