"""The heartbeat of one session, for programs that speak for themselves."""

from dataclasses import dataclass

from ..domain.ids import SessionId
from ..domain.report import known
from ..domain.staleness import Observation, StalenessPolicy
from .ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHeartbeat:
    """Note that a session is alive; the answer says whether an operator wants it ended."""

    unit_of_work: UnitOfWork
    clock: Clock
    policy: StalenessPolicy

    async def __call__(self, session_id: SessionId) -> Observation:
        """Store the heartbeat and return the session, with its kill (raises NotFound, Gone)."""
        now = self.clock.now()
        async with self.unit_of_work() as sessions:
            session = known((await sessions.get([session_id])).get(session_id), session_id)
            session = session.seen(now)
            await sessions.save([session])
        return self.policy.observe(session, now)
