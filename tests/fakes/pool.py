"""A worker pool whose workers are threads; what goes to them is pickled all the same."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from panel_session_monitor.adapters import parcels
from panel_session_monitor.application.pool_ports import Call, PoolClosed


@dataclass(slots=True)
class InMemoryStop:
    """The stop event of one call."""

    on_progress: Callable[[float], None] | None = None
    event: threading.Event = field(default_factory=threading.Event)

    def is_set(self) -> bool:
        """Tell whether the function is to stop."""
        return self.event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the function is to stop."""
        return self.event.wait(timeout)

    def progress(self, fraction: float) -> None:
        """Report progress."""
        if self.on_progress:
            with suppress(ValueError):  # of the app's
                self.on_progress(min(1.0, max(0.0, fraction)))


@dataclass(slots=True)
class InMemoryPool:
    """Runs each call at once, in a thread of its own.

    waiting    the calls that have not ended, with their stop events
    """

    closed: bool = False
    waiting: dict[Future[Any], InMemoryStop] = field(default_factory=dict)

    def submit(self, call: Call) -> Future[Any]:
        """Begin a call; a cancelled future sets its stop event."""
        future: Future[Any] = Future()
        if self.closed:
            future.set_exception(PoolClosed("the pool is closed"))
            return future
        stop = self.waiting[future] = InMemoryStop(call.on_progress)
        future.add_done_callback(partial(self._done, stop))
        threading.Thread(target=_run, args=(call, future, stop), daemon=True).start()
        return future

    def close(self) -> None:
        """Fail all that wait and take no more."""
        self.closed = True
        for future, stop in list(self.waiting.items()):
            stop.event.set()
            with suppress(InvalidStateError):
                future.set_exception(PoolClosed("the pool is closed"))

    def join(self, timeout: float) -> bool:
        """There are no processes."""
        return True

    def _done(self, stop: InMemoryStop, future: Future[Any]) -> None:
        del self.waiting[future]
        if future.cancelled():
            stop.event.set()


def _run(call: Call, future: Future[Any], stop: InMemoryStop) -> None:
    name = parcels.named(call.function)
    with suppress(InvalidStateError):  # nobody waits any more
        try:
            future.set_result(parcels.opened(name, _outcome(name, call, stop)))
        except Exception as error:
            future.set_exception(error)


def _outcome(name: str, call: Call, stop: InMemoryStop) -> parcels.Outcome:
    try:
        function, args, kwds = parcels.unpacked(parcels.packed(call))
        value = function(*args, *([stop] if call.stoppable else []), **kwds)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        return parcels.returned(name, value)
    except BaseException as error:
        return parcels.raised(name, error)
