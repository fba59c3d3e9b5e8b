"""A repository that passes everything on: what decorators of a unit of work begin with."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.drain import Drain
from ..domain.event import SessionEvent
from ..domain.ids import MessageId, ProcessId, SessionId
from ..domain.message import Message
from ..domain.session import Session
from .ports import Beat, Beaten, SessionRepository


@dataclass(slots=True)
class Passing:
    """Does what `sessions` does; a subclass adds what it is for."""

    sessions: SessionRepository

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        """Return those of the sessions that are known."""
        return await self.sessions.get(session_ids)

    async def live_of(self, app_name: str | None) -> list[Session]:
        """Return all live sessions of an app."""
        return await self.sessions.live_of(app_name)

    async def silent_since(self, moment: datetime) -> list[Session]:
        """Return the live sessions last heard of at `moment` or before."""
        return await self.sessions.silent_since(moment)

    async def save(self, sessions: Iterable[Session]) -> None:
        """Store the snapshots."""
        await self.sessions.save(sessions)

    async def beat(self, beats: Sequence[Beat], now: datetime) -> list[Beaten]:
        """Store heartbeats."""
        return await self.sessions.beat(beats, now)

    async def forget_ended(self, before: datetime) -> int:
        """Delete from the history what ended before."""
        return await self.sessions.forget_ended(before)

    async def note(self, events: Sequence[SessionEvent]) -> None:
        """Store events."""
        if events:  # mostly there are none
            await self.sessions.note(events)

    async def send(self, messages: Sequence[Message]) -> set[ProcessId]:
        """Store messages."""
        return await self.sessions.send(messages)

    async def shown(self, message_ids: Collection[MessageId]) -> list[Message]:
        """Delete messages that have reached their pages."""
        return await self.sessions.shown(message_ids)

    async def drains(self) -> list[Drain]:
        """Return the drains that stand."""
        return await self.sessions.drains()

    async def drain(self, drain: Drain) -> set[ProcessId]:
        """Store the drain of an app."""
        return await self.sessions.drain(drain)

    async def undrain(self, app_name: str) -> set[ProcessId]:
        """Delete the drain of an app."""
        return await self.sessions.undrain(app_name)
