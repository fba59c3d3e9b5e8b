"""One call as a worker runs it: how it is told to stop, and what kind of function it calls."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

COURTESY = 2.0
"""How long a coroutine that was told to stop may go on before it is cancelled, in seconds."""

EVERY = 0.05
"""Time between two reports of a call's progress, in seconds; what comes between them is merged."""

_making = threading.Lock()
"""Guards events that are made when somebody waits: they cost more than all else of a short call."""


class Signal:
    """The `Stop` of one call; its progress is told on `loop`, one of the worker's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, report: Callable[[float], None]) -> None:
        self._loop = loop
        self._told = False
        self._waited_for: threading.Event | None = None
        self._report = report
        self._latest = 0.0
        self._not_before = 0.0
        self._due = False
        self._cancelled: list[tuple[asyncio.Task[Any], float]] = []

    def is_set(self) -> bool:
        """Tell whether the call is to stop."""
        return self._told

    def wait(self, timeout: float | None = None) -> bool:
        """Block for so many seconds, or until the call is to stop; tell which."""
        with _making:
            event = self._waited_for = self._waited_for or threading.Event()
        if self._told:
            event.set()
        return event.wait(timeout)

    def progress(self, fraction: float) -> None:
        """Report how far the call has come, from 0 to 1."""
        self._latest = min(1.0, max(0.0, float(fraction)))  # in this order, NaN is 0
        if self._loop.time() >= self._not_before:
            self._tell_progress()
        elif not self._due:
            self._due = True
            self._loop.call_soon_threadsafe(self._loop.call_later, EVERY, self._tell_progress)

    def set(self) -> None:
        """Tell the call to stop."""
        self._told = True  # first: whoever begins to wait looks at it after that
        if self._waited_for:
            self._waited_for.set()
        self._tell_stop()

    def cancels(self, task: "asyncio.Task[Any]", after: float) -> None:
        """Have a task cancelled so many seconds after the call was told to stop."""
        self._cancelled.append((task, after))
        if self.is_set():
            self._tell_stop()

    def _tell_progress(self) -> None:
        self._due = False
        self._not_before = self._loop.time() + EVERY
        self._report(self._latest)

    def _tell_stop(self) -> None:
        with suppress(IndexError):  # at most once, whichever thread comes first
            task, after = self._cancelled.pop()
            loop = task.get_loop()
            loop.call_soon_threadsafe(partial(loop.call_later, after, task.cancel))


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Tell whether calling it returns a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # an object may be called as one
    )
