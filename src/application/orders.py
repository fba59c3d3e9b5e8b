"""The order stream: the fast way of a kill. What it loses comes with the heartbeats' replies."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ..domain.ids import KillId, ProcessId
from ..domain.report import Order
from .app_ports import Monitor, MonitorUnavailable, MonitorUnreachable
from .backoff import Backoff
from .clock import Clock

log = logging.getLogger("panel_session_monitor")

STEADY = 15.0
"""How long a stream must have stood to count as sound, in seconds: one that opens and breaks is no
better than one that does not open."""


@dataclass(slots=True, kw_only=True)
class OrderStream:
    """Reads the orders for this process in a thread of its own, and never gives up.

    A stream that breaks is opened anew after a pause: exponential, with full jitter, and no longer
    than `longest_pause` says.
    """

    monitor: Monitor
    process_id: ProcessId
    clock: Clock
    obey: Callable[[Order], None]
    longest_pause: Callable[[], float]
    backoff: Backoff
    connected: bool = False
    """Whether the stream stands."""

    _last: KillId | None = None
    _warned: bool = False
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs; for one caller at a time."""
        if self._thread is None and not self._stopping.is_set():
            name = "panel-session-monitor-orders"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            with suppress(RuntimeError):  # no thread now: the next report tries again
                thread.start()
                self._thread = thread

    def stop(self) -> None:
        """Let the thread end, be it waiting for an order or pausing; does not wait for it."""
        self._stopping.set()
        self.monitor.hang_up()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = self._read()

    def _read(self) -> float:
        """Obey orders until the stream breaks; return for how many seconds to pause."""
        begun = self.clock.monotonic()
        try:
            for order in self.monitor.orders(self.process_id, self._last):
                self.connected = True
                if self._stopping.is_set():
                    break
                if isinstance(order, Order):
                    self._last = order.kill_id
                    self.obey(order)
        except MonitorUnreachable as failure:  # the reports will meet with it, and tell
            log.debug("The order stream: %s", failure)
        except MonitorUnavailable as failure:
            return self._failed(str(failure), failure.retry_after)
        except Exception as error:  # the thread outlives every surprise
            log.debug("unexpected", exc_info=True)
            return self._failed(f"an unexpected {type(error).__name__}")
        finally:
            stood, self.connected = self.connected, False
        if stood and self.clock.monotonic() - begun >= STEADY:
            self.backoff.reset()
            self._warned = False
        return self.backoff.missed(self.longest_pause())

    def _failed(self, trouble: str, retry_after: float | None = None) -> float:
        log.log(
            logging.DEBUG if self._warned else logging.WARNING,
            "The session monitor does not push orders: %s. "
            "Kills come with the heartbeats until it does.",
            trouble.rstrip("."),
        )
        self._warned = True
        return self.backoff.missed(self.longest_pause(), retry_after)
