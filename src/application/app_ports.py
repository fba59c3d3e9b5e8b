"""The app's side of the ports: apart from the others, so that an app imports no more than these."""

from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, Protocol

from ..domain.ids import KillId, ProcessId
from ..domain.report import Figures, Instruction, Notice, Reply, Report
from .draining import DrainNotice


class MonitorUnavailable(Exception):
    """The monitor did not do its part; `retry_after` seconds if it asked for a pause."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class MonitorUnreachable(MonitorUnavailable):
    """Nobody answers at the monitor's address, or no more."""


class Monitor(Protocol):
    """The server as a tracked app sees it."""

    def report(self, report: Report) -> Reply:
        """Deliver a report and return what came back; blocks (raises MonitorUnavailable)."""

    def orders(
        self, process_id: ProcessId, after: KillId | None = None
    ) -> Iterator[Instruction | None]:
        """Yield the orders for a process, the moment they are given; blocks between them.

        The first item is None: the stream stands. Those given since the order `after` come next.
        Drains come whenever others stand than were last told; at first, none were.
        Ends when the monitor ends it (raises MonitorUnavailable, also when it has gone silent).
        """

    def hang_up(self) -> None:
        """End the orders that another thread waits for; at once, from any thread."""


class Vitals(Protocol):
    """How this process fares."""

    def read(self) -> Figures:
        """Return what the operating system tells of it; the rest is left open."""


class SessionHost(Protocol):
    """The web framework under one session."""

    def show(self, message: Notice, shown: Callable[[], None]) -> None:
        """Show a message in the session's page until it is closed there.

        Calls `shown`, once, as soon as the page has it. Returns at once, from any thread. What
        cannot be shown now, since the page is still loading or its event loop is blocked, is
        shown when it can be; never, if the session has ended by then.
        """

    def drained(self, notice: DrainNotice | None) -> None:
        """Show in the session's page that its app is being drained, None: no longer.

        Returns at once, from any thread; shown as soon as it can be, as messages are.
        """

    def end(self, reason: str, by: str | None = None) -> None:
        """Tell the session's page why and by whom, close it, and destroy the session.

        Returns at once, from any thread.
        """

    def run(self, work: Coroutine[Any, Any, object]) -> Callable[[float], None]:
        """Start `work` where the session's asynchronous code runs.

        Returns a function that waits for it, for so many seconds (raises what `work` raised).
        """

    def ping(self, pong: Callable[[], None]) -> bool:
        """Call `pong` on the session's event loop when it comes round; False if none runs."""

    def release(self) -> None:
        """Take note that the app's callbacks have run, and its code is needed no more."""


class BrowserSession(SessionHost, Protocol):
    """A host whose session comes and goes by itself."""

    @property
    def key(self) -> Hashable:
        """Tells the session from every other one of this process."""

    def on_over(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the session is over; the callback must not wait."""


class SessionKilled(BaseException):
    """The work belongs to a session that was killed; raised within interruptible tasks.

    It is no `Exception`, just as `asyncio.CancelledError`: a loop that survives errors ends too.
    """


class Block(Protocol):
    """Work of the app that may be interrupted, once, while it is open; it begins closed.

    `open` and `leave` are called, once each, by the thread or the asyncio task that does the work.
    """

    def here(self) -> bool:
        """Tell whether the caller is who does the work."""

    def open(self) -> None:
        """From here on, let it be interrupted (raises SessionKilled if that was asked for)."""

    def leave(self) -> None:
        """From here on, do not; an interruption that is on its way arrives in here."""

    def interrupt(self) -> None:
        """Have SessionKilled raised in the thread, or the asyncio task cancelled.

        May be called from any thread and does not wait for the work.
        """


class Interruptions(Protocol):
    """What can interrupt the app's work."""

    def block(self, caller: FrameType) -> Block | None:
        """Return a block for the `with` statement that `caller` is entering.

        None where it cannot be interrupted, and within another block, with which it ends.
        """

    def shelter(self) -> AbstractContextManager[object]:
        """Keep interruptions away from what runs within; one that comes is raised at its end."""
