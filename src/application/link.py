"""The link: the one thread of a process that talks to the monitor, however many sessions it has."""

import inspect
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf, isnan

from ..domain.report import Reply
from .crew import Crew
from .ports import Clock, Monitor, MonitorUnavailable
from .tracking import Callback, TrackedSession, Tracking

log = logging.getLogger("panel_session_monitor")

COALESCE = 0.2
"""Shortest time between two reports, in seconds: what happens meanwhile goes together."""

COROUTINES_WAITED_FOR = 5.0
"""How long an end waits for coroutine callbacks, in seconds: their event loop may be blocked."""

CALLBACKS_WAITED_FOR = 10.0
"""How long a kill waits for the callbacks, in seconds; one that hangs does not hold the kill."""

INTERVALS = (0.05, 3600.0)
"""Shortest and longest heartbeat interval that is followed, in seconds, whoever asks for it."""

LONGEST_PAUSE = 3600.0
"""Longest pause after a failure, in seconds, whatever the server asks for."""

FIRST_BACKOFF = 1.0
"""Longest pause after the first failed report, in seconds; it doubles with each further one."""

LAST_CALLBACKS = 3.0
"""How long the process's end is held up for the callbacks of all sessions, in seconds."""

LAST_WORDS = 1.0
"""How long it is held up for the last report, in seconds."""

CREW = 16
"""Most sessions whose ends are seen to at a time; the others wait their turn."""

DEFAULT_REASON = "Session terminated by administrator"
"""What a killed page is told if the operator gave no reason."""


