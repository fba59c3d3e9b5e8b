"""The scheduler's side of the pool: no call is made twice, and workers have a way to the pool.

`distributed` has a way from workers to clients that keeps what goes it, up to 100,000 messages for
each topic. This one keeps nothing.
"""

from typing import Any

from distributed import Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin

from .names import PLUGIN, TELL


class Relay(SchedulerPlugin):
    """Added once to a scheduler, whichever pool comes first."""

    name = PLUGIN
    idempotent = True

    async def start(self, scheduler: Scheduler) -> None:
        """Begin to pass on what workers tell."""
        self._scheduler = scheduler
        scheduler.stream_handlers[TELL] = self._tell

    def transition(self, key: Any, start: str, finish: str, *_: object, **__: object) -> None:  # noqa: ARG002
        """Keep a call of a pool from being made again, which Dask does with what it has lost."""
        if not is_call(key):
            return
        task = self._scheduler.tasks.get(key)
        if task is None:
            return
        if finish == "processing":  # if its worker dies, it has died once too often
            task.suspicious = self._scheduler.allowed_failures
        elif finish == "memory":  # the outcome has been told, so there is nothing to compute again
            task.run_spec = None

    def _tell(self, client: str, worker: str, **message: object) -> None:  # noqa: ARG002
        line = self._scheduler.client_comms.get(client)
        if line is not None:  # else that pool is closed
            line.send({"op": TELL, **message})


def is_call(key: object) -> bool:
    """Tell whether a task of the scheduler is a call of a pool."""
    return isinstance(key, tuple) and str(key[0]).startswith(PLUGIN)
