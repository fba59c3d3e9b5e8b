"""The end of one session, told by itself."""

from dataclasses import dataclass

from ..domain.report import Ending
from .ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """Move a session from the live list to the history. Ending it again changes nothing."""

    unit_of_work: UnitOfWork
    clock: Clock

    async def __call__(self, ending: Ending) -> None:
        """Store the end (raises NotFound)."""
        now = self.clock.now()
        session_id = ending.session_id
        async with self.unit_of_work() as sessions:
            known = (await sessions.get([session_id])).get(session_id)
            session = ending.applied(known, now)
            if session is not known:
                await sessions.save([session])
