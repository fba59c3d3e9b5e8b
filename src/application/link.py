"""The link: reports what a process's sessions do, in one thread however many there are."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf, isnan

from ..domain.report import Drains, Figures, Instruction, Notice, Order, Reply
from .app_ports import Monitor, MonitorUnavailable, Vitals
from .backoff import Backoff
from .clock import Clock
from .ending import Endings
from .lag import LoopLag
from .orders import OrderStream
from .threads import Lone
from .tracking import Callback, TrackedSession, Tracking

log = logging.getLogger("panel_session_monitor")

COALESCE = 0.2
"""Shortest time between two reports, in seconds: what happens meanwhile goes together."""

INTERVALS = (0.05, 3600.0)
"""Shortest and longest heartbeat interval that is followed, in seconds, whoever asks for it."""

LOOK = 1.0
"""Longest time between two looks for callbacks that hang while reports pause, in seconds."""

LAST_WORDS = 1.0
"""How long the process's end is held up for the last report, in seconds."""


@dataclass(slots=True, kw_only=True)
class Link:
    """Reports what `tracking` has noted and obeys the orders that come back.

    Its thread starts with the first session, that of the order stream with the first report that
    the monitor takes. While the monitor is away, reports pause with exponential backoff and full
    jitter, at most one interval long.
    """

    tracking: Tracking
    monitor: Monitor
    clock: Clock
    vitals: Vitals
    random: Callable[[], float]
    interval: float = 30.0
    """Time between heartbeats, in seconds, until the server names its own."""
    heartbeat_interval: float | None = None
    """The app's own wish, which stands whatever the server says."""

    coalesce: float = COALESCE
    online: bool = False
    _next_beat: float = 0.0
    _refused: bool = False
    _backoff: Backoff = field(init=False)
    _contradicted: Backoff = field(init=False)
    _endings: Endings = field(init=False)
    _lag: LoopLag = field(init=False)
    _orders: OrderStream = field(init=False)
    _due: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _ending: threading.Lock = field(default_factory=threading.Lock)
    _thread: Lone = field(init=False)

    def __post_init__(self) -> None:
        """Put the parts together, and let whatever is noted wake the thread."""
        self._backoff = Backoff(self.random)
        self._contradicted = Backoff(lambda: 1.0, first=2 * self.coalesce)
        self._thread = Lone("panel-session-monitor", self._run)
        self._endings = Endings(tracking=self.tracking, clock=self.clock)
        self._lag = LoopLag(self.clock)
        self._orders = OrderStream(
            monitor=self.monitor,
            process_id=self.tracking.process.process_id,
            clock=self.clock,
            obey=self._take,
            longest_pause=self._wanted,
            backoff=Backoff(self.random),
        )
        self.tracking.wake = self.wake

    def wake(self) -> None:
        """Tell the thread that something is due; starts it if need be. Never waits."""
        if not self._due.is_set():  # else the thread has yet to look, and its lock is left alone
            self._due.set()
        if not self._stopping.is_set():
            self._thread.start()

    def end(self, session: TrackedSession) -> None:
        """A session is over: tell the monitor, and run its callbacks beside the caller."""
        self.tracking.close(session)
        self._endings.run(session)
        self.wake()  # to look after the crew

    def run_late(self, session: TrackedSession, callback: Callback) -> None:
        """Run a callback that came after the session's end, beside the caller."""
        self._endings.run_late(session, callback)
        self.wake()

    def shut_down(self) -> None:
        """The process ends: run the callbacks of all sessions and report a last time.

        Takes no longer than LAST_CALLBACKS and LAST_WORDS; whoever calls again waits for it.
        """
        with self._ending:
            if not self._stopping.is_set():
                live = self.tracking.live()
                self._endings.run_last(live)
                for session in live:
                    self.tracking.close(session)
                self._stopping.set()
                self._due.set()
                self._orders.stop()
        self._thread.join(LAST_WORDS)

    def abandon(self) -> None:
        """In a forked child: sessions and threads are the parent's, and locks may be held."""
        self.tracking.abandon()
        self._endings = Endings(tracking=self.tracking, clock=self.clock)
        self._due, self._stopping = threading.Event(), threading.Event()
        self._stopping.set()

    def _take(self, instruction: Instruction) -> None:
        """Do what the stream says; what becomes of it is told by the link's thread."""
        match instruction:
            case Order():
                self._endings.obey(self.tracking.take(instruction))
                self.wake()
            case Notice():
                self.tracking.show([instruction])
            case Drains():
                self.tracking.drained(instruction.drains)

    # The thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        pause = 0.0
        while not self._paused(pause):
            self._due.wait(self._until_due())
            self._due.clear()
            pause = self._turn()
        while not self._backoff.failures and self.tracking.due():
            self._turn()

    def _paused(self, pause: float) -> bool:
        """Wait, and look for callbacks that hang meanwhile; tell whether the process ends."""
        while pause > LOOK:
            if self._stopping.wait(LOOK):
                return True
            pause -= LOOK
            self._endings.end_hanging()
        return self._stopping.wait(pause)

    def _turn(self) -> float:
        """Do what is due; return for how many seconds not to report again."""
        try:
            self._endings.end_hanging()
            return self._report()
        except MonitorUnavailable as failure:
            return self._missed(failure)
        except Exception as error:  # the link outlives every surprise
            log.debug("unexpected", exc_info=True)
            return self._missed(MonitorUnavailable(f"an unexpected {type(error).__name__}"))

    def _until_due(self) -> float | None:
        moments = self._endings.next_hanging()
        if self.tracking.alive():
            moments.append(self._next_beat)
        return max(min(moments) - self.clock.monotonic(), 0.0) if moments else None

    def _report(self) -> float:
        now = self.clock.monotonic()
        beat = now >= self._next_beat and self.tracking.alive()
        draft = self.tracking.draft(beat=beat, figures=self._figures() if beat else None)
        if not (draft.report.session_ids or draft.report.news):
            return 0.0
        heard = self.tracking.notices.heard
        reply = self.monitor.report(draft.report)
        killed = self.tracking.settle(draft, reply)
        self._reached(reply, now if draft.report.session_ids else None)
        self._endings.obey(killed)
        self.tracking.show(reply.messages)
        if heard == self.tracking.notices.heard:  # else the stream has brought newer ones
            self.tracking.drained(reply.drains)
        if self.tracking.due():
            self._due.set()
        return self._pause_after(reply)

    def _figures(self) -> Figures:
        connected = self._orders.connected
        try:
            lag = self._lag.measure(self.tracking.live())
            return replace(self.vitals.read(), connected=connected, loop_lag_seconds=lag)
        except Exception:  # the heartbeats matter more than how the process fares
            log.debug("The figures cannot be read", exc_info=True)
            return Figures(connected=connected)

    def _pause_after(self, reply: Reply) -> float:
        """Slow down while the monitor goes on to contradict what it was just told."""
        if reply.unknown or reply.ended:
            return self._contradicted.missed(self._wanted())
        self._contradicted.reset()
        return min(self.coalesce, self._wanted())

    def _reached(self, reply: Reply, beat_at: float | None) -> None:
        failed = self._backoff.failures > 0
        if failed:
            log.info("The session monitor answers again.")
        if reply.refused and not self._refused:
            self._refused = True
            log.warning("The session monitor refuses news, first: %s", reply.refused[0].detail)
        first = not self.online and not failed
        self.online = True
        self._backoff.reset()
        self._orders.start()
        self.interval = _bounded(reply.heartbeat_interval)
        if beat_at is not None:
            # Processes started together spread their heartbeats over the interval.
            self._next_beat = beat_at + self._wanted() * (self.random() if first else 1.0)

    def _missed(self, failure: MonitorUnavailable) -> float:
        if not self._backoff.failures:
            log.warning(
                "The session monitor does not take reports: %s. "
                "The app works without it; reporting resumes by itself.",
                str(failure).rstrip("."),
            )
        self.online = False
        self._next_beat = -inf
        self._due.set()
        return self._backoff.missed(self._wanted(), failure.retry_after)

    def _wanted(self) -> float:
        return _bounded(self.heartbeat_interval or self.interval)


def _bounded(interval: float) -> float:
    shortest, longest = INTERVALS
    return longest if isnan(interval) else min(max(interval, shortest), longest)
