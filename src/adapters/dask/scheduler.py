"""The scheduler's side of the pool: no call is made twice, and workers have a way to the pool.

`distributed` has a way from workers to clients that keeps what goes it, up to 100,000 messages for
each topic. This one keeps nothing.
"""

from contextlib import suppress
from typing import Any

from distributed import Scheduler
from distributed.comm.core import CommClosedError
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.scheduler import TaskState

from .names import BEGUN, PLUGIN, TELL, is_call

NOBODY = "tcp://nobody:1"
"""The address of a worker that there is not."""


class Relay(SchedulerPlugin):
    """Added once to a scheduler, whichever pool comes first."""

    name = PLUGIN
    idempotent = True

    async def start(self, scheduler: Scheduler) -> None:
        """Begin to pass on what workers tell."""
        self._scheduler = scheduler
        self._begun: set[Any] = set()
        scheduler.stream_handlers[TELL] = self._tell
        scheduler.stream_handlers[BEGUN] = self._note_begun

    def transition(self, key: Any, start: str, finish: str, *_: object, **__: object) -> None:
        """Keep a call of a pool from being made again, which Dask does with what it has lost."""
        if not is_call(key):
            return
        begun = key in self._begun
        if start == "processing":
            self._begun.discard(key)
        task = self._scheduler.tasks.get(key)
        if task is None:
            return
        spec: Any = task.run_spec
        if finish == "waiting" and spec:  # at the scheduler: with a busy worker it may be lost
            spec._data_producer = True  # noqa: SLF001
        elif finish == "processing":  # if its worker dies, it has died once too often
            task.suspicious = self._scheduler.allowed_failures
        elif finish == "memory":  # the outcome has been told, so there is nothing to compute again
            task.run_spec = None
        elif start == "processing" and finish == "released" and begun and task.who_wants:
            self._give_up(task)

    def _give_up(self, task: TaskState) -> None:
        """The worker of a call that has begun was taken from the cluster, as with adaptive ones."""
        task.worker_restrictions = {NOBODY}
        for client in task.who_wants or ():
            self._tell(client.client_key, number=task.key[1], taken=True)  # type: ignore[index]

    def _note_begun(self, key: Any, worker: str) -> None:
        task = self._scheduler.tasks.get(key)
        if task and task.processing_on and task.processing_on.address == worker:
            self._begun.add(key)

    def _tell(self, client: str, worker: str | None = None, **message: object) -> None:  # noqa: ARG002
        line = self._scheduler.client_comms.get(client)
        if line is not None:  # else that pool is closed
            with suppress(CommClosedError):  # it is just closing: what came here would end a worker
                line.send({"op": TELL, **message})
