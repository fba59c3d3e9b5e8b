"""The heartbeat of one session, for programs that speak for themselves."""

from dataclasses import dataclass

from ..domain.ids import SessionId
from ..domain.report import Report
from .intake import Receipt, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHeartbeat:
    """Note that a session is alive; the answer says whether an operator wants it ended."""

    record: Record

    async def __call__(self, session_id: SessionId) -> Receipt:
        """Store the heartbeat and return its receipt, with the kill (raises NotFound, Gone)."""
        receipt = await self.record(Report(session_ids=(session_id,)))
        receipt.require()
        return receipt
