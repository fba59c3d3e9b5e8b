"""A call, and who waits for it."""

import logging
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...application.pool_ports import Call
from .. import parcels

log = logging.getLogger("panel_session_monitor")


@dataclass(slots=True, eq=False)
class Job:
    """A call and who waits for it; the first to end it decides how."""

    call: Call
    future: Future[Any] = field(default_factory=Future)

    def end(self, outcome: parcels.Outcome) -> None:
        """Hand over what became of it."""
        try:
            value = parcels.opened(parcels.named(self.call.function), outcome)
        except Exception as error:  # what the app's function raised
            self.fail(error)
        else:
            with suppress(InvalidStateError):
                self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Hand over an error."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)

    def show(self, fraction: float) -> None:
        """Show how far it has come."""
        if self.call.on_progress is None or self.future.done():
            return
        try:
            self.call.on_progress(fraction)
        except Exception:  # it may be the app's
            log.exception("The progress of a call could not be shown")
