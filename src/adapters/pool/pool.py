"""`ProcessPool`: the pool as the app's threads and event loops see it."""

import asyncio
import logging
import threading
from collections import deque
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from itertools import count
from multiprocessing.managers import SyncManager
from typing import Any

from ...application import parcels
from ...application.awaited import Entry
from ...application.mailbox import Mailbox
from ...application.pool_face import Face
from ...application.pool_ports import Call, PoolClosed
from .manager import Manager
from .members import Job
from .workers import Workers

log = logging.getLogger("panel_session_monitor")

READY_WITHIN = 30.0
"""How long a worker may take until it comes to work, in seconds; then it is killed."""


class ProcessPool(Face):
    """Worker processes of aiomultiprocess, minded by a thread with an event loop of its own.

    So the app's event loops, of which there may be several, do not wait while processes are
    started and ended, and calls end even if the loop that they come from is blocked.
    """

    def __init__(self, processes: int, ready_within: float = READY_WITHIN) -> None:
        self._entry: Entry[Job] = Entry()
        self._numbers = count()
        self._submitted: deque[Job] = deque()
        self._manager: Manager | None = None
        self._starting_manager = threading.Lock()
        self._workers = Workers(processes, ready_within, self.close)
        self._loop = asyncio.new_event_loop()
        self._mailbox = Mailbox(self._loop)
        self._closing = asyncio.Event()
        self._serving = self._loop.create_task(self._serve(), context=Context())
        self._thread = threading.Thread(
            target=self._run, name="panel-session-monitor-pool", daemon=True
        )
        self._thread.start()

    # The port -----------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it takes no more calls."""
        return self._entry.closed is not None

    @property
    def processes(self) -> int:
        """How many worker processes there are at this moment."""
        return len(self._workers)

    def submit(self, call: Call) -> Future[Any]:
        """Have a worker do the call; never waits. Cancelling the future stops the work."""
        future: Future[Any] = Future()
        try:
            parcel = parcels.packed(call)
        except Exception as error:
            future.set_exception(error)
            return future
        job = Job(call=call, future=future, number=next(self._numbers), parcel=parcel)
        try:
            with self._entry as jobs:
                jobs.add(job)
                self._submitted.append(job)
                if len(self._submitted) == 1:
                    self._mailbox.post(self._take)
        except PoolClosed as error:
            job.fail(error)
        future.add_done_callback(partial(self._done, job))
        return future

    def close(self, reason: str = "the pool is closed") -> None:
        """Fail whatever waits with PoolClosed, at once, and begin to end the workers."""
        self._entry.close(reason, lambda: self._mailbox.post(self._closing.set))

    def join(self, timeout: float) -> bool:
        """Wait until the workers are gone; kill those that are not by then."""
        if threading.current_thread() is not self._thread:  # it cannot wait for itself
            self._thread.join(timeout)
            if not self._thread.is_alive():
                return True
        self._workers.kill()
        if self._manager is not None:
            self._manager.kill()
        return False

    def manager(self) -> SyncManager:
        """Return the pool's manager; the first time, this starts its process and waits for it.

        One that has died is replaced. Raises PoolError.
        """
        with self._starting_manager:
            if self._entry.closed is not None:
                raise PoolClosed(self._entry.closed)
            if self._manager is None or not self._manager.alive():
                self._manager = Manager.started()
            return self._manager

    # The thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        """Serve until the end: nobody would wake those who wait if this thread died."""
        while not self._serving.done():
            try:
                self._loop.run_until_complete(self._serving)
            except BaseException:
                self.close("the pool failed")
                log.exception("The worker pool failed")
        self._loop.close()

    async def _serve(self) -> None:
        watching = asyncio.ensure_future(self._workers.watch())
        try:
            await self._workers.fill()
            await self._closing.wait()
            await self._workers.end()
        finally:
            watching.cancel()
            self._end_manager()

    def _take(self) -> None:
        jobs = []
        while self._submitted:  # whoever finds it empty before him posts the next letter
            jobs.append(self._submitted.popleft())
        self._workers.dispatch.take(jobs)

    def _done(self, job: Job, future: Future[Any]) -> None:
        self._entry.leave(job)
        if future.cancelled():
            self._mailbox.post(partial(self._workers.stop, job))

    def _end_manager(self) -> None:
        with self._starting_manager:
            if self._manager is not None:
                self._manager.shutdown()
