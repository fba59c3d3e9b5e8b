"""A service without I/O: every use case, on one clock and one store in memory."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from panel_session_monitor.application.drain import DrainApp, EnforceDrains, UndrainApp
from panel_session_monitor.application.end import EndSession
from panel_session_monitor.application.group import GroupCommit
from panel_session_monitor.application.heartbeat import RecordHeartbeat
from panel_session_monitor.application.intake import Record, RecordReports
from panel_session_monitor.application.kill import RequestKill, RequestKillAll, RequestKillMany
from panel_session_monitor.application.listing import (
    GetSession,
    Listing,
    ListRequest,
    ListSessions,
)
from panel_session_monitor.application.message import SendMessage
from panel_session_monitor.application.ports import LiveSession
from panel_session_monitor.application.register import RegisterSession
from panel_session_monitor.application.report import RecordReport
from panel_session_monitor.application.status import ReportStatus
from panel_session_monitor.application.sweep import RemoveSilent, Sweep
from panel_session_monitor.domain.ids import SessionId
from panel_session_monitor.domain.safeguard import Watch
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import StalenessPolicy

from ...fakes.clock import SettableClock
from ...fakes.examples import session_id
from ...fakes.ids import SequentialIds
from ...fakes.sessions import InMemorySessions


@dataclass(frozen=True, slots=True)
class World:
    """What the use cases work on, and the use cases themselves."""

    clock: SettableClock = field(default_factory=SettableClock)
    ids: SequentialIds = field(default_factory=SequentialIds)
    sessions: InMemorySessions = field(default_factory=InMemorySessions)
    policy: StalenessPolicy = field(default_factory=StalenessPolicy)

    @property
    def record(self) -> Record:
        return GroupCommit(RecordReports(unit_of_work=self.sessions, clock=self.clock))

    @property
    def register(self) -> RegisterSession:
        return RegisterSession(record=self.record, ids=self.ids)

    @property
    def heartbeat(self) -> RecordHeartbeat:
        return RecordHeartbeat(record=self.record)

    @property
    def status(self) -> ReportStatus:
        return ReportStatus(record=self.record, policy=self.policy)

    @property
    def end(self) -> EndSession:
        return EndSession(record=self.record)

    @property
    def report(self) -> RecordReport:
        return RecordReport(record=self.record, heartbeat_interval=30.0)

    @property
    def kill(self) -> RequestKill:
        return RequestKill(
            unit_of_work=self.sessions, clock=self.clock, policy=self.policy, ids=self.ids
        )

    @property
    def kill_all(self) -> RequestKillAll:
        return RequestKillAll(unit_of_work=self.sessions, clock=self.clock, ids=self.ids)

    @property
    def kill_many(self) -> RequestKillMany:
        return RequestKillMany(unit_of_work=self.sessions, clock=self.clock, ids=self.ids)

    @property
    def send(self) -> SendMessage:
        return SendMessage(unit_of_work=self.sessions, clock=self.clock, ids=self.ids)

    @property
    def drain(self) -> DrainApp:
        return DrainApp(unit_of_work=self.sessions, clock=self.clock, ids=self.ids)

    @property
    def undrain(self) -> UndrainApp:
        return UndrainApp(unit_of_work=self.sessions)

    @property
    def enforce_drains(self) -> EnforceDrains:
        return EnforceDrains(
            reader=self.sessions, unit_of_work=self.sessions, clock=self.clock, ids=self.ids
        )

    @property
    def listing(self) -> ListSessions:
        return ListSessions(reader=self.sessions, clock=self.clock, policy=self.policy)

    @property
    def get(self) -> GetSession:
        return GetSession(reader=self.sessions, clock=self.clock, policy=self.policy)

    @property
    def remove_silent(self) -> RemoveSilent:
        return RemoveSilent(unit_of_work=self.sessions, clock=self.clock)

    def sweep(self, keep_history: timedelta = timedelta(days=30)) -> Sweep:
        """Return the regular round of a monitor that starts now and looks every 15 s."""
        return Sweep(
            remove_silent=self.remove_silent,
            unit_of_work=self.sessions,
            clock=self.clock,
            policy=self.policy,
            keep_history=keep_history,
            watch=Watch.begin(self.clock.now(), look_every=15),
        )

    async def holds(self, *sessions: Session) -> None:
        """Have sessions in the store."""
        async with self.sessions() as repository:
            await repository.save(sessions)

    async def stored(self, number: int = 1) -> Session:
        """Return the session with this number, which must be there."""
        session = await self.sessions.find(session_id(number))
        assert session
        return session

    async def live(self, **criteria: Any) -> list[SessionId]:
        """Return the ids of the live list."""
        listing = await self.listing(ListRequest(**criteria))
        return [each.session_id for each in await self.read(listing)]

    async def read(self, listing: Listing) -> list[LiveSession]:
        """Return the sessions of a listing."""
        return [each async for piece in listing.pieces for each in piece]
