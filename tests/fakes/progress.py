"""A task as far as its progress goes, which remembers what it was shown."""

import threading


class RecordedProgress:
    """Shows nothing to anybody.

    all        what it was shown, in order
    """

    def __init__(self) -> None:
        self.all: list[float | None] = []
        self._changed = threading.Condition()

    @property
    def progress(self) -> float | None:
        """How far it has come."""
        return self.all[-1] if self.all else None

    @progress.setter
    def progress(self, value: float | None) -> None:
        with self._changed:
            self.all.append(value)
            self._changed.notify_all()

    def wait(self, times: int = 1, timeout: float = 30.0) -> None:
        """Wait until it has been shown so many values, for so many seconds."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.all) >= times, timeout)
