"""The operating system's process: who it is, and how it ends or forks."""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from ..application.clock import Ids
from ..application.draining import DrainNotice
from ..application.threads import aside
from ..domain.ids import ProcessId, cleaned
from ..domain.report import Notice
from ..domain.session import Process
from .coroutines import Work, call, loop_here, start

log = logging.getLogger("panel_session_monitor")


def this_process(ids: Ids) -> Process:
    """Return this process, under a new id."""
    host = cleaned(socket.gethostname(), "localhost")
    return Process(process_id=ProcessId(ids.new()), host=host, pid=os.getpid())


@dataclass(frozen=True, slots=True)
class Script:
    """The host of a session that is no browser's: a script, a notebook, a test."""

    on_end: Callable[[], None]
    loop: asyncio.AbstractEventLoop | None = field(default_factory=loop_here)

    def show(self, message: Notice, shown: Callable[[], None]) -> None:
        """There is no page: whoever reads the log has the message."""
        log.warning("Message from %s: %s", message.sent_by or "an operator", message.text)
        shown()

    def drained(self, notice: DrainNotice | None) -> None:
        """Nobody can be asked to go: a script asks its tracker by itself."""

    def end(self, reason: str, by: str | None = None) -> None:  # noqa: ARG002  # nobody is there
        """There is no page to close: the session is over at once."""
        self.on_end()

    def run(self, work: Work) -> Callable[[float], None]:
        """Start `work` on the script's event loop, if it runs one; the result waits for it."""
        return start(work, self.loop)

    def ping(self, pong: Callable[[], None]) -> bool:
        """Call back from the script's event loop; False if it runs none."""
        return call(pong, self.loop)

    def release(self) -> None:
        """Nothing was held back: a script's code is its own."""


def catch_sigterm(callback: Callable[[], None]) -> bool:
    """Call back on SIGTERM, in a thread; False where that cannot be arranged from here.

    Servers differ: Bokeh's leaves its sessions alone on SIGTERM and runs the exit handlers,
    uvicorn ends by the signal and runs none. A handler that is there goes on being called;
    without one, the process dies of the signal when the callback is done, or of a second one.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    previous = signal.getsignal(signal.SIGTERM)
    if previous is None or previous is signal.SIG_IGN:
        return True

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        # Not here: the handler may have interrupted code that holds a lock of ours.
        signal.signal(number, previous)
        if callable(previous):
            aside(callback)
            previous(number, frame)
        else:
            aside(partial(_die_after, callback, number))

    def restore() -> None:
        if signal.getsignal(signal.SIGTERM) is on_sigterm:
            signal.signal(signal.SIGTERM, previous)

    signal.signal(signal.SIGTERM, on_sigterm)
    in_child(restore)  # a forked worker must die of SIGTERM even within a long call to C
    return True


def in_child(callback: Callable[[], None]) -> None:
    """Call back in every child that this process forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)


def _die_after(callback: Callable[[], None], number: int) -> None:
    callback()
    os.kill(os.getpid(), number)
