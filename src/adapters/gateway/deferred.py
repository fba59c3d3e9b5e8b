"""The gateway, imported by the thread that reports first: its libraries take time to import."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ...application.app_ports import Monitor
from ...domain.ids import KillId, ProcessId
from ...domain.report import Instruction, Reply, Report

_importing = threading.Lock()
if hasattr(os, "register_at_fork"):
    # A child that is forked in mid-import would wait for the importing thread for ever.
    os.register_at_fork(
        before=_importing.acquire,
        after_in_parent=_importing.release,
        after_in_child=_importing.release,
    )


@dataclass(slots=True)
class DeferredMonitor:
    """`HttpMonitor`, made at its first use, so that no page waits for its libraries.

    `settle` returns the server's address and the token; it may import what it likes, too.
    """

    settle: Callable[[], tuple[str, str | None]]
    _place: tuple[str, str | None] | None = field(default=None, repr=False)
    _monitor: Monitor | None = field(default=None, repr=False)

    def place(self) -> tuple[str, str | None]:
        """Return the server's address and the token, settled once."""
        if self._place is None:
            with _importing:
                self._place = self._place or self.settle()
        return self._place

    def report(self, report: Report) -> Reply:
        """Deliver a report and return what came back (raises MonitorUnavailable)."""
        return self._made().report(report)

    def orders(
        self, process_id: ProcessId, after: KillId | None = None
    ) -> Iterator[Instruction | None]:
        """Yield None once the stream stands, then orders (raises MonitorUnavailable)."""
        return self._made().orders(process_id, after)

    def hang_up(self) -> None:
        """End the orders that another thread waits for."""
        if self._monitor is not None:
            self._monitor.hang_up()

    def _made(self) -> Monitor:
        if self._monitor is None:
            place = self.place()
            with _importing:
                from .monitor import HttpMonitor  # noqa: PLC0415  # see above

                self._monitor = HttpMonitor(*place)
        return self._monitor
