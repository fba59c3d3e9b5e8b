"""The order stream: the fast way of a kill. What it loses comes with the heartbeats' replies."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ..domain.ids import KillId, ProcessId
from ..domain.report import Instruction, Order
from .app_ports import Monitor, MonitorUnavailable, MonitorUnreachable
from .backoff import Backoff
from .clock import Clock
from .threads import Lone

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
    obey: Callable[[Instruction], None]
    longest_pause: Callable[[], float]
    backoff: Backoff
    connected: bool = False
    """Whether the stream stands."""

    _last: KillId | None = None
    _warned: bool = False
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: Lone = field(init=False)

    def __post_init__(self) -> None:
        """Have a thread, which does not run yet."""
        self._thread = Lone("panel-session-monitor-orders", self._run)

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if not self._stopping.is_set():
            self._thread.start()

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
        failure: MonitorUnavailable | None = None
        try:
            for order in self.monitor.orders(self.process_id, self._last):
                self.connected = True
                if self._stopping.is_set():
                    break
                if isinstance(order, Order):  # a message may well come twice
                    self._last = order.kill_id
                if order:
                    self.obey(order)
        except MonitorUnavailable as error:
            failure = error
        except Exception as error:  # the thread outlives every surprise
            log.debug("unexpected", exc_info=True)
            failure = MonitorUnavailable(f"an unexpected {type(error).__name__}")
        stood, self.connected = self.connected, False
        if stood and self.clock.monotonic() - begun >= STEADY:
            self.backoff.reset()
            self._warned = False
        if failure is None:
            return self.backoff.missed(self.longest_pause())
        self._tell(failure)
        return self.backoff.missed(self.longest_pause(), failure.retry_after)

    def _tell(self, failure: MonitorUnavailable) -> None:
        if isinstance(failure, MonitorUnreachable):  # the reports will meet with it, and tell
            log.debug("The order stream: %s", failure)
            return
        log.log(
            logging.DEBUG if self._warned else logging.WARNING,
            "The session monitor does not push orders: %s. "
            "Kills come with the heartbeats until it does.",
            str(failure).rstrip("."),
        )
        self._warned = True
