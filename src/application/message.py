"""Sending a text to the pages of sessions."""

from dataclasses import dataclass, replace

from ..domain.errors import SessionEnded
from ..domain.ids import MessageId, SessionId, optional_name
from ..domain.message import Message
from ..domain.report import known
from ..domain.session import Session
from .ports import Clock, Ids, SessionRepository, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """Show a text in the page of a session, of every session of an app, or of all that are live.

    Each session is sent a message of its own, which is on its way until its page has shown it.
    """

    unit_of_work: UnitOfWork
    clock: Clock
    ids: Ids

    async def __call__(
        self,
        text: str,
        *,
        session_id: SessionId | None = None,
        app_name: str | None = None,
        sent_by: str | None = None,
    ) -> list[Message]:
        """Store the messages and return them (raises NotFound, Gone, Invalid)."""
        app_name = optional_name("app_name", app_name)
        to_nobody = Message(  # its rules hold even if there is nobody to send it to
            message_id=MessageId(self.ids.new()),
            session_id=SessionId(self.ids.new()),
            text=text,
            sent_at=self.clock.now(),
            sent_by=sent_by,
        )
        async with self.unit_of_work() as sessions:
            messages = [
                replace(
                    to_nobody,
                    message_id=MessageId(self.ids.new()),
                    session_id=each.session_id,
                )
                for each in await _meant(sessions, session_id, app_name)
            ]
            await sessions.send(messages)
        return messages


async def _meant(
    sessions: SessionRepository, session_id: SessionId | None, app_name: str | None
) -> list[Session]:
    if session_id is None:
        return await sessions.live_of(app_name)
    session = known((await sessions.get([session_id])).get(session_id), session_id)
    if session.end:
        raise SessionEnded(session_id)
    return [session]
