"""What one session is doing, for programs that speak for themselves."""

from dataclasses import dataclass

from ..domain.report import Activity
from ..domain.staleness import Observation, StalenessPolicy
from .ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStatus:
    """Note what a session is doing: idle, or running a task. Counts as a heartbeat."""

    unit_of_work: UnitOfWork
    clock: Clock
    policy: StalenessPolicy

    async def __call__(self, activity: Activity) -> Observation:
        """Store the activity and return the session (raises NotFound, Gone, Invalid)."""
        now = self.clock.now()
        session_id = activity.session_id
        async with self.unit_of_work() as sessions:
            session = activity.applied((await sessions.get([session_id])).get(session_id), now)
            await sessions.save([session])
        return self.policy.observe(session, now)
