"""A tracked app beside a service, both in memory: one clock, no network."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from panel_session_monitor.application.link import Link
from panel_session_monitor.application.tracking import Draft, TrackedSession, Tracking
from panel_session_monitor.domain.ids import SessionId
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.report import Order, Reply
from panel_session_monitor.domain.session import Session

from ...fakes.clock import SettableClock
from ...fakes.examples import a_process
from ...fakes.host import RecordingHost
from ...fakes.ids import SequentialIds
from ...fakes.monitor import InMemoryMonitor
from ...fakes.vitals import FixedVitals
from .world import World


@dataclass(slots=True)
class App:
    """One process of an app, the monitor it reports to, and what an operator may do there."""

    world: World = field(default_factory=World)
    ids: SequentialIds = field(default_factory=SequentialIds)
    tracking: Tracking = field(init=False)
    monitor: InMemoryMonitor = field(init=False)
    hosts: dict[SessionId, RecordingHost] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tracking = Tracking(a_process(), self.clock, self.ids)
        self.monitor = InMemoryMonitor(sessions=self.world.sessions, clock=self.clock)

    @property
    def clock(self) -> SettableClock:
        """The time, the same for both."""
        return self.world.clock

    def linked(self, random: Callable[[], float], **fields: Any) -> Link:
        """Return the link between the two."""
        parts = {"monitor": self.monitor, "vitals": FixedVitals(), **fields}
        return Link(tracking=self.tracking, clock=self.clock, random=random, **parts)

    # What happens in the app

    def open(
        self, app_name: str = "sales", user_id: str | None = None, *, has_loop: bool = False
    ) -> TrackedSession:
        """Open a session."""
        host = RecordingHost(has_loop=has_loop)
        session = self.tracking.open(app_name, user_id, host)
        self.hosts[session.session_id] = host
        return session

    def exchange(self, *, beat: bool = False) -> list[TrackedSession]:
        """Report as the link does; return the sessions to be ended."""
        draft = self.tracking.draft(beat=beat)
        return self.tracking.settle(draft, self.deliver(draft))

    def exchange_all(self) -> None:
        """Report until nothing is due, which must come soon."""
        for _ in range(100):
            if not self.tracking.due():
                return
            self.exchange()
        raise AssertionError("there is always more to report")

    def deliver(self, draft: Draft) -> Reply:
        """Have the monitor take a report, and keep the reply."""
        return self.monitor.report(draft.report)

    def push(self) -> list[TrackedSession]:
        """Take in the orders as the stream brings them; return the sessions to be ended."""
        orders = asyncio.run(self.world.sessions.orders(self.tracking.process.process_id))
        kills = [order for order in orders if isinstance(order, Order)]
        return [session for kill in kills for session in self.tracking.take(kill)]

    # What happens at the monitor

    def stored(self, session: TrackedSession) -> Session | None:
        """Return what the monitor knows of a session."""
        return asyncio.run(self.world.sessions.find(session.session_id))

    def live(self) -> list[SessionId]:
        """Return the ids on the monitor's live list."""
        return asyncio.run(self.world.live())

    def kill(self, session: TrackedSession, reason: str | None = None) -> Kill:
        """Order the end of a session."""
        seen = asyncio.run(self.world.kill(session.session_id, reason=reason))
        assert seen.session.kill
        return seen.session.kill

    def lose_all(self) -> None:
        """Have the monitor forget every session."""
        with self.world.sessions.turn:
            self.world.sessions.tables.sessions.clear()

    def expire_all(self) -> None:
        """Have the monitor give up every session."""
        silence = self.clock.now() - self.clock.now()
        asyncio.run(self.world.remove_silent(silence))
