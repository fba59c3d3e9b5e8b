"""Ordering the end of a session, of several, or of a whole app."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ..domain.ids import KillId, SessionId, name
from ..domain.kill import Kill
from ..domain.report import known
from ..domain.session import Session
from ..domain.staleness import Observation, StalenessPolicy
from .ports import Clock, Ids, Reached, SessionRepository, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKill:
    """Order that a session be ended. Ordered again, the first order stands."""

    unit_of_work: UnitOfWork
    clock: Clock
    policy: StalenessPolicy
    ids: Ids

    async def __call__(
        self, session_id: SessionId, *, reason: str | None = None, requested_by: str | None = None
    ) -> Observation:
        """Store the order and return the session with it (raises NotFound, Gone, Invalid)."""
        now = self.clock.now()
        kill = _order(self.ids, now, reason, requested_by)
        async with self.unit_of_work() as sessions:
            session = known((await sessions.get([session_id])).get(session_id), session_id)
            session = session.ordered(kill)
            await sessions.save([session])
        return self.policy.observe(session, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKillAll:
    """Order the end of exactly those sessions of an app that are live at this moment."""

    unit_of_work: UnitOfWork
    clock: Clock
    ids: Ids

    async def __call__(
        self, app_name: str, *, reason: str | None = None, requested_by: str | None = None
    ) -> Reached:
        """Store an order for each session and return whom it reached (raises Invalid)."""
        order = _order(self.ids, self.clock.now(), reason, requested_by)
        async with self.unit_of_work() as sessions:
            live = await sessions.live_of(name("app_name", app_name))
            return await _order_all(sessions, live, order, self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKillMany:
    """Order the end of those of some sessions that are live at this moment."""

    unit_of_work: UnitOfWork
    clock: Clock
    ids: Ids

    async def __call__(
        self,
        session_ids: Collection[SessionId],
        *,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Reached:
        """Store an order for each session and return whom it reached (raises Invalid)."""
        order = _order(self.ids, self.clock.now(), reason, requested_by)
        async with self.unit_of_work() as sessions:
            found = (await sessions.get(session_ids)).values()
            live = [session for session in found if not session.end]
            return await _order_all(sessions, live, order, self.ids)


async def _order_all(
    repository: SessionRepository, sessions: Iterable[Session], order: Kill, ids: Ids
) -> Reached:
    ordered = [each.ordered(replace(order, kill_id=KillId(ids.new()))) for each in sessions]
    await repository.save(ordered)
    return Reached(session_ids=tuple(session.session_id for session in ordered))


def _order(ids: Ids, now: datetime, reason: str | None, requested_by: str | None) -> Kill:
    return Kill(
        kill_id=KillId(ids.new()), requested_at=now, reason=reason, requested_by=requested_by
    )
