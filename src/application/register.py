"""Registering one session."""

from dataclasses import dataclass

from ..domain.report import Registration, served_by
from ..domain.session import Session
from .ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The session as it stands, and whether this registration made it."""

    session: Session
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSession:
    """Put a session on the live list. The same id and app again is a harmless retry.

    An id that is taken by another app is refused, and so is one that has ended.
    """

    unit_of_work: UnitOfWork
    clock: Clock

    async def __call__(self, registration: Registration) -> Registered:
        """Store the session (raises Invalid, Conflict, Gone)."""
        now = self.clock.now()
        session_id = registration.session_id
        async with self.unit_of_work() as sessions:
            known = (await sessions.get([session_id])).get(session_id)
            session = registration.applied(known, now)
            if registration.process:
                served_by(known, registration.process.process_id)
            await sessions.save([session])
        return Registered(session=session, created=known is None)