@dataclass(slots=True, kw_only=True)
class Link:
    """Reports what `tracking` has noted and obeys the orders that come back.

    The thread starts with the first session. While the monitor is away, reports pause with
    exponential backoff and full jitter, at most one interval long.
    """

    tracking: Tracking
    monitor: Monitor
    clock: Clock
    random: Callable[[], float]
    interval: float = 30.0
    """Time between heartbeats, in seconds, until the server names its own."""
    heartbeat_interval: float | None = None
    """The app's own wish, which stands whatever the server says."""

    coalesce: float = COALESCE
    online: bool = False
    _next_beat: float = 0.0
    _failures: int = 0
    _refused: bool = False
    _contradictions: int = 0
    _obeying: dict[TrackedSession, float] = field(default_factory=dict)
    _crew: Crew = field(default_factory=partial(Crew, CREW))
    _due: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _ending: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        """Let whatever is noted wake the thread."""
        self.tracking.wake = self.wake

    def wake(self) -> None:
        """Tell the thread that something is due; starts it if need be. Never waits."""
        self._due.set()
        if not (self._runs() or self._stopping.is_set()):
            with self._starting:
                if not self._runs():
                    self._thread = threading.Thread(
                        target=self._run, name="panel-session-monitor", daemon=True
                    )
                    self._thread.start()

    def end(self, session: TrackedSession) -> None:
        """A session is over: tell the monitor, and run its callbacks beside the caller."""
        self.tracking.close(session)
        self._crew.do(partial(self._run_callbacks, session))

    def run_late(self, session: TrackedSession, callback: Callback) -> None:
        """Run a callback that came after the session's end, beside the caller."""
        self._crew.do(partial(self._call, session, [callback], self._in(COROUTINES_WAITED_FOR)))

    def shut_down(self) -> None:
        """The process ends: run the callbacks of all sessions and report a last time.

        Takes no longer than LAST_CALLBACKS and LAST_WORDS; whoever calls again waits for it.
        """
        with self._ending:
            if not self._stopping.is_set():
                live = self.tracking.live()
                self._run_last(live)
                for session in live:
                    self.tracking.close(session)
                self._stopping.set()
                self._due.set()
        if self._thread:
            self._thread.join(LAST_WORDS)

    # The end of a session -----------------------------------------------------------------

    def _obey(self, session: TrackedSession) -> None:
        self._run_callbacks(session)
        if session.ran.is_set():
            self.tracking.acknowledge(session)
        self._end_page(session)

    def _end_page(self, session: TrackedSession) -> None:
        """End the page of a killed session: when its callbacks ran, or have hung for too long."""
        if self._obeying.pop(session, None) is not None:
            reason = session.order.reason if session.order else None
            session.host.end(reason or DEFAULT_REASON)

    def _end_hanging(self) -> None:
        now = self.clock.monotonic()
        for session in [each for each, until in self._obeying.copy().items() if until <= now]:
            log.warning("The on_kill callbacks of session %s hang", session.session_id)
            self._end_page(session)

    def _run_last(self, sessions: list[TrackedSession]) -> None:
        until = self._in(LAST_CALLBACKS)

        def run() -> None:
            for session in sessions:
                self._run_callbacks(session, until)

        try:
            thread = threading.Thread(target=run, name="panel-session-monitor-end", daemon=True)
            thread.start()
            thread.join(LAST_CALLBACKS)
        except RuntimeError:  # the interpreter gives no threads any more
            run()

    def _run_callbacks(self, session: TrackedSession, until: float | None = None) -> None:
        """Run the callbacks, or wait for whoever does: they run once."""
        until = self._in(COROUTINES_WAITED_FOR) if until is None else until
        callbacks = self.tracking.take_callbacks(session)
        if callbacks is None:
            session.ran.wait(max(until - self.clock.monotonic(), 0.0))
            return
        self._call(session, callbacks, until)
        session.ran.set()
        session.host.release()

    def _call(self, session: TrackedSession, callbacks: list[Callback], until: float) -> None:
        """Call them in turn, and wait for the coroutines among them until a moment.

        One that raises does not stop the next.
        """
        pending = []
        for callback in callbacks:
            try:
                result = callback()
                if inspect.iscoroutine(result):
                    pending.append(session.host.run(result))
            except BaseException:  # a callback may even exit: it must not take the kill with it
                log.exception("An on_kill callback of session %s failed", session.session_id)
        for wait in pending:
            try:
                wait(max(until - self.clock.monotonic(), 0.0))
            except TimeoutError:
                log.warning("An on_kill coroutine of %s is still running", session.session_id)
            except BaseException:
                log.exception("An on_kill coroutine of session %s failed", session.session_id)

    def _in(self, seconds: float) -> float:
        return self.clock.monotonic() + seconds

    # The thread ---------------------------------------------------------------------------

    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            self._due.wait(self._until_due())
            self._due.clear()
            pause = self._turn()
        while not self._failures and self.tracking.due():
            self._turn()

    def _turn(self) -> float:
        """Do what is due; return for how many seconds not to report again."""
        try:
            self._end_hanging()
            return self._report()
        except MonitorUnavailable as failure:
            return self._missed(failure)
        except Exception as error:  # the link outlives every surprise
            log.debug("unexpected", exc_info=True)
            return self._missed(MonitorUnavailable(f"an unexpected {type(error).__name__}"))

    def _until_due(self) -> float | None:
        moments = list(self._obeying.copy().values())
        if self.tracking.live():
            moments.append(self._next_beat)
        return max(min(moments) - self.clock.monotonic(), 0.0) if moments else None

    def _report(self) -> float:
        now = self.clock.monotonic()
        draft = self.tracking.draft(beat=now >= self._next_beat)
        if not (draft.report.session_ids or draft.report.news):
            return 0.0
        reply = self.monitor.report(draft.report)
        orders = self.tracking.settle(draft, reply)
        self._reached(reply, now if draft.report.session_ids else None)
        for session in orders:
            self._obeying[session] = self._in(CALLBACKS_WAITED_FOR)
            self._crew.do(partial(self._obey, session))
        if self.tracking.due():
            self._due.set()
        return self._pause_after(reply)

    def _pause_after(self, reply: Reply) -> float:
        """Slow down while the monitor goes on to contradict what it was just told."""
        contradicts = bool(reply.unknown or reply.ended)
        self._contradictions = min(self._contradictions + 1, 30) if contradicts else 0
        return min(self.coalesce * 2.0**self._contradictions, self._wanted())

    def _reached(self, reply: Reply, beat_at: float | None) -> None:
        if self._failures:
            log.info("The session monitor answers again.")
        if reply.refused and not self._refused:
            self._refused = True
            log.warning("The session monitor refuses news, first: %s", reply.refused[0].detail)
        first = not self.online and not self._failures
        self.online, self._failures = True, 0
        self.interval = _bounded(reply.heartbeat_interval)
        if beat_at is not None:
            # Processes started together spread their heartbeats over the interval.
            self._next_beat = beat_at + self._wanted() * (self.random() if first else 1.0)

    def _missed(self, failure: MonitorUnavailable) -> float:
        if not self._failures:
            log.warning(
                "The session monitor does not take reports: %s. "
                "The app works without it; reporting resumes by itself.",
                str(failure).rstrip("."),
            )
        self.online = False
        self._next_beat = -inf
        self._due.set()
        bound = min(FIRST_BACKOFF * 2.0**self._failures, self._wanted())
        self._failures = min(self._failures + 1, 30)
        return min((failure.retry_after or 0.0) + bound * self.random(), LONGEST_PAUSE)

    def _wanted(self) -> float:
        return _bounded(self.heartbeat_interval or self.interval)


def _bounded(interval: float) -> float:
    shortest, longest = INTERVALS
    return longest if isnan(interval) else min(max(interval, shortest), longest)
