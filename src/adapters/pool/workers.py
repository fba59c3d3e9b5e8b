"""aiomultiprocess's pool, with what it lacks: calls that end, whatever becomes of their worker.

aiomultiprocess starts, replaces and runs the workers. But its queues are shared, so that a worker
that dies while it reads takes the others with it, and nobody learns which calls it had. Here each
worker has a socket of its own, whose end is the worker's, and calls wait until a worker is free.
"""

import asyncio
import logging
import pickle
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiomultiprocess.pool import Pool
from aiomultiprocess.types import QueueID, TaskID

from ...application.pool_ports import WorkerDied
from .. import parcels
from ..stop import COURTESY
from .line import SIZE, Line
from .members import MOST, Job, Kind, LeastLoaded, Member, Seat, Worker, without_interrupts

log = logging.getLogger("panel_session_monitor")

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


class Workers(Pool):
    """The workers, and the calls they have; all of it on one event loop."""

    scheduler: LeastLoaded

    def __init__(self, processes: int, give_up: Callable[[str], None]) -> None:
        self._backlogs: dict[Kind, dict[Job, None]] = {kind: {} for kind in MOST}
        self._give_up = give_up
        self._false_starts = 0
        self._leaving: dict[Member, asyncio.Task[None]] = {}
        self._attending: set[asyncio.Task[None]] = set()
        super().__init__(processes, scheduler=LeastLoaded())

    # Calls --------------------------------------------------------------------------------

    def take(self, job: Job) -> None:
        """Have a worker do a job, the next one that is free."""
        self._backlogs[job.kind][job] = None
        self._distribute()

    def stop(self, job: Job) -> None:
        """Nobody waits for a job any more: forget it, or tell its worker."""
        job.stopped = True
        self._backlogs[job.kind].pop(job, None)
        member = self._member_with(job)
        if member:
            member.send("stop", job.number)
            member.note_idle()
            asyncio.get_running_loop().call_later(PATIENCE, self._lose_patience, job)

    def finish_work(self, task_id: TaskID, value: Any, tb: str | None) -> None:  # noqa: ARG002
        """Wake who waits for a call, instead of keeping the result for whoever asks."""
        job, outcome = value
        try:
            job.succeed(parcels.opened(parcels.named(job.call.function), outcome))
        except Exception as error:  # what the app's function raised
            job.fail(error)

    def _distribute(self) -> None:
        for kind, backlog in self._backlogs.items():
            while self.running and backlog and self.scheduler.free(kind, len(backlog)):
                job = next(iter(backlog))
                del backlog[job]
                if not job.future.done():
                    self._hand_out(job)

    def _hand_out(self, job: Job) -> None:
        try:
            parcel = parcels.packed(job.call)
        except Exception as error:  # even the name of a function may be the app's code
            job.fail(error)
        else:
            self.queue_work(job.call.function, (job, parcel), {})

    def _member_with(self, job: Job) -> Member | None:
        having = (each for each in self.everyone() if job in each.jobs.values())
        return next(having, None)

    # Workers --------------------------------------------------------------------------------

    def init(self) -> None:
        """Take seats for the workers, who come in `fill`."""
        for _ in range(self.process_count):
            seat = Seat()
            self.queues[self.scheduler.register_queue(seat)] = (seat, seat)  # type: ignore[assignment]

    async def fill(self) -> None:
        """Start the workers, one after the other; those that are there begin meanwhile."""
        for number in self.queues:
            if self.running:
                self.processes[self.create_worker(number)] = number
            await asyncio.sleep(0)

    async def loop(self) -> None:
        """Replace dead workers, until the system gives none."""
        try:
            await super().loop()
        except Exception as error:  # nobody would learn of it
            self._give_up(f"no worker can be started: {error}")

    def create_worker(self, qid: QueueID) -> Worker:
        """Start a worker and have it sit where the last one sat."""
        seat = self.scheduler.seats[qid]
        if seat.member is not None and seat.member not in self._leaving:
            seat.member.worker.close()
            asyncio.get_running_loop().call_later(LAST_WORDS, seat.member.hang_up)
        ours, theirs = socket.socketpair()
        try:
            with theirs, without_interrupts():
                worker = Worker(Line(theirs))
                worker.start()
        except BaseException:
            ours.close()
            raise
        seat.member = Member(worker, worker.pid)
        attending = asyncio.ensure_future(self._attend(seat.member, ours))
        self._attending.add(attending)
        attending.add_done_callback(self._attending.discard)
        return worker

    async def _attend(self, member: Member, line: socket.socket) -> None:
        """Listen to a worker until its end."""
        try:
            reader, member.writer = await asyncio.open_connection(sock=line)
            while True:
                header = await reader.readexactly(SIZE.size)
                body = await reader.readexactly(*SIZE.unpack(header))
                for message in pickle.loads(body):  # noqa: S301  # of a process of our own
                    self._hear(member, message)
                self._distribute()
        except (EOFError, OSError):
            pass
        finally:
            member.hang_up()
            with suppress(ValueError):  # it was replaced already
                member.worker.kill()  # if it lives it is of no use
            self._lost(member)

    def _hear(self, member: Member, message: tuple[Any, ...]) -> None:
        match message:
            case ("ready",):
                member.ready = True
                self._false_starts = 0
            case "progress", number, fraction:
                self._show(member.jobs.get(number), fraction)
            case "done", number, outcome:
                self.finish_work(number, (member.finish(number), outcome), None)

    def _show(self, job: Job | None, fraction: float) -> None:
        if job is None or job.call.on_progress is None or job.future.done():
            return
        try:
            job.call.on_progress(fraction)
        except Exception:  # it may be the app's
            log.exception("The progress of a call could not be shown")

    def _lost(self, member: Member) -> None:
        for job in member.jobs.values():
            job.fail(WorkerDied(f"the worker process that had the call ({member.pid}) died"))
        member.jobs.clear()
        member.note_idle()
        began, member.ready = member.ready, False
        if began or not self.running:
            return
        self._false_starts += 1
        if self._false_starts == FALSE_STARTS:
            self._give_up(
                "its workers end before they begin; see what they print. Where a script is run "
                'directly, what starts the work belongs under `if __name__ == "__main__":`'
            )

    # Ends -----------------------------------------------------------------------------------

    def _lose_patience(self, job: Job) -> None:
        """A call goes on though it was told to stop: replace its worker, to nobody's harm."""
        member = self._member_with(job)
        if member is None or not self.running or member in self._leaving:
            return
        log.warning("%s does not stop; its worker is replaced", parcels.named(job.call.function))
        number = self.processes.pop(member.worker)
        member.idle.clear()
        member.note_idle()
        self._leaving[member] = asyncio.ensure_future(self._see_off(member))
        try:
            self.processes[self.create_worker(number)] = number
        except Exception as error:  # as in `loop`
            self._give_up(f"no worker can be started: {error}")

    async def _see_off(self, member: Member) -> None:
        """Let a worker finish what others wait for, then end it."""
        await member.idle.wait()
        member.worker.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(SIGTERM_WAITED_FOR):
                await member.worker.join()
        member.worker.kill()
        await member.worker.join()
        member.worker.close()
        del self._leaving[member]

    def everyone(self) -> list[Member]:
        """Return all workers that there are."""
        seated = [seat.member for seat in self.scheduler.seats.values() if seat.member]
        return [*seated, *self._leaving]

    async def end(self) -> None:
        """Tell all workers to stop; then SIGTERM, and 2 s later SIGKILL."""
        for seeing_off in self._leaving.values():
            seeing_off.cancel()
        everyone = self.everyone()
        self.close()
        for member in self._leaving:
            member.send("end")
        for member in everyone:
            if not member.ready:
                member.worker.terminate()
        gone = asyncio.gather(*(member.worker.join() for member in everyone))
        for patience, then in (
            (FAREWELL, Worker.terminate),
            (SIGTERM_WAITED_FOR, Worker.kill),
            (REAPED_WITHIN, Worker.kill),
        ):
            if not (await asyncio.wait([gone], timeout=patience))[1]:
                break
            for member in everyone:
                then(member.worker)
        await self.join()
        for member in everyone:
            member.hang_up()
            member.worker.close()
        await asyncio.gather(*self._attending)
