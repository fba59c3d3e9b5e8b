"""The events of a session's life, as they are shown."""

from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import Struct, convert

from ...domain.event import EventKind, SessionEvent


class SessionEventView(Struct, kw_only=True):
    """Something happened to a session at a moment.

    `text` is the task's name, the kill's reason, the message's text, or the process's host and
    pid; `by` is who ordered or sent it.
    """

    session_id: UUID
    at: datetime
    kind: EventKind
    text: str | None
    by: str | None

    @classmethod
    def of(cls, event: SessionEvent) -> Self:
        """Return an event as it travels."""
        return convert(event, cls, from_attributes=True)

    def event(self) -> SessionEvent:
        """Return it as the domain knows it."""
        return convert(self, SessionEvent, from_attributes=True)
