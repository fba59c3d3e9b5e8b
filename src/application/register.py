"""Registering one session."""

from dataclasses import dataclass

from ..domain.ids import SessionId
from ..domain.report import Registration
from ..domain.session import Process, Session
from .ports import Clock, Ids, UnitOfWork


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

    unit_of_work: UnitOfWork
    clock: Clock
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
        now = self.clock.now()
        registration = Registration(
            session_id=session_id or SessionId(self.ids.new()),
            app_name=app_name,
            user_id=user_id,
            process=process,
            age=age,
        )
        async with self.unit_of_work() as sessions:
            known = (await sessions.get([registration.session_id])).get(registration.session_id)
            session = registration.applied(known, now)
            if process:
                session = session.served_by(process)
            await sessions.save([session])
        return Registered(session=session, created=known is None)
