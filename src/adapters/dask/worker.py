"""A Dask worker's side of the pool: the calls that it has, and how they are told to stop."""

import asyncio
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from .. import parcels
from ..stop import COURTESY, Signal, is_coroutine_function
from .names import PLUGIN, TELL

MOST = 1 << 30
"""How long a message may be, in bytes: the worker's line to the scheduler breaks at twice that."""


def run(order: bytes) -> None:
    """Run a call, as a task of a Dask worker; its outcome goes another way (`Relay`)."""
    worker = get_worker()
    desk: Desk = worker.plugins[PLUGIN]  # type: ignore[assignment]
    desk.run(worker.get_current_task(), *pickle.loads(order))  # noqa: S301  # of our own


class Desk(WorkerPlugin):
    """Knows the calls that the worker runs. Dask lets go of a task that nobody wants any more."""

    name = PLUGIN

    def setup(self, worker: Worker) -> None:
        """Begin with no calls."""
        self._worker = worker
        self._signals: dict[Any, Signal] = {}

    def transition(self, key: Any, start: str, finish: str, **_: object) -> None:  # noqa: ARG002
        """Tell a call to stop when Dask lets go of its task; it cannot end what runs."""
        signal = self._signals.get(key)
        if signal and finish in ("released", "forgotten"):
            signal.set()

    def run(self, key: Any, client: str, number: int, parcel: parcels.Parcel) -> None:
        """Run a call in a thread of the worker; it ends with an outcome, come what may."""
        tell = partial(self._tell, client, number)
        signal = self._signals[key] = Signal(lambda fraction: tell(progress=fraction))
        if not self._wanted(key):  # it was let go of before there was a signal
            signal.set()
        try:
            outcome = _outcome(signal, parcel)
        except BaseException as error:  # even SystemExit is but the call's
            outcome = parcels.raised(parcel.name, error)
        finally:
            del self._signals[key]
        tell(outcome=outcome.content, trace=outcome.trace)

    def _wanted(self, key: Any) -> bool:
        task = self._worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    def _tell(self, client: str, number: int, **message: object) -> None:
        told = {"op": TELL, "client": client, "number": number, **message}
        self._worker.loop.add_callback(self._worker.batched_send, told)


def _outcome(signal: Signal, parcel: parcels.Parcel) -> parcels.Outcome:
    function, args, kwds = parcels.unpacked(parcel)
    called = partial(function, *args, *([signal] if parcel.stoppable else []), **kwds)
    if is_coroutine_function(function):
        # Not on the worker's own event loop, which must hear that a call is to stop.
        called = partial(asyncio.run, _cancellable(called, signal, parcel))
    return parcels.returned(parcel.name, called())


async def _cancellable(
    called: Callable[..., Any], signal: Signal, parcel: parcels.Parcel
) -> object:
    task = asyncio.current_task()
    assert task
    signal.cancels(task, COURTESY if parcel.stoppable else 0.0)
    return await called()
