"""Telling what was stored: the changes of every transaction, once it is committed."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.change import Changed, Heard
from ..domain.ids import ProcessId, SessionId
from ..domain.kill import KillState
from ..domain.session import Session
from .ports import Beat, Beaten, ChangeFeed, KillChannel, SessionRepository, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncingUnitOfWork:
    """Commits, then publishes: what a transaction has changed, and whom its kills concern.

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
        if noting.changed or noting.heard:
            changes = [Changed(session=each) for each in noting.changed]
            self.feed.publish([*changes, *noting.heard])
        if noting.ordered:
            self.kills.poke(noting.ordered)


@dataclass(slots=True)
class _Noting:
    """A repository that notes what is stored in it."""

    sessions: SessionRepository
    changed: list[Session] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    ordered: set[ProcessId] = field(default_factory=set)

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        return await self.sessions.get(session_ids)

    async def live_of(self, app_name: str) -> list[Session]:
        return await self.sessions.live_of(app_name)

    async def silent_since(self, moment: datetime) -> list[Session]:
        return await self.sessions.silent_since(moment)

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

    async def forget_ended(self, before: datetime) -> int:
        return await self.sessions.forget_ended(before)

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
