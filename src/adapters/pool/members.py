"""The pool's workers as it sees them, and the calls that they have or that wait for them."""

import asyncio
import logging
import multiprocessing
import signal
import socket
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from multiprocessing import resource_tracker

from aiomultiprocess.core import Process
from aiomultiprocess.types import Unit

from ...application.awaited import Awaited
from ...application.parcels import Parcel
from ...application.stopping import is_coroutine_function
from .line import Line, prepare
from .messages import SIZE, Batch, Message, opened

log = logging.getLogger("panel_session_monitor")

SPAWN = multiprocessing.get_context("spawn")
"""Forking a process that has threads, as servers have, may deadlock the child."""


class Kind(IntEnum):
    """How a function runs in a worker: on its event loop, or in a thread beside it."""

    COROUTINE = auto()
    PLAIN = auto()


MOST = {Kind.COROUTINE: 32, Kind.PLAIN: 1}
"""Most calls of each kind that a worker has at a time.

Plain functions are mostly computing: several in one process would only slow each other down.
With half as many coroutines short ones take a tenth longer: workers wait for the next ones.
"""


class State(Enum):
    """What a worker is about."""

    STARTING = auto()
    READY = auto()
    LEAVING = auto()
    """It gets no more calls, and goes when nobody waits for those that it has."""

    OVER = auto()
    """It ends, or has ended."""


@dataclass(slots=True, eq=False, kw_only=True)
class Job(Awaited):
    """A call, who waits for it, and which worker has it."""

    number: int
    parcel: Parcel
    kind: Kind = field(init=False)
    member: "Member | None" = None

    def __post_init__(self) -> None:
        """Look what kind of function is to be called."""
        self.kind = Kind.COROUTINE if is_coroutine_function(self.call.function) else Kind.PLAIN


class Backlog:
    """The jobs of a kind that wait: their owners take turns."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, OrderedDict[Job, None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, job: Job) -> None:
        """Put a job behind its owner's others."""
        self._waiting.setdefault(job.call.owner, OrderedDict())[job] = None
        self._count += 1

    def pop(self) -> Job:
        """Take the first job of the owner whose turn it is."""
        owner, jobs = self._waiting.popitem(last=False)
        job, _ = jobs.popitem(last=False)
        if jobs:
            self._waiting[owner] = jobs
        self._count -= 1
        return job

    def discard(self, job: Job) -> None:
        """Forget a job, if it waits."""
        jobs = self._waiting.get(job.call.owner, OrderedDict())
        if job in jobs:
            del jobs[job]
            self._count -= 1
            if not jobs:
                del self._waiting[job.call.owner]


class Worker(Process):
    """A worker process, at the end of a line of its own.

    It leaves out what `Process.__init__` does, which asks a manager, one process more, for a place
    where results are put that a pool's worker never leaves there. And it is no `PoolWorker`, which
    looks for tasks, and whether they are done, every 5 to 50 ms.
    """

    def __init__(self, line: Line) -> None:  # see above
        self.unit = Unit(target=line.serve, args=(), kwargs={}, namespace=None, initializer=prepare)
        self.aio_process = SPAWN.Process(target=Process.run_async, args=(self.unit,))


class Member:
    """A worker as the pool sees it, and the other end of its line."""

    def __init__(self) -> None:
        """Start a worker (raises OSError, or what the start of a process raises)."""
        self._line, theirs = socket.socketpair()
        try:
            with theirs, without_interrupts():
                self.worker = Worker(Line(theirs))
                self.worker.start()
        except BaseException:
            self._line.close()
            raise
        self.pid = self.worker.pid
        self.state = State.STARTING
        self.killing: asyncio.TimerHandle
        self.jobs: dict[Kind, set[Job]] = {kind: set() for kind in MOST}
        self._batch = Batch(self._write)
        self._writer: asyncio.StreamWriter | None = None

    @property
    def needed(self) -> bool:
        """Whether anybody waits for one of its calls."""
        return any(not each.future.done() for jobs in self.jobs.values() for each in jobs)

    def load(self, kind: Kind) -> int:
        """Return how many calls of a kind it has."""
        return len(self.jobs[kind])

    def send(self, *message: object) -> None:
        """Send it a message, unless it is gone; those of one moment go together."""
        self._batch.add(*message)

    async def listen(
        self, hear: Callable[[tuple[Message, ...]], None], ready_within: float
    ) -> None:
        """Hear what it says, from when it is ready until it hangs up (raises OSError, EOFError)."""
        try:
            async with asyncio.timeout(ready_within) as limit:
                reader, self._writer = await asyncio.open_connection(sock=self._line)
                while True:
                    header = await reader.readexactly(SIZE.size)
                    limit.reschedule(None)
                    hear(opened(await reader.readexactly(*SIZE.unpack(header))))
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """Listen to it no more."""
        if self._writer is not None:
            self._writer.close()

    def end(self, number: signal.Signals) -> None:
        """Send its process a signal, if it is there."""
        with suppress(ValueError):  # closed, as it is gone
            self.worker.terminate() if number is signal.SIGTERM else self.worker.kill()

    async def gone(self, patience: float) -> None:
        """Wait until its process has been taken from the system, if that can be."""
        with suppress(TimeoutError, ValueError):
            async with asyncio.timeout(patience):
                await self.worker.join()
            self.worker.close()

    def _write(self, sent: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(sent)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C away from a process that starts, until it has said how it takes it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # its start would let them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
