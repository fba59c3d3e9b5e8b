"""A call of the worker pool that somebody waits for, and what they are told of it."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any

from .pool_ports import Call

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


def _tell(hear: Callable[[Any], object], what: object) -> None:
    """Let the app hear of a call, and live on, though what it has called back may even exit."""
    try:
        hear(what)
    except InvalidStateError:  # the first to end a future decided how
        pass
    except BaseException:
        log.exception("What was to be called back about a call failed")
