"""The threads of the client: daemons, which hold no process's end up."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

Work = Callable[[], object]


def aside(work: Work) -> threading.Thread:
    """Do `work` in a thread of its own (raises RuntimeError where the system gives none)."""
    thread = threading.Thread(target=work, name="panel-session-monitor-end", daemon=True)
    thread.start()
    return thread


@dataclass(slots=True)
class Lone:
    """A thread of which one runs at a time; `start` brings it back where it has died."""

    name: str
    run: Work
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Have it run; never waits. Where the system gives no thread, the next call tries again."""
        if self._runs():
            return
        with self._starting, suppress(RuntimeError):
            if not self._runs():
                thread = threading.Thread(target=self.run, name=self.name, daemon=True)
                thread.start()
                self._thread = thread

    def join(self, seconds: float) -> None:
        """Wait for its end, so long at most."""
        if self._thread:
            self._thread.join(seconds)

    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()
