"""Kills that a viewer has ordered, and how far each has come. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ...domain.ids import SessionId
from ...domain.kill import Kill
from ...domain.session import Session
from .mirror import Mirror
from .words import REMEDIES

GONE = "gone"
"""The state of a kill whose session ended unseen, while the server was out of reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far the kill of one session has come; `remedy` says what to do if it is late."""

    session: Session
    kill: Kill | None
    state: str
    overdue: bool
    remedy: str = ""

    @property
    def rank(self) -> tuple[bool, bool]:
        """What needs attention comes first."""
        return (not self.overdue, bool(self.kill and self.kill.over) or self.state == GONE)


@dataclass(slots=True, kw_only=True)
class Followed:
    """The sessions whose kill was ordered here, as they were and as they become."""

    mirror: Mirror
    _sessions: dict[SessionId, Session] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._sessions)

    def follow(self, sessions: Iterable[Session]) -> None:
        """See these through, too."""
        for session in sessions:
            self._sessions[session.session_id] = session

    def forget(self) -> None:
        """Follow none of them any more."""
        self._sessions.clear()

    def steps(self) -> list[Step]:
        """Return every kill's progress, the overdue first and those that are over last."""
        now = self.mirror.now()
        return sorted((self._step(key, now) for key in self._sessions), key=lambda step: step.rank)

    @staticmethod
    def summary(steps: Iterable[Step]) -> str:
        """Count the states: `3 ended, 1 delivered, 1 overdue`."""
        counts = Counter("overdue" if step.overdue else step.state for step in steps)
        return ", ".join(f"{number:,} {state}" for state, number in counts.most_common())

    def _step(self, session_id: SessionId, now: datetime) -> Step:
        known = self.mirror.sessions.get(session_id) or self.mirror.departed.get(session_id)
        session = known or self._sessions[session_id]
        kill = session.kill
        if known is None:
            return Step(session=session, kill=kill, state=GONE, overdue=False)
        if kill is None:  # the order is given, the change has not come yet
            state = "ended" if session.end else "requested"
            return Step(session=session, kill=None, state=state, overdue=False)
        overdue = kill.overdue(now)
        return Step(
            session=session,
            kill=kill,
            state=kill.state.value,
            overdue=overdue,
            remedy=REMEDIES[kill.state] if overdue else "",
        )
