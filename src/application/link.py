"""The link: the one thread of a process that talks to the monitor, however many sessions it has."""

import inspect
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf

from .ports import Clock, Monitor, MonitorUnavailable
from .tracking import Callback, TrackedSession, Tracking

log = logging.getLogger("panel_session_monitor")

COALESCE = 0.2
"""Shortest time between two reports, in seconds: what happens meanwhile goes together."""

COROUTINES_WAITED_FOR = 5.0
"""How long an end waits for coroutine callbacks, in seconds: their event loop may be blocked."""

FIRST_BACKOFF = 1.0
"""Longest pause after the first failed report, in seconds; it doubles with each further one."""

LAST_WORDS = 1.0
"""How long the process's end is held up for the last report, in seconds."""

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
    heartbeat_interval: float | None = None
    """The app's own wish, in seconds; None follows the server's."""

    online: bool = False
    _interval: float = 30.0
    _next_beat: float = 0.0
    _failures: int = 0
    _due: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _starting: threading.RLock = field(default_factory=threading.RLock)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        """Let whatever is noted wake the thread."""
        self.tracking.wake = self.wake

    def wake(self) -> None:
        """Tell the thread that something is due; starts it if need be. Never waits."""
        self._due.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name="panel-session-monitor", daemon=True
                    )
                    self._thread.start()

    def end(self, session: TrackedSession) -> None:
        """A session is over: run its callbacks beside the caller, and tell the monitor."""
        _aside(partial(self._finish, session))

    def shut_down(self) -> None:
        """The process ends: run the callbacks of all sessions here and report a last time."""
        with self._starting:
            for session in self.tracking.live():
                self._finish(session, LAST_WORDS)
            self._stopping.set()
            self._due.set()
        if self._thread:
            self._thread.join(LAST_WORDS)

    def _finish(self, session: TrackedSession, patience: float = COROUTINES_WAITED_FOR) -> None:
        run_callbacks(session, self.tracking.take_callbacks(session), patience)
        self.tracking.close(session)

    def _obey(self, session: TrackedSession) -> None:
        run_callbacks(session, self.tracking.take_callbacks(session))
        self.tracking.acknowledge(session)
        reason = session.order.reason if session.order else None
        session.host.end(reason or DEFAULT_REASON)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            self._due.wait(self._until_next_beat())
            self._due.clear()
            pause = self._round()
        if not self._failures:
            self._round()

    def _until_next_beat(self) -> float | None:
        if not self.tracking.live():
            return None
        return max(self._next_beat - self.clock.monotonic(), 0.0)

    def _round(self) -> float:
        """Report what is due; return for how many seconds not to report again."""
        now = self.clock.monotonic()
        draft = self.tracking.draft(beat=now >= self._next_beat)
        if not (draft.report.session_ids or draft.report.news):
            return 0.0
        try:
            reply = self.monitor.report(draft.report)
            orders = self.tracking.settle(draft, reply)
        except MonitorUnavailable as failure:
            return self._missed(failure)
        except Exception as error:  # the link's own outermost loop: it outlives every surprise
            log.debug("unexpected", exc_info=True)
            return self._missed(MonitorUnavailable(repr(error)))
        self._reached(reply.heartbeat_interval, now if draft.report.session_ids else None)
        for session in orders:
            _aside(partial(self._obey, session))
        if self.tracking.due():
            self._due.set()
        return COALESCE

    def _reached(self, interval: float, beat_at: float | None) -> None:
        if self._failures:
            log.info("The session monitor answers again.")
        first = not self.online and not self._failures
        self.online, self._failures = True, 0
        self._interval = self.heartbeat_interval or interval
        if beat_at is not None:
            # Processes started together spread their heartbeats over the interval.
            self._next_beat = beat_at + self._interval * (self.random() if first else 1.0)

    def _missed(self, failure: MonitorUnavailable) -> float:
        if not self._failures:
            log.warning(
                "The session monitor does not take reports: %s. "
                "The app works without it; reporting resumes by itself.",
                failure,
            )
        self.online = False
        self._next_beat = -inf
        self._due.set()
        bound = min(FIRST_BACKOFF * 2.0**self._failures, self._interval)
        self._failures = min(self._failures + 1, 30)
        return (failure.retry_after or 0.0) + bound * self.random()


def run_callbacks(
    session: TrackedSession, callbacks: list[Callback], patience: float = COROUTINES_WAITED_FOR
) -> None:
    """Run what was to run at the session's end; one that raises does not stop the next.

    Coroutines are waited for, all together for about `patience` seconds.
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
            wait(patience)
        except TimeoutError:
            log.warning("An on_kill coroutine of %s is still running", session.session_id)
        except BaseException:
            log.exception("An on_kill coroutine of session %s failed", session.session_id)


def _aside(work: Callable[[], None]) -> None:
    """Run `work` in a thread of its own, so that it holds up neither the page nor the link."""

    def contained() -> None:
        try:
            work()
        except Exception:
            log.exception("Ending a session failed")

    try:
        threading.Thread(target=contained, name="panel-session-monitor-end", daemon=True).start()
    except RuntimeError:  # no new thread once the interpreter shuts down
        contained()
