"""Registering one session."""

from dataclasses import dataclass

from ..domain.ids import SessionId
from ..domain.report import Registration, Report
from ..domain.session import Process, Session
from .intake import Record
from .ports import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The session as it stands, and whether this registration made it."""

    session: Session
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSession:
    """Put a session on the live list. The same id and app again is a harmless retry.

    A session without an id of its own is given one; one that is known may come under another
    process. An id that is taken by another app is refused, and so is one that has ended.
    """

    record: Record
    ids: Ids

    async def __call__(
        self,
        app_name: str,
        *,
        user_id: str | None = None,
        session_id: SessionId | None = None,
        process: Process | None = None,
        age: float = 0.0,
    ) -> Registered:
        """Store the session, which began `age` seconds ago (raises Invalid, Conflict, Gone)."""
        registration = Registration(
            session_id=session_id or SessionId(self.ids.new()),
            app_name=app_name,
            user_id=user_id,
            process=process,
            age=age,
        )
        receipt = await self.record(Report(news=(registration,)))
        receipt.require()
        key = registration.session_id
        return Registered(session=receipt.sessions[key], created=key in receipt.created)
