"""The loop lag: how long an app's event loop takes to come round."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from .clock import Clock
from .tracking import TrackedSession

PATIENCE = 0.1
"""How long an answer is waited for, in seconds; what has not come by then is told as it stands."""


@dataclass(slots=True)
class _Ping:
    """A question to the event loop of a session; `seconds` is known once it is answered."""

    clock: Clock
    session: TrackedSession
    asked_at: float
    answered: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0.0

    def pong(self) -> None:
        self.seconds = self.age()
        self.answered.set()

    def age(self) -> float:
        return self.clock.monotonic() - self.asked_at


@dataclass(slots=True)
class LoopLag:
    """Asks the event loop one question at a time, so that none pile up in one that is blocked."""

    clock: Clock
    _asked: _Ping | None = None

    def measure(self, sessions: Iterable[TrackedSession]) -> float | None:
        """Return the lag in seconds, or how long the last question waits by now.

        Waits no longer than PATIENCE. None where no session has a loop that runs.
        """
        ping = self._asked
        if ping is None or ping.answered.is_set() or ping.session.over:
            ping = self._asked = self._ask(sessions)
        if ping is None:
            return None
        return ping.seconds if ping.answered.wait(PATIENCE) else ping.age()

    def _ask(self, sessions: Iterable[TrackedSession]) -> _Ping | None:
        for session in sessions:
            ping = _Ping(self.clock, session, self.clock.monotonic())
            if session.host.ping(ping.pong):
                return ping
        return None
