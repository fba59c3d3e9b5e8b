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


class Signal:
    """The `Stop` of one call."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self._event = threading.Event()
        self._report = report
        self._on_stop: list[Callable[[], object]] = []
        self.is_set = self._event.is_set
        self.wait = self._event.wait

    def progress(self, fraction: float) -> None:
        """Report how far the call has come, from 0 to 1."""
        self._report(min(1.0, max(0.0, float(fraction))))  # in this order, NaN is 0

    def set(self) -> None:
        """Tell the call to stop."""
        self._event.set()
        self._tell()

    def cancels(self, task: "asyncio.Task[Any]", after: float) -> None:
        """Have a task cancelled so many seconds after the call was told to stop."""
        loop = task.get_loop()
        later = partial(loop.call_later, after, task.cancel)
        self._on_stop.append(partial(loop.call_soon_threadsafe, later))
        if self.is_set():
            self._tell()

    def _tell(self) -> None:
        with suppress(IndexError):  # each at most once, whichever thread comes first
            self._on_stop.pop()()


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Tell whether calling it returns a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # an object may be called as one
    )
