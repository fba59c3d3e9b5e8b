"""A Dask cluster as a pool sees it: calls go there as tasks, and come back as messages."""

import asyncio
import pickle
import warnings
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import uuid4

from distributed import Client, Event, Future, KilledWorker
from distributed.versions import VersionMismatchWarning

from ...application import parcels
from ...application.pool_ports import PoolError, WorkerDied
from .job import Job
from .names import CALL, PLUGIN, TELL
from .scheduler import Relay
from .worker import Desk, run

ANSWERS_WITHIN = 7.0
"""After how many seconds a scheduler that does not answer is given up."""

LOOKS_EVERY = 1.0
"""Time between two looks whether the scheduler answers, in seconds."""

LEAVES_WITHIN = 1.0
"""How long it may take to take leave of the scheduler, in seconds."""


class Cluster:
    """A client of the scheduler; all of it on one event loop, which it is made on."""

    def __init__(self, address: str) -> None:
        _hush()
        self._client: Any = Client(
            address,
            asynchronous=True,
            set_as_default=False,
            name=PLUGIN,
            timeout=ANSWERS_WITHIN,
        )
        self._lost = asyncio.Event()
        self._waiting: list[Job] = []
        self._jobs: dict[int, Job] = {}
        self._tasks: dict[Job, Future[None]] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._numbers = count()
        self._token = uuid4().hex
        self.workers = 0

    async def open(self) -> None:
        """Find the scheduler and have it and its workers ready (raises what `distributed` does)."""
        await self._client
        self._client._stream_handlers[TELL] = self._hear  # noqa: SLF001
        await self._client.register_plugin(Relay())
        await self._client.register_plugin(Desk())
        self._scheduler = await self._who()

    async def lost(self) -> None:
        """Wait until the scheduler is lost; another one at its address is a stranger."""
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(ANSWERS_WITHIN):
                    if await self._who() != self._scheduler:
                        return
            except OSError:  # a time-out is one too
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_EVERY):
                    await self._lost.wait()

    async def close(self) -> None:
        """Let go of everything: the scheduler has the workers told to stop."""
        for each in self._following:
            each.cancel()
        with suppress(OSError):
            async with asyncio.timeout(LEAVES_WITHIN):
                await self._client.close()

    def take(self, job: Job) -> None:
        """Have a worker do a job; those of one moment go together."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._hand_out)
        self._waiting.append(job)

    def stop(self, job: Job) -> None:
        """Nobody waits for a job any more: let go of its task, and its worker is told."""
        if task := self._tasks.get(job):
            task.release()

    async def ask(self, event: str, question: str, *args: object) -> object:
        """Ask the scheduler about an event, or tell it, by a method of `distributed.Event`."""
        return await getattr(Event(event, client=self._client), question)(*args)

    def _hand_out(self) -> None:
        jobs, self._waiting = self._waiting, []
        packed = {number: order for job in jobs for number, order in self._packed(job)}
        orders = list(packed.values())
        keys = [self._key(self._jobs[number], number) for number in packed]
        try:
            tasks = self._client.map(run, orders, key=keys, pure=False) if orders else []
        except Exception as error:  # as of a client that has just lost its scheduler
            for number in packed:
                self._jobs.pop(number).fail(PoolError(f"the call cannot be sent: {error}"))
            return
        for number, task in zip(packed, tasks, strict=True):
            self._tasks[self._jobs[number]] = task
            following = asyncio.create_task(self._follow(number, task))
            self._following.add(following)
            following.add_done_callback(self._following.discard)

    def _packed(self, job: Job) -> Iterator[tuple[int, bytes]]:
        """Give a job a number, unless nobody waits for it or it cannot be sent."""
        if job.future.done():
            return
        try:
            parcel = parcels.packed(job.call)
        except Exception as error:  # even the name of a function may be the app's code
            job.fail(error)
            return
        number = next(self._numbers)
        self._jobs[number] = job
        yield number, pickle.dumps((self._client.id, number, parcel))

    def _key(self, job: Job, number: int) -> tuple[str, int]:
        function = getattr(job.call.function, "func", job.call.function)  # of a `partial`
        return f"{CALL}{parcels.named(function)}-{self._token}", number

    def _hear(
        self,
        number: int,
        progress: float | None = None,
        outcome: bytes | None = None,
        trace: str = "",
        taken: bool = False,
    ) -> None:
        job = self._jobs.get(number)
        if job is None:
            return
        if progress is not None:
            job.show(progress)
        if outcome is not None:
            job.end(parcels.Outcome(outcome, trace))
        if taken:
            job.fail(WorkerDied("the worker that had the call was taken from the cluster"))
            self.stop(job)

    async def _follow(self, number: int, task: "Future[None]") -> None:
        """See a call's task to its end, which the outcome comes before."""
        job = self._jobs[number]
        try:
            error = await task.exception()
            if not job.future.done():
                self._fail(job, error)
        finally:
            del self._jobs[number], self._tasks[job]
            task.release()

    async def _who(self) -> object:
        """Return the scheduler's id; count its workers."""
        identity = await self._client.scheduler.identity(n_workers=0)
        self.workers = identity["n_workers"]
        return identity["id"]

    def _fail(self, job: Job, error: Any) -> None:
        """Say why a call has no outcome."""
        name = parcels.named(job.call.function)
        if error is not None and not isinstance(error, KilledWorker):
            job.fail(PoolError(f"no worker could run {name}: {error!r}"))
        elif self._client.status == "running":
            job.fail(WorkerDied(f"the worker that had the call of {name} died"))
        else:
            self._lost.set()


def _hush() -> None:
    """Keep from the app's log what it could not mend: it means nothing to our few messages."""
    warnings.filterwarnings("ignore", category=VersionMismatchWarning)
    warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
