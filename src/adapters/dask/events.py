"""Stop events that travel to the workers of a cluster, as those of a manager do to processes."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any
from uuid import uuid4

PATIENCE = 10.0
"""How long the scheduler is asked whether an event is set, in seconds."""

Ask = Callable[..., Future[Any]]
"""Has the scheduler asked something about the event of a name."""


class StopEvent:
    """An event as the app has it; in a worker it is a `distributed.Event`. For any thread."""

    def __init__(self, ask: Ask) -> None:
        self._name = f"panel-session-monitor-{uuid4().hex}"
        self._ask = partial(ask, self._name)

    def __reduce__(self) -> Any:
        from distributed import Event  # noqa: PLC0415  # takes its time; here it is imported

        return Event, (self._name,)

    def set(self) -> None:
        """Tell whoever looks that it is time; never waits."""
        self._ask("set")

    def clear(self) -> None:
        """Tell that it is not; never waits."""
        self._ask("clear")

    def is_set(self) -> bool:
        """Ask the scheduler (raises PoolError, TimeoutError)."""
        return bool(self._ask("is_set").result(PATIENCE))

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is set, or for so many seconds; tell which."""
        return bool(self._ask("wait", timeout).result())


class Events:
    """Stands where a pool of this machine has a `multiprocessing` manager."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def Event(self) -> StopEvent:  # noqa: N802  # as a manager calls it
        """Return a new event, which is not set."""
        return StopEvent(self._ask)
