"""The server as a tracked app sees it, without a network between them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from panel_session_monitor.application.group import GroupCommit
from panel_session_monitor.application.intake import RecordReports
from panel_session_monitor.application.ports import Clock
from panel_session_monitor.application.report import RecordReport
from panel_session_monitor.domain.report import Reply, Report

from .sessions import InMemorySessions


@dataclass(slots=True, kw_only=True)
class InMemoryMonitor:
    """Takes reports with the real use case; blocks the calling thread, which has no event loop.

    failure      raised instead of taking a report, as long as it is set
    reply_lost   raised after a report was taken, as long as it is set: the answer got lost
    garble       makes of a true reply what is answered instead
    attempts     how often a report was tried, with success or without
    reports      the reports that were taken
    """

    sessions: InMemorySessions
    clock: Clock
    heartbeat_interval: float = 30.0
    failure: BaseException | None = None
    reply_lost: BaseException | None = None
    garble: Callable[[Reply], Reply] | None = None
    attempts: int = 0
    reports: list[Report] = field(default_factory=list)

    def report(self, report: Report) -> Reply:
        """Deliver a report and return what came back."""
        self.attempts += 1
        if self.failure:
            raise self.failure
        record = RecordReport(
            record=GroupCommit(RecordReports(unit_of_work=self.sessions, clock=self.clock)),
            heartbeat_interval=self.heartbeat_interval,
        )
        reply = asyncio.run(record(report))
        self.reports.append(report)
        if self.reply_lost:
            raise self.reply_lost
        return self.garble(reply) if self.garble else reply
