"""Looking back on the life of a session."""

from dataclasses import dataclass

from ..domain.event import SessionEvent
from ..domain.ids import SessionId
from ..domain.report import known
from .ports import SessionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEvents:
    """Show what has happened in a session's life, in order, as long as the session is known.

    Of a long life the oldest tasks are forgotten first.
    """

    reader: SessionReader

    async def __call__(self, session_id: SessionId) -> list[SessionEvent]:
        """Return the events (raises NotFound)."""
        known(await self.reader.find(session_id), session_id)
        return await self.reader.events(session_id)
