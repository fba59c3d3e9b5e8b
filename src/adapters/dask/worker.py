"""A Dask worker's side of the pool: the calls that it has, and how they are told to stop."""

import asyncio
import inspect
import logging
import pickle
from collections.abc import Awaitable
from functools import partial
from typing import Any

from distributed import Reschedule, Status, Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin
from distributed.protocol.serialize import to_serialize
from distributed.worker_state_machine import TaskState

from ...application import parcels
from ...application.pool_ports import NotSendable
from ...application.stopping import COURTESY, Signal
from .names import BEGUN, PLUGIN, TELL, is_call

log = logging.getLogger("panel_session_monitor")

PATIENCE = COURTESY + 0.5
"""After how many seconds work that was told to stop, and has not, may cost its worker."""

LEAVE = "panel-session-monitor-leave"
"""What the scheduler's records call the reason why tasks move."""

MOST = 1 << 30
"""How long a result may be, in bytes: the worker's line to the scheduler breaks at twice that."""


def run(order: bytes) -> None:
    """Run a call, as a task of a Dask worker; its outcome goes another way (`Relay`)."""
    worker = get_worker()
    if PLUGIN not in worker.plugins:  # not yet, as another pool is adding it; or not any more
        raise Reschedule
    desk: Desk = worker.plugins[PLUGIN]  # type: ignore[assignment]
    desk.run(worker.get_current_task(), *pickle.loads(order))  # noqa: S301  # of our own


class Desk(WorkerPlugin):
    """Knows the calls that the worker runs. Dask lets go of a task that nobody wants any more."""

    name = PLUGIN
    idempotent = True  # one for all pools: another would know nothing of the calls that run

    def setup(self, worker: Worker) -> None:
        """Begin with no calls."""
        self._worker = worker
        self._signals: dict[Any, Signal] = {}
        self._leaving: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002
        """The worker ends, for whatever reason: what it has not begun shall not end with it."""
        self._hand_back_all()

    def transition(self, key: Any, start: str, finish: str, **_: object) -> None:  # noqa: ARG002
        """Tell a call to stop when Dask lets go of its task; Dask cannot end what runs."""
        self._changed.set()
        if not is_call(key):
            return
        signal = self._signals.get(key)
        if finish == "ready" and self._leaving:
            self._hand_back(key)
        elif finish == "executing":
            self._worker.batched_send({"op": BEGUN, "key": key})
        elif signal and finish in ("released", "forgotten") and not signal.is_set():
            signal.set()
            self._worker.loop.call_later(PATIENCE, self._lose_patience, key)

    def run(self, key: Any, client: str, number: int, parcel: parcels.Parcel) -> None:
        """Run a call in a thread of the worker; it ends with an outcome, come what may."""
        tell = partial(self._tell, client, number)
        loop: Any = self._worker.loop
        signal = self._signals[key] = Signal(
            loop.asyncio_loop, lambda fraction: tell(progress=fraction)
        )
        try:
            if not self._wanted(key):  # it was let go of before there was a signal
                return
            outcome = _outcome(signal, parcel)
        except BaseException as error:  # even SystemExit is but the call's
            outcome = parcels.raised(parcel.name, error)
        finally:
            del self._signals[key]
        # Text that is no UTF-8 would break the worker's line to the scheduler.
        trace = outcome.trace.encode(errors="backslashreplace").decode()
        tell(outcome=to_serialize(outcome.content), trace=trace)

    def _lose_patience(self, key: Any) -> None:
        """A call goes on though it was told to stop: have the worker replaced by its nanny."""
        if key in self._signals and self._worker.nanny and self._leaving is None:
            log.warning("A call does not stop; its worker is replaced")
            self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        """Take no more, finish what others wait for, and end."""
        worker = self._worker
        worker.status = Status.closing_gracefully
        self._hand_back_all()
        while any(map(_wanted, {*worker.state.executing, *worker.state.long_running})):
            self._changed.clear()
            await self._changed.wait()
        try:
            # Others' data moves. A worker that was removed here already would be a stranger to the
            # scheduler, and take its nanny with it if that is noticed by its next sign of life.
            await worker.scheduler.retire_workers(
                workers=[worker.address], close_workers=False, remove=False, stimulus_id=LEAVE
            )
        finally:
            await worker.close(nanny=False, executor_wait=False, reason="a call did not stop")

    def _hand_back_all(self) -> None:
        for key, task in self._worker.state.tasks.items():
            if task.state == "ready":
                self._hand_back(key)

    def _hand_back(self, key: Any) -> None:
        """Have a task that has not begun made elsewhere: this worker begins nothing any more."""
        self._worker.batched_send({"op": "reschedule", "key": key, "stimulus_id": LEAVE})

    def _wanted(self, key: Any) -> bool:
        task = self._worker.state.tasks.get(key)
        return task is not None and _wanted(task)

    def _tell(self, client: str, number: int, **message: object) -> None:
        told = {"op": TELL, "client": client, "number": number, **message}
        self._worker.loop.add_callback(self._worker.batched_send, told)


def _wanted(task: TaskState) -> bool:
    return task.state in ("executing", "long-running")


def _outcome(signal: Signal, parcel: parcels.Parcel) -> parcels.Outcome:
    function, args, kwds = parcels.unpacked(parcel)
    result = function(*args, *([signal] if parcel.stoppable else []), **kwds)
    if inspect.isawaitable(result):
        # Not on the worker's own event loop, which must hear that a call is to stop.
        result = asyncio.run(_cancellable(result, signal, parcel))
    outcome = parcels.returned(parcel.name, result)
    if len(outcome.content) > MOST:
        raise NotSendable(f"the result of {parcel.name} cannot be sent back: it is over 1 GiB")
    return outcome


async def _cancellable(result: Awaitable[object], signal: Signal, parcel: parcels.Parcel) -> object:
    task = asyncio.current_task()
    assert task
    signal.cancels(task, COURTESY if parcel.stoppable else 0.0)
    return await result
