"""How sessions end in this process: callbacks run exactly once, killed pages are closed."""

import inspect
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from .clock import Clock
from .crew import Crew
from .threads import aside
from .tracking import Callback, TrackedSession, Tracking

log = logging.getLogger("panel_session_monitor")

COROUTINES_WAITED_FOR = 5.0
"""How long an end waits for coroutine callbacks, in seconds: their event loop may be blocked."""

CALLBACKS_WAITED_FOR = 10.0
"""How long a kill waits for the callbacks, in seconds; one that hangs does not hold the kill."""

LAST_CALLBACKS = 3.0
"""How long the process's end is held up for the callbacks of all sessions, in seconds."""

CREW = 16
"""Most sessions whose ends are seen to at a time; the others wait their turn. Those whose callbacks
hang do not count."""

DEFAULT_REASON = "Session terminated by administrator"
"""What a killed page is told if the operator gave no reason."""


@dataclass(slots=True, kw_only=True)
class Endings:
    """Sees sessions to their ends, beside whoever asks for it."""

    tracking: Tracking
    clock: Clock
    _obeying: dict[TrackedSession, float] = field(default_factory=dict)
    _crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        """Have a crew."""
        self._crew = Crew(size=CREW, patience=CALLBACKS_WAITED_FOR, clock=self.clock)

    def obey(self, killed: Iterable[TrackedSession]) -> None:
        """Interrupt killed sessions, run their callbacks, then end their pages."""
        for session in killed:
            session.blocks.interrupt()  # not in the crew, whose members may all hang in callbacks
            self._obeying[session] = self._in(CALLBACKS_WAITED_FOR)
            self._crew.do(partial(self._obey, session))

    def run(self, session: TrackedSession) -> None:
        """Run the callbacks of a session that is over by itself."""
        self._crew.do(partial(self._run_callbacks, session))

    def run_late(self, session: TrackedSession, callback: Callback) -> None:
        """Run a callback that came after the session's end."""
        self._crew.do(partial(self._call, session, [callback], self._in(COROUTINES_WAITED_FOR)))

    def run_last(self, sessions: list[TrackedSession]) -> None:
        """Run the callbacks of all sessions, now that the process ends; wait for LAST_CALLBACKS.

        Each session has its share of the first half of that time to itself. Those that take longer
        go on beside the others, and are waited for in the second half.
        """
        until = self._in(LAST_CALLBACKS)
        running = []
        for session in sessions:
            run = partial(self._run_callbacks, session, until)
            try:
                thread = aside(run)
            except RuntimeError:  # the interpreter gives no threads any more
                run()
            else:
                thread.join(LAST_CALLBACKS / 2 / len(sessions))
                running.append(thread)
        for thread in running:
            thread.join(max(until - self.clock.monotonic(), 0.0))

    def next_hanging(self) -> list[float]:
        """Return when to look for callbacks that hang: moments of the clock."""
        return [*self._obeying.copy().values(), *self._crew.next_relief()]

    def end_hanging(self) -> None:
        """Where callbacks have hung for too long, end the pages of killed sessions all the same.

        And let other sessions' callbacks run, which wait for those that hang.
        """
        self._crew.relieve()
        now = self.clock.monotonic()
        for session in [each for each, until in self._obeying.copy().items() if until <= now]:
            log.warning("The on_kill callbacks of session %s hang", session.session_id)
            self._end_page(session)

    def _obey(self, session: TrackedSession) -> None:
        if self._run_callbacks(session):
            self.tracking.acknowledge(session)
        self._end_page(session)

    def _end_page(self, session: TrackedSession) -> None:
        """End the page of a killed session: when its callbacks ran, or have hung for too long."""
        if self._obeying.pop(session, None) is not None:
            order = session.order
            assert order
            session.host.end(order.reason or DEFAULT_REASON, order.requested_by)

    def _run_callbacks(self, session: TrackedSession, until: float | None = None) -> bool:
        """Run the callbacks, or wait for whoever does: they run once. Tell whether they ran."""
        until = self._in(COROUTINES_WAITED_FOR) if until is None else until
        callbacks = self.tracking.take_callbacks(session)
        assert session.ran
        if callbacks is None:
            return session.ran.wait(max(until - self.clock.monotonic(), 0.0))
        self._call(session, callbacks, until)
        session.ran.set()
        session.host.release()
        return True

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
