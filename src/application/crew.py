"""A crew: a few threads that come when there is work and go when there is none."""

import logging
import threading
from collections import deque
from dataclasses import dataclass, field

from .clock import Clock
from .threads import Work, aside

log = logging.getLogger("panel_session_monitor")


@dataclass(slots=True, kw_only=True)
class Crew:
    """Does work beside whoever asks for it, in at most `size` daemon threads at a time.

    A member that is at one piece of work for `patience` seconds counts no longer: others come in
    the place of those that hang.
    """

    size: int
    patience: float
    clock: Clock
    _counted: dict[object, float] = field(default_factory=dict)  # a member, and until when
    _waiting: deque[Work] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def do(self, work: Work) -> None:
        """Have `work` done, soon; never waits.

        Where the system gives no thread it stays waiting for the next one that comes.
        """
        with self._lock:
            self._waiting.append(work)
        self._call_member()

    def relieve(self) -> None:
        """Have others come in the place of members that hang, if there is work for them."""
        now = self.clock.monotonic()
        with self._lock:
            hanging = [member for member, until in self._counted.items() if until <= now]
            for member in hanging:
                del self._counted[member]
        for _ in hanging:
            self._call_member()

    def next_relief(self) -> list[float]:
        """Return when to relieve: moments of the clock."""
        with self._lock:
            return list(self._counted.values()) if self._waiting else []

    def _call_member(self) -> None:
        member = object()
        with self._lock:
            if not self._waiting or len(self._counted) >= self.size:
                return
            self._count(member)
        try:
            aside(lambda: self._serve(member))
        except RuntimeError:
            with self._lock:
                self._counted.pop(member, None)

    def _serve(self, member: object) -> None:
        while work := self._next(member):
            try:
                work()
            except Exception:
                log.exception("Ending a session failed")

    def _next(self, member: object) -> Work | None:
        with self._lock:
            if self._waiting and member in self._counted:
                self._count(member)
                return self._waiting.popleft()
            self._counted.pop(member, None)
            return None

    def _count(self, member: object) -> None:
        self._counted[member] = self.clock.monotonic() + self.patience
