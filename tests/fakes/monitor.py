"""The server as a tracked app sees it, without a network between them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from uuid import UUID

from panel_session_monitor.application.clock import Clock
from panel_session_monitor.application.group import GroupCommit
from panel_session_monitor.application.intake import RecordReports
from panel_session_monitor.application.report import RecordReport
from panel_session_monitor.domain.drain import Drain
from panel_session_monitor.domain.ids import KillId, ProcessId
from panel_session_monitor.domain.report import Draining, Drains, Instruction, Reply, Report

from .sessions import InMemorySessions


@dataclass(slots=True, kw_only=True)
class InMemoryMonitor:
    """Takes reports with the real use case; blocks the calling thread, which has no event loop.

    failure      raised instead of taking a report, as long as it is set
    reply_lost   raised after a report was taken, as long as it is set: the answer got lost
    garble       makes of a true reply what is answered instead
    attempts     how often a report was tried, with success or without
    reports      the reports that were taken
    no_orders    raised instead of opening an order stream, as long as it is set
    streams      after which order each stream was opened, with success or without
    """

    sessions: InMemorySessions
    clock: Clock
    heartbeat_interval: float = 30.0
    failure: BaseException | None = None
    reply_lost: BaseException | None = None
    garble: Callable[[Reply], Reply] | None = None
    attempts: int = 0
    reports: list[Report] = field(default_factory=list)
    no_orders: BaseException | None = None
    streams: list[KillId | None] = field(default_factory=list)
    _pokes: SimpleQueue[BaseException | bool] = field(default_factory=SimpleQueue)

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

    def orders(
        self, process_id: ProcessId, after: KillId | None = None
    ) -> Iterator[Instruction | None]:
        """Yield None, then the orders in the store, and again when it is poked."""
        self.streams.append(after)
        if self.no_orders:
            raise self.no_orders
        yield None
        given: set[UUID] = set()
        standing: list[Drain] = []
        poke: BaseException | bool = True
        while poke:
            if isinstance(poke, BaseException):
                raise poke
            for order in asyncio.run(self.sessions.orders(process_id)):
                if order.id not in given and not (after and order.id <= after):
                    given.add(order.id)
                    yield order
            if (drains := asyncio.run(self.sessions.drains())) != standing:
                standing, now = drains, self.clock.now()
                yield Drains(drains=tuple(Draining.of(each, now) for each in drains))
            poke = self._pokes.get()

    def poke(self) -> None:
        """Have the stream that is open, or the next one, look for orders."""
        self._pokes.put(True)

    def break_off(self, error: BaseException) -> None:
        """Have it fail."""
        self._pokes.put(error)

    def hang_up(self) -> None:
        """Have it end."""
        self._pokes.put(False)
