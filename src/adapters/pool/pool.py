"""`ProcessPool`: the pool as the app's threads and event loops see it."""

import asyncio
import logging
import threading
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from itertools import count
from multiprocessing.managers import SyncManager
from typing import Any

from ...application import parcels
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
        self._lock = threading.Lock()
        self._numbers = count()
        self._jobs: dict[Future[Any], Job] = {}
        self._submitted: list[Job] = []
        self._closed: str | None = None
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
        return self._closed is not None

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
        with self._lock:
            if self._closed is None:
                self._jobs[future] = job
                self._submitted.append(job)
                if len(self._submitted) == 1:
                    self._mailbox.post(self._take)
            else:
                job.fail(PoolClosed(self._closed))
        future.add_done_callback(self._done)
        return future

    def close(self, reason: str = "the pool is closed") -> None:
        """Fail whatever waits with PoolClosed, at once, and begin to end the workers."""
        with self._lock:
            if self._closed is not None:
                return
            self._closed = reason
            self._mailbox.post(self._closing.set)
            jobs = list(self._jobs.values())
        for job in jobs:
            job.fail(PoolClosed(reason))

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
            if self._closed is not None:
                raise PoolClosed(self._closed)
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
        with self._lock:
            jobs, self._submitted = self._submitted, []
        self._workers.dispatch.take(jobs)

    def _done(self, future: Future[Any]) -> None:
        job = self._jobs.pop(future, None)
        if job and future.cancelled():
            self._mailbox.post(partial(self._workers.stop, job))

    def _end_manager(self) -> None:
        with self._starting_manager:
            if self._manager is not None:
                self._manager.shutdown()
