"""`DaskPool`: the pool as the app's threads and event loops see it."""

import asyncio
import logging
import threading
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import Any

from ...application.awaited import Entry
from ...application.mailbox import Mailbox
from ...application.pool_face import Face
from ...application.pool_ports import Call, PoolClosed
from .events import Events
from .job import Job

log = logging.getLogger("panel_session_monitor")

FOUND_WITHIN = 8.0
"""How long it may take to find the scheduler and to prepare its workers, in seconds."""

GREETS_WITHIN = 1.0
"""How long a pool that is closed meanwhile lets itself be connected, in seconds."""


class DaskPool(Face):
    """The workers of a Dask cluster, reached by a thread with an event loop of its own.

    So the app's event loops do not wait while `distributed` is imported and the scheduler found.
    A pool whose scheduler is not found, or is lost, is closed. The cluster stays as it is.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._entry: Entry[Job] = Entry()
        self._cluster: Any = None  # a `Cluster`, once it is open
        self._open = asyncio.Event()
        self._early: list[Job] = []
        self._loop = asyncio.new_event_loop()
        self._mailbox = Mailbox(self._loop)
        self._closing = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run, name="panel-session-monitor-pool", daemon=True
        )
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it takes no more calls."""
        return self._entry.closed is not None

    @property
    def processes(self) -> int:
        """How many workers the cluster has at this moment."""
        return self._cluster.workers if self._cluster else 0

    def submit(self, call: Call) -> Future[Any]:
        """Have a worker do the call; never waits. Cancelling the future stops the work."""
        job = Job(call=call)
        try:
            with self._entry as jobs:
                jobs.add(job)
                self._mailbox.post(lambda: self._take(job))
        except PoolClosed as error:
            job.fail(error)
        job.future.add_done_callback(partial(self._done, job))
        return job.future

    def close(self, reason: str = "the pool is closed") -> None:
        """Fail whatever waits with PoolClosed, at once, and have the workers stop."""
        self._entry.close(reason, lambda: self._mailbox.post(self._closing.set))

    def join(self, timeout: float) -> bool:
        """Wait until the cluster has been left. Its workers are not the pool's to end."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def manager(self) -> Events:
        """Return what makes stop events, for functions called by `apply`; never waits."""
        return Events(self._ask)

    # The thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve(), context=Context())
        except Exception:
            log.exception("The worker pool failed")
        finally:
            self.close("the pool failed")

    async def _serve(self) -> None:
        try:
            from .cluster import Cluster  # noqa: PLC0415  # imports distributed, half a second
        except ImportError as error:
            self.close(f"a Dask cluster as a pool needs panel-session-monitor[dask]: {error}")
            return
        cluster = Cluster(self._address)
        using = asyncio.create_task(self._use(cluster))
        closing = asyncio.create_task(self._closing.wait())
        await asyncio.wait({using, closing}, return_when=asyncio.FIRST_COMPLETED)
        if not self._open.is_set():  # cut off while it says hello, a connection is not closed
            await asyncio.wait({using}, timeout=GREETS_WITHIN)
        using.cancel()
        await asyncio.wait({using})
        await cluster.close()

    async def _use(self, cluster: Any) -> None:
        try:
            async with asyncio.timeout(FOUND_WITHIN):
                await cluster.open()
        except Exception as error:  # whatever may be wrong with a server that others run
            why = str(error) or f"no answer within {FOUND_WITHIN:g} s"
            self.close(f"the Dask scheduler at {self._address} cannot be used: {why}")
            return
        if self.closed:
            return
        self._cluster = cluster
        self._open.set()
        for job in self._early:
            cluster.take(job)
        with suppress(Exception):  # as of a client that has given up
            await cluster.lost()
        self.close(f"the Dask scheduler at {self._address} was lost")

    def _ask(self, event: str, question: str, *args: object) -> Future[Any]:
        async def ask() -> object:
            await self._open.wait()
            return await self._cluster.ask(event, question, *args)

        with self._entry:
            return asyncio.run_coroutine_threadsafe(ask(), self._loop)

    def _take(self, job: Job) -> None:
        if self._cluster is None:
            self._early.append(job)
        else:
            self._cluster.take(job)

    def _done(self, job: Job, future: Future[Any]) -> None:
        self._entry.leave(job)
        if future.cancelled():
            self._mailbox.post(lambda: self._stop(job))

    def _stop(self, job: Job) -> None:
        if self._cluster is not None:
            self._cluster.stop(job)
