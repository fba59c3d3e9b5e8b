"""What one session is doing, for programs that speak for themselves."""

from dataclasses import dataclass

from ..domain.report import Activity, Report
from ..domain.staleness import Observation, StalenessPolicy
from .intake import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStatus:
    """Note what a session is doing: idle, or running a task. Counts as a heartbeat."""

    record: Record
    policy: StalenessPolicy

    async def __call__(self, activity: Activity) -> Observation:
        """Store the activity and return the session (raises NotFound, Gone, Invalid)."""
        receipt = await self.record(Report(news=(activity,)))
        receipt.require()
        return self.policy.observe(receipt.sessions[activity.session_id], receipt.at)
