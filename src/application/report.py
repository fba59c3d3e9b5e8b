"""The report of a whole process: heartbeats, and the news of all its sessions, at once."""

from dataclasses import dataclass

from ..domain.errors import Gone, NotFound
from ..domain.report import Draining, Notice, Order, Refusal, Reply, Report
from .intake import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """Take all that a process has to tell in one transaction.

    News that breaks a rule is refused by itself, the rest of the report is taken. The reply
    repeats every kill until its session has ended and every message until it was shown, so that a
    lost push loses none, and lists all drains that stand.
    """

    record: Record
    heartbeat_interval: float

    async def __call__(self, report: Report) -> Reply:
        """Store the report and answer with orders, and with ids that are unknown or ended."""
        receipt = await self.record(report)
        found = receipt.failures
        return Reply(
            heartbeat_interval=self.heartbeat_interval,
            kill_requested=tuple(
                Order.of(session_id, kill) for session_id, kill in receipt.kills.items()
            ),
            unknown=tuple(dict.fromkeys(key for key, why in found if isinstance(why, NotFound))),
            ended=tuple(dict.fromkeys(key for key, why in found if isinstance(why, Gone))),
            refused=tuple(
                Refusal(session_id=key, detail=str(why))
                for key, why in found
                if not isinstance(why, NotFound | Gone)
            ),
            messages=tuple(map(Notice.of, receipt.messages)),
            drains=tuple(Draining.of(each, receipt.at) for each in receipt.drains),
        )
