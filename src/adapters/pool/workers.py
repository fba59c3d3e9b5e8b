"""aiomultiprocess's pool, with what it lacks: calls that end, whatever becomes of their worker.

aiomultiprocess starts, replaces and runs the workers. But its queues are shared, so that a worker
that dies while it reads takes the others with it, and nobody learns which calls it had. Here each
worker has a socket of its own, whose end is the worker's, and calls wait until a worker is free.
"""

import asyncio
import logging
import multiprocessing
import os
import pickle
import queue
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any

from aiomultiprocess import Process, Scheduler
from aiomultiprocess.pool import Pool, PoolWorker
from aiomultiprocess.types import QueueID, TaskID, Unit

from ...application.pool_ports import Call, NotSendable, WorkerDied
from . import parcels
from .line import CONCURRENCY, COURTESY, SIZE, Line, message, new_loop, run

log = logging.getLogger("panel_session_monitor")

SPAWN = multiprocessing.get_context("spawn")
"""Forking a process that has threads, as servers have, may deadlock the child."""

PATIENCE = COURTESY + 0.5
"""After how many seconds work that was told to stop, and has not, may cost its worker."""

FAREWELL = 0.5
"""How long the workers of a closed pool may take to stop by themselves, in seconds."""

SIGTERM_WAITED_FOR = 2.0
"""How long a process has to end on SIGTERM before it gets SIGKILL, in seconds."""

REAPED_WITHIN = 1.0
"""How long the system may take to end what got SIGKILL, in seconds."""

LAST_WORDS = 0.2
"""How long a dead worker's line is still read, in seconds: its children may hold it open."""

FALSE_STARTS = 3
"""After how many workers in a row that never came to work it is no use to start another."""


@dataclass(slots=True, eq=False)
class Job:
    """A call and who waits for it; the first to end it decides how."""

    call: Call
    future: Future[Any] = field(default_factory=Future)
    number: TaskID | None = None
    stopped: bool = False

    def succeed(self, value: object) -> None:
        """Hand over the result."""
        with suppress(InvalidStateError):
            self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Hand over an error."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)


class Worker(PoolWorker):
    """A worker process, at the end of a line of its own.

    It leaves out what `Process.__init__` does, which asks a manager, one process more, for a place
    where results are put that a pool's worker never leaves there.
    """

    def __init__(self, line: Line) -> None:  # see above
        self.concurrency = CONCURRENCY
        self.exception_handler = None
        self.ttl = 0
        self.tx = self.rx = line
        self.unit = Unit(
            target=self.run,
            args=(),
            kwargs={},
            namespace=None,
            initializer=line.open,
            loop_initializer=new_loop,
        )
        self.aio_process = SPAWN.Process(target=Process.run_async, args=(self.unit,))


@dataclass(slots=True, eq=False)
class Member:
    """A worker as the pool sees it."""

    worker: Worker
    writer: asyncio.StreamWriter | None = None
    ready: bool = False
    jobs: dict[TaskID, Job] = field(default_factory=dict)

    @property
    def load(self) -> float:
        """How many calls it has."""
        return len(self.jobs) if self.ready else inf

    def send(self, *content: object) -> None:
        """Send it a message, unless it is gone."""
        if self.writer is not None and not self.writer.is_closing():
            self.writer.write(message(content))

    def needed(self) -> bool:
        """Tell whether it has a call that was not told to stop."""
        return any(not each.stopped for each in self.jobs.values())


@dataclass(slots=True, eq=False)
class Seat:
    """For aiomultiprocess, a pair of queues: the line to the member that sits here now."""

    member: Member | None = None

    @property
    def load(self) -> float:
        """How many calls its member has."""
        return inf if self.member is None else self.member.load

    def put_nowait(self, task: tuple[TaskID, Callable[..., Any], tuple[Any, ...], Any] | None) -> None:
        """Send a task; None is the end."""
        assert self.member
        if task is None:
            self.member.send("end")
            return
        number, function, (job, parcel), _ = task
        job.number = number
        self.member.jobs[number] = job
        self.member.send("call", number, function, (parcel,))

    def get_nowait(self) -> object:
        """Results come by themselves (raises queue.Empty)."""
        raise queue.Empty


class LeastLoaded(Scheduler):
    """Gives each call to the worker that has the fewest."""

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
        """Return the seat whose worker has the fewest calls."""
        return min(self.seats, key=lambda number: self.seats[number].load)

    def complete_task(self, task_id: TaskID) -> None:
        """The members know what they have."""

    def free(self) -> bool:
        """Tell whether any worker can take a call."""
        return any(seat.load < CONCURRENCY for seat in self.seats.values())


