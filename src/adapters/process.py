"""The operating system's process: who it is, and how it ends or forks."""

import asyncio
import atexit
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ..application.ports import Ids
from ..domain.ids import NAME_LENGTH, ProcessId, cleaned
from ..domain.session import Process


def this_process(ids: Ids) -> Process:
    """Return this process, under a new id."""
    host = cleaned(socket.gethostname(), "localhost")[:NAME_LENGTH]
    return Process(process_id=ProcessId(ids.new()), host=host, pid=os.getpid())


@dataclass(frozen=True, slots=True)
class Script:
    """The host of a session that is no browser's: a script, a notebook, a test."""

    on_end: Callable[[], None]

    def end(self, reason: str) -> None:  # noqa: ARG002  # nobody is there to be told
        """There is no page to close: the session is over at once."""
        self.on_end()

    def run(self, work: Coroutine[Any, Any, object]) -> Callable[[float], None]:
        """Run `work` to its end here: it holds up no event loop."""
        asyncio.run(work)
        return lambda _: None


def at_end(callback: Callable[[], None]) -> None:
    """Call back when the process ends: at exit, and on SIGTERM before anything else.

    Servers differ: Bokeh's leaves its sessions alone on SIGTERM and runs the exit handlers,
    uvicorn ends by the signal and runs none. The handler that is there goes on being called.
    """
    atexit.register(callback)
    if threading.current_thread() is not threading.main_thread():
        return
    previous = signal.getsignal(signal.SIGTERM)
    if previous is None or previous is signal.SIG_IGN:
        return

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        if callable(previous):
            threading.Thread(target=callback, name="panel-session-monitor-end", daemon=True).start()
            previous(number, frame)
        else:
            callback()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def restore() -> None:
        if signal.getsignal(signal.SIGTERM) is on_sigterm:
            signal.signal(signal.SIGTERM, previous)

    signal.signal(signal.SIGTERM, on_sigterm)
    in_child(restore)  # a forked worker must die of SIGTERM even within a long call to C


def in_child(callback: Callable[[], None]) -> None:
    """Call back in every child that this process forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)
