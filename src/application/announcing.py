"""Telling what was stored: the changes of every transaction, once it is committed."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.change import Changed, DrainChanged, Heard
from ..domain.drain import Drain
from ..domain.ids import ProcessId
from ..domain.kill import KillState
from ..domain.message import Message
from ..domain.session import Session
from .passing import Passing
from .ports import Beat, Beaten, ChangeFeed, KillChannel, SessionRepository, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncingUnitOfWork:
    """Commits, then publishes: what a transaction has changed, and whom its orders concern.

    Nothing is told of a transaction that fails. Changes are published in the order in which they
    were stored, as long as the transactions beneath take turns.
    """

    unit_of_work: UnitOfWork
    feed: ChangeFeed
    kills: KillChannel

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SessionRepository]:
        """Begin a transaction that ends with the block."""
        async with self.unit_of_work() as sessions:
            noting = _Noting(sessions)
            yield noting
        if noting.changed or noting.heard or noting.drained:
            changes = [Changed(session=each) for each in noting.changed]
            self.feed.publish([*changes, *noting.heard, *noting.drained])
        if noting.ordered:
            self.kills.poke(noting.ordered)


@dataclass(slots=True)
class _Noting(Passing):
    """A repository that notes what is stored in it."""

    changed: list[Session] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    drained: list[DrainChanged] = field(default_factory=list)
    ordered: set[ProcessId] = field(default_factory=set)

    async def save(self, sessions: Iterable[Session]) -> None:
        saved = list(sessions)
        await self.sessions.save(saved)
        self.changed += saved
        self.ordered |= {
            each.process.process_id
            for each in saved
            if each.process and each.kill and each.kill.state is KillState.REQUESTED
        }

    async def beat(self, beats: Sequence[Beat], now: datetime) -> list[Beaten]:
        beaten = await self.sessions.beat(beats, now)
        self._note_heard(list(zip(beats, beaten, strict=True)), now)
        return beaten

    async def send(self, messages: Sequence[Message]) -> set[ProcessId]:
        concerned = await self.sessions.send(messages)
        self.ordered |= concerned
        return concerned

    async def drain(self, drain: Drain) -> set[ProcessId]:
        concerned = await self.sessions.drain(drain)
        self._note_drain(DrainChanged(app_name=drain.app_name, drain=drain), concerned)
        return concerned

    async def undrain(self, app_name: str) -> set[ProcessId]:
        concerned = await self.sessions.undrain(app_name)
        self._note_drain(DrainChanged(app_name=app_name, drain=None), concerned)
        return concerned

    def _note_drain(self, change: DrainChanged, concerned: set[ProcessId]) -> None:
        self.drained.append(change)
        self.ordered |= concerned

    def _note_heard(self, done: list[tuple[Beat, Beaten]], now: datetime) -> None:
        whole = [each.process.process_id for each, result in done if result.whole and each.process]
        single = [
            session_id
            for each, result in done
            if not result.whole
            for session_id in each.session_ids
            if session_id not in result.absent
        ]
        if whole or single:
            heard = Heard(at=now, session_ids=tuple(single), process_ids=tuple(whole))
            self.heard.append(heard)