class Workers(Pool):
    """The workers, and the calls they have; all of it on one event loop."""

    scheduler: LeastLoaded

    def __init__(self, processes: int, give_up: Callable[[str], None]) -> None:
        self._backlog: dict[Job, None] = {}
        self._give_up = give_up
        self._false_starts = 0
        self._leaving: set[Member] = set()
        self._attending: set[asyncio.Task[None]] = set()
        super().__init__(processes, scheduler=LeastLoaded())

    # Calls --------------------------------------------------------------------------------

    def take(self, job: Job) -> None:
        """Have a worker do a job, the next one that is free."""
        self._backlog[job] = None
        self._distribute()

    def stop(self, job: Job) -> None:
        """Nobody waits for a job any more: forget it, or tell its worker."""
        job.stopped = True
        self._backlog.pop(job, None)
        member = self._member_with(job)
        if member:
            member.send("stop", job.number)
            asyncio.get_running_loop().call_later(PATIENCE, self._lose_patience, job)

    def finish_work(self, task_id: TaskID, value: Any, tb: str | None) -> None:
        """Wake who waits for a call, instead of keeping the result for whoever asks."""
        job, outcome = value
        try:
            job.succeed(parcels.opened(parcels.named(job.call.function), outcome))
        except Exception as error:  # what the app's function raised
            job.fail(error)

    def _distribute(self) -> None:
        while self.running and self._backlog and self.scheduler.free():
            job = next(iter(self._backlog))
            del self._backlog[job]
            try:
                parcel = parcels.packed(job.call)
            except NotSendable as error:
                job.fail(error)
            else:
                self.queue_work(run, (job, parcel), {})

    def _member_with(self, job: Job) -> Member | None:
        members = (*self._leaving, *(seat.member for seat in self.scheduler.seats.values()))
        found = (each for each in members if each and each.jobs.get(job.number) is job)
        return next(found, None)

    # Workers --------------------------------------------------------------------------------

    def init(self) -> None:
        """Take seats for the workers, who come in `fill`."""
        for _ in range(self.process_count):
            seat = Seat()
            self.queues[self.scheduler.register_queue(seat)] = (seat, seat)

    async def fill(self) -> None:
        """Start the workers, one after the other; those that are there begin meanwhile."""
        for number in self.queues:
            if self.running:
                self.processes[self.create_worker(number)] = number
            await asyncio.sleep(0)

    async def loop(self) -> None:
        """Replace dead workers; without any, if the system gives no process."""
        try:
            await super().loop()
        except OSError as error:
            self._give_up(f"no worker can be started: {error}")

    def create_worker(self, qid: QueueID) -> Worker:
        """Start a worker and have it sit where the last one sat."""
        seat = self.queues[qid][0]
        if seat.member is not None:
            self._farewell(seat.member)
        ours, theirs = socket.socketpair()
        try:
            with theirs, _without_interrupts():
                worker = Worker(Line(theirs))
                worker.start()
        except OSError:
            ours.close()
            raise
        seat.member = Member(worker)
        attending = asyncio.ensure_future(self._attend(seat.member, ours))
        self._attending.add(attending)
        attending.add_done_callback(self._attending.discard)
        return worker

    async def _attend(self, member: Member, line: socket.socket) -> None:
        """Listen to a worker until its end."""
        reader, member.writer = await asyncio.open_connection(sock=line)
        with suppress(EOFError, OSError):
            while True:
                header = await reader.readexactly(SIZE.size)
                body = await reader.readexactly(*SIZE.unpack(header))
                self._hear(member, pickle.loads(body))  # noqa: S301  # of a process of our own
        member.writer.close()
        member.worker.kill()  # if it lives it is of no use
        self._lost(member)

    def _hear(self, member: Member, content: tuple[Any, ...]) -> None:
        match content:
            case ("ready",):
                member.ready = True
                self._false_starts = 0
                self._distribute()
            case "progress", number, fraction:
                job = member.jobs.get(number)
                if job and job.call.on_progress and not job.future.done():
                    job.call.on_progress(fraction)
            case "done", number, outcome, trace:
                job = member.jobs.pop(number)
                self.finish_work(number, (job, outcome), trace)
                self._dismiss_if_idle(member)
                self._distribute()

    def _lost(self, member: Member) -> None:
        pid = member.worker.pid
        for job in member.jobs.values():
            job.fail(WorkerDied(f"the worker process that had the call ({pid}) died"))
        member.jobs.clear()
        if member.ready or not self.running:
            return
        self._false_starts += 1
        if self._false_starts == FALSE_STARTS:
            self._give_up(
                "its workers end before they begin; see what they print. Where a script is run "
                'directly, what starts the work belongs under `if __name__ == "__main__":`'
            )

    # Ends -----------------------------------------------------------------------------------

    def _lose_patience(self, job: Job) -> None:
        """A call goes on though it was told to stop: replace its worker, without harm to others."""
        member = self._member_with(job)
        if member is None or not self.running or member in self._leaving:
            return
        log.warning(
            "%s does not heed its stop event; its worker process is replaced",
            parcels.named(job.call.function),
        )
        number = self.processes.pop(member.worker)
        self._leaving.add(member)
        self._dismiss_if_idle(member)
        self.processes[self.create_worker(number)] = number

    def _dismiss_if_idle(self, member: Member) -> None:
        ...

    async def end(self) -> None:
        """Tell all to stop, then make them: SIGTERM, 2 s, SIGKILL."""
