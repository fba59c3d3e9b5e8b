"""The pool's workers as it sees them, the calls they have, and who gets the next one."""

import asyncio
import multiprocessing
import queue
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from math import ceil, inf
from typing import Any

from aiomultiprocess.core import Process
from aiomultiprocess.scheduler import Scheduler
from aiomultiprocess.types import QueueID, TaskID, Unit

from ...application.pool_ports import Call
from ..stop import is_coroutine_function
from .line import Line, packet, prepare

SPAWN = multiprocessing.get_context("spawn")
"""Forking a process that has threads, as servers have, may deadlock the child."""


class Kind(Enum):
    """How a function runs in a worker: on its event loop, or in a thread beside it."""

    COROUTINE = auto()
    PLAIN = auto()


MOST = {Kind.COROUTINE: 16, Kind.PLAIN: 1}
"""Most calls of each kind that a worker has at a time.

Plain functions are mostly computing: several in one process would only slow each other down.
"""


@dataclass(slots=True, eq=False)
class Job:
    """A call and who waits for it; the first to end it decides how."""

    call: Call
    future: Future[Any] = field(default_factory=Future)
    number: TaskID | None = None
    stopped: bool = False
    kind: Kind = field(init=False)

    def __post_init__(self) -> None:
        """Look what kind of function is to be called."""
        self.kind = Kind.COROUTINE if is_coroutine_function(self.call.function) else Kind.PLAIN

    def succeed(self, value: object) -> None:
        """Hand over the result."""
        with suppress(InvalidStateError):
            self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Hand over an error."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)


class Worker(Process):
    """A worker process, at the end of a line of its own.

    It leaves out what `Process.__init__` does, which asks a manager, one process more, for a place
    where results are put that a pool's worker never leaves there. And it is no `PoolWorker`, which
    looks for tasks, and whether they are done, every 5 to 50 ms.
    """

    def __init__(self, line: Line) -> None:  # see above
        self.unit = Unit(target=line.serve, args=(), kwargs={}, namespace=None, initializer=prepare)
        self.aio_process = SPAWN.Process(target=Process.run_async, args=(self.unit,))


@dataclass(slots=True, eq=False)
class Member:
    """A worker as the pool sees it."""

    worker: Worker
    pid: int | None
    writer: asyncio.StreamWriter | None = None
    ready: bool = False
    jobs: dict[TaskID, Job] = field(default_factory=dict)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    _count: Counter[Kind] = field(default_factory=Counter)
    _unsent: list[tuple[object, ...]] = field(default_factory=list)

    def load(self, kind: Kind) -> float:
        """Return how many calls of a kind it has."""
        return self._count[kind] if self.ready else inf

    def begin(self, job: Job) -> None:
        """Note that it has a call."""
        assert job.number
        self.jobs[job.number] = job
        self._count[job.kind] += 1

    def finish(self, number: TaskID) -> Job:
        """Note that a call is over, and return it."""
        job = self.jobs.pop(number)
        self._count[job.kind] -= 1
        self.note_idle()
        return job

    def note_idle(self) -> None:
        """Note whether all of its calls were told to stop, so that nobody would miss it."""
        if all(each.stopped for each in self.jobs.values()):
            self.idle.set()

    def send(self, *content: object) -> None:
        """Send it a message, unless it is gone; those of one moment go together."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(content)

    def hang_up(self) -> None:
        """Listen to it no more."""
        if self.writer is not None:
            self.writer.close()

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self.writer is not None and not self.writer.is_closing():
            self.writer.write(packet(unsent))


@dataclass(slots=True, eq=False)
class Seat:
    """For aiomultiprocess, a pair of queues: the line to the member that sits here now."""

    member: Member | None = None

    def load(self, kind: Kind) -> float:
        """Return how many calls of a kind its member has; infinite while it cannot work."""
        return inf if self.member is None else self.member.load(kind)

    def put_nowait(
        self, task: tuple[TaskID, Callable[..., Any], tuple[Any, ...], Any] | None
    ) -> None:
        """Send a task; None is the end."""
        assert self.member
        if task is None:
            self.member.send("end")
            return
        number, _, (job, parcel), _ = task
        job.number = number
        self.member.begin(job)
        self.member.send("call", number, parcel)

    def get_nowait(self) -> object:
        """Results come by themselves (raises queue.Empty)."""
        raise queue.Empty


class LeastLoaded(Scheduler):
    """Gives each call to the worker that has the fewest of its kind."""

    def __init__(self) -> None:
        self.seats: dict[QueueID, Seat] = {}

    def register_queue(self, tx: Any) -> QueueID:
        """Note a seat."""
        number = QueueID(len(self.seats))
        self.seats[number] = tx
        return number

    def register_process(self, qid: QueueID) -> None:
        """A seat has one worker."""

    def schedule_task(self, task_id: TaskID, func: Any, args: Any, kwargs: Any) -> QueueID:  # noqa: ARG002
        """Return the seat whose worker has the fewest calls of this kind."""
        kind = args[0].kind
        return min(self.seats, key=lambda number: self.seats[number].load(kind))

    def complete_task(self, task_id: TaskID) -> None:
        """The members know what they have."""

    def free(self, kind: Kind, waiting: int) -> bool:
        """Tell whether a worker can take a call, beyond the share of those that are starting."""
        loads = [seat.load(kind) for seat in self.seats.values()]
        there = [load for load in loads if load < inf]
        share = MOST[kind] if there == loads else ceil((sum(there) + waiting) / len(loads))
        return any(load < min(share, MOST[kind]) for load in there)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C away from a process that starts, until it has said how it takes it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
