"""Calls of the worker pool that somebody waits for, and what they are told of them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .pool_ports import Call, PoolClosed

log = logging.getLogger("panel_session_monitor")


@dataclass(slots=True, eq=False, kw_only=True)
class Awaited:
    """A call and who waits for it; the first to end it decides how."""

    call: Call
    future: Future[Any] = field(default_factory=Future)

    def succeed(self, value: object) -> None:
        """Hand over the result."""
        _tell(self.future.set_result, value)

    def fail(self, error: BaseException) -> None:
        """Hand over an error."""
        _tell(self.future.set_exception, error)

    def show(self, fraction: float) -> None:
        """Hand over how far it has come."""
        if self.call.on_progress and not self.future.done():
            _tell(self.call.on_progress, fraction)


J = TypeVar("J", bound=Awaited)


class Entry(Generic[J]):
    """The way into a pool: it holds the calls that somebody waits for, until it is closed.

    Within a block of it nobody closes it; entering it gives the calls (raises PoolClosed). It may
    be used from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: set[J] = set()
        self.closed: str | None = None
        """Why it is closed."""

    def __enter__(self) -> set[J]:
        self._lock.acquire()
        if self.closed is not None:
            self._lock.release()
            raise PoolClosed(self.closed)
        return self._calls

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def close(self, reason: str, end: Callable[[], object]) -> None:
        """Let nobody in any more, begin the end, and fail whatever waits; the second time nothing.

        `end` runs within the block, and must not wait.
        """
        with self._lock:
            if self.closed is not None:
                return
            self.closed = reason
            end()
            calls = list(self._calls)
        for call in calls:
            call.fail(PoolClosed(reason))

    def leave(self, call: J) -> None:
        """Forget a call: whoever waited has been told."""
        self._calls.discard(call)


def _tell(hear: Callable[[Any], object], what: object) -> None:
    """Let the app hear of a call, and live on, though what it has called back may even exit."""
    try:
        hear(what)
    except InvalidStateError:  # the first to end a future decided how
        pass
    except BaseException:
        log.exception("What was to be called back about a call failed")
