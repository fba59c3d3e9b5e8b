"""The gateway, imported by the thread that reports first: httpx takes its time to import."""

import os
import threading
from dataclasses import dataclass, field

from ...application.ports import Monitor
from ...domain.report import Reply, Report

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
    """`HttpMonitor`, made at its first use, so that no page waits for its libraries."""

    server_url: str
    token: str | None = field(default=None, repr=False)
    _monitor: Monitor | None = field(default=None, repr=False)

    def report(self, report: Report) -> Reply:
        """Deliver a report and return what came back (raises MonitorUnavailable)."""
        if self._monitor is None:
            with _importing:
                from .monitor import HttpMonitor  # noqa: PLC0415  # see above

            self._monitor = HttpMonitor(self.server_url, self.token)
        return self._monitor.report(report)
