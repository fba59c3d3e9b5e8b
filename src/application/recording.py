"""Writing down what has happened: the events of every transaction, stored within it."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.event import EventKind, SessionEvent, between
from ..domain.ids import MessageId, ProcessId, SessionId
from ..domain.message import Message
from ..domain.session import Session
from .passing import Passing
from .ports import Clock, SessionRepository, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingUnitOfWork:
    """Notes the events of the sessions' lives by what a transaction has read, and then stored.

    A session that is stored without having been read is new.
    """

    unit_of_work: UnitOfWork
    clock: Clock

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SessionRepository]:
        """Begin a transaction that ends with the block."""
        async with self.unit_of_work() as sessions:
            yield _Recording(sessions, self.clock)


@dataclass(slots=True)
class _Recording(Passing):
    """A repository that notes the events of what is stored in it."""

    clock: Clock
    before: dict[SessionId, Session] = field(default_factory=dict)

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        found = await self.sessions.get(session_ids)
        self.before |= found
        return found

    async def live_of(self, app_name: str | None) -> list[Session]:
        return self._read(await self.sessions.live_of(app_name))

    async def silent_since(self, moment: datetime) -> list[Session]:
        return self._read(await self.sessions.silent_since(moment))

    async def save(self, sessions: Iterable[Session]) -> None:
        saved, now = list(sessions), self.clock.now()
        await self.sessions.save(saved)
        await self.note(
            [
                event
                for each in saved
                for event in between(self.before.get(each.session_id), each, now)
            ]
        )
        self._read(saved)

    async def send(self, messages: Sequence[Message]) -> set[ProcessId]:
        concerned = await self.sessions.send(messages)
        await self.note([_event(each, each.sent_at, EventKind.MESSAGE_SENT) for each in messages])
        return concerned

    async def shown(self, message_ids: Collection[MessageId]) -> list[Message]:
        now, messages = self.clock.now(), await self.sessions.shown(message_ids)
        await self.note([_event(each, now, EventKind.MESSAGE_DELIVERED) for each in messages])
        return messages

    def _read(self, sessions: list[Session]) -> list[Session]:
        self.before |= {each.session_id: each for each in sessions}
        return sessions


def _event(message: Message, at: datetime, kind: EventKind) -> SessionEvent:
    return SessionEvent(
        session_id=message.session_id, at=at, kind=kind, text=message.text, by=message.sent_by
    )
