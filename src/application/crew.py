"""A crew: a few threads that come when there is work and go when there is none."""

import logging
import threading
from collections import deque
from collections.abc import Callable

log = logging.getLogger("panel_session_monitor")

Work = Callable[[], object]


class Crew:
    """Does work beside whoever asks for it, in at most `size` daemon threads at a time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._members = 0
        self._waiting: deque[Work] = deque()
        self._lock = threading.Lock()

    def do(self, work: Work) -> None:
        """Have `work` done, soon; never waits.

        Where the system gives no thread it stays waiting for the next one that comes.
        """
        with self._lock:
            self._waiting.append(work)
            if self._members == self._size:
                return
            self._members += 1
        try:
            name = "panel-session-monitor-end"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._members -= 1

    def _serve(self) -> None:
        while work := self._next():
            try:
                work()
            except Exception:
                log.exception("Ending a session failed")

    def _next(self) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._members -= 1
            return None
