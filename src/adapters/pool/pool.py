"""`ProcessPool`: the pool as the app's threads and event loops see it."""

import asyncio
import logging
import multiprocessing
import os
import threading
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from functools import partial
from multiprocessing.managers import SyncManager
from typing import Any

from ...application.mailbox import Mailbox
from ...application.pool_ports import Call, PoolClosed
from ..face import Face
from .members import SPAWN, Job, without_interrupts
from .workers import Workers

log = logging.getLogger("panel_session_monitor")


class ProcessPool(Face):
    """Worker processes of aiomultiprocess, minded by a thread with an event loop of its own.

    So the app's event loops, of which there may be several, do not wait while processes are
    started and ended, and calls end even if the loop that they come from is blocked.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._lock = threading.Lock()
        self._jobs: set[Job] = set()
        self._closed: str | None = None
        self._manager: SyncManager | None = None
        self._starting_manager = threading.Lock()
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

    def submit(self, call: Call) -> Future[Any]:
        """Have a worker do the call; never waits. Cancelling the future stops the work."""
        job = Job(call)
        with self._lock:
            if self._closed is None:
                self._jobs.add(job)
                self._mailbox.post(lambda: self._workers.take(job))
            else:
                job.fail(PoolClosed(self._closed))
        job.future.add_done_callback(partial(self._done, job))
        return job.future

    def close(self, reason: str = "the pool is closed") -> None:
        """Fail whatever waits with PoolClosed, at once, and begin to end the workers."""
        with self._lock:
            if self._closed is not None:
                return
            self._closed = reason
            self._mailbox.post(self._closing.set)
            jobs = list(self._jobs)
        for job in jobs:
            job.fail(PoolClosed(reason))

    def join(self, timeout: float) -> bool:
        """Wait until the workers are gone; kill those that are not by then."""
        self._thread.join(timeout)
        if not self._thread.is_alive():
            return True
        for member in self._workers.everyone():
            with suppress(ValueError):  # closed, as it is gone
                member.worker.kill()
        return False

    def manager(self) -> SyncManager:
        """Return the pool's manager; the first time, this starts its process and waits for it."""
        with self._starting_manager:
            if self._manager is None:
                if self._closed is not None:
                    raise PoolClosed(self._closed)
                manager = SyncManager(ctx=SPAWN)
                with without_interrupts():
                    manager.start(_end_with_parent)
                self._manager = manager
            return self._manager

    # The thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serving)
        except Exception:
            log.exception("The worker pool failed")
            self.close("the pool failed")
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._workers = Workers(self._processes, self.close)
        try:
            await self._workers.fill()
            await self._closing.wait()
        except Exception as error:  # the workers that are there must be ended all the same
            self.close(f"no worker can be started: {error}")
        await self._workers.end()
        with self._starting_manager:
            if self._manager is not None:
                self._manager.shutdown()

    def _done(self, job: Job, future: Future[Any]) -> None:
        self._jobs.discard(job)
        if future.cancelled():
            self._mailbox.post(lambda: self._workers.stop(job))


def _end_with_parent() -> None:
    """In the manager's process: it would outlive a parent that crashes."""
    parent = multiprocessing.parent_process()
    assert parent

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
