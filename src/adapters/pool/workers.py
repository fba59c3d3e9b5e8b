"""The workers of a pool: what they say, who is replaced, and how all of them end."""

import asyncio
import logging
import signal
from collections.abc import Callable
from functools import partial
from itertools import chain

from ...application import parcels
from ...application.pool_ports import WorkerDied
from ...application.stopping import COURTESY
from .dispatch import STAFF, Dispatch
from .members import Job, Member, State
from .messages import Message

log = logging.getLogger("panel_session_monitor")

PATIENCE = COURTESY + 0.5
"""After how many seconds work that was told to stop, and has not, may cost its worker."""

ANSWERED_WITHIN = 5.0
"""How long the event loop of a worker that is to leave may take to answer, in seconds.

If something blocks it, the calls of others there will never end.
"""

FAREWELL = 0.5
"""How long the workers of a closed pool may take to stop by themselves, in seconds."""

SIGTERM_WAITED_FOR = 2.0
"""How long a process has to end on SIGTERM before it gets SIGKILL, in seconds."""

REAPED_WITHIN = 1.0
"""How long the system may take to end what got SIGKILL, in seconds."""

ROUND = 0.4
"""Time between two looks whether a worker has died whose children hold its line, in seconds."""

LAST_WORDS = 0.2
"""How long the line of a worker that was found dead is still read, in seconds."""

FALSE_STARTS = 3
"""After how many workers in a row that never came to work it is no use to start another."""


class Workers:
    """The workers; all of it on one event loop. Calls are given to them by `dispatch`."""

    def __init__(self, processes: int, ready_within: float, give_up: Callable[[str], None]) -> None:
        self._processes = processes
        self._ready_within = ready_within
        self._give_up = give_up
        self._members: dict[Member, asyncio.Task[None]] = {}
        self.dispatch = Dispatch(self._members)
        self._false_starts = 0

    def __len__(self) -> int:
        return len(self._members)

    def stop(self, job: Job) -> None:
        """Nobody waits for a job any more: forget it, or tell its worker."""
        self.dispatch.forget(job)
        if job.member:
            job.member.send("stop", job.number)
            self._dismiss_if_unneeded(job.member)
            asyncio.get_running_loop().call_later(PATIENCE, self._lose_patience, job)

    # Workers --------------------------------------------------------------------------------

    async def fill(self) -> None:
        """Start the workers, one after the other; those that are there begin meanwhile."""
        for _ in range(self._processes):
            self._employ()
            await asyncio.sleep(0)

    async def watch(self) -> None:
        """Hang up the lines of the dead, which their children may hold open."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(ROUND)
            for member in self._members:
                if not member.worker.is_alive():
                    loop.call_later(LAST_WORDS, member.hang_up)

    def _employ(self) -> None:
        """Start a worker; if the system gives none, there is no pool."""
        if self.dispatch.over:
            return
        try:
            member = Member()
        except Exception as error:
            self._give_up(f"no worker can be started: {error}")
        else:
            self._members[member] = asyncio.ensure_future(self._attend(member))

    async def _attend(self, member: Member) -> None:
        """Listen to a worker until its end, and replace it."""
        try:
            await member.listen(partial(self._hear, member), self._ready_within)
        except (EOFError, OSError):  # it died, or is late
            pass
        except Exception:  # its place must not stay empty
            log.exception("A worker of the pool cannot be understood; it is replaced")
        finally:
            before, member.state = member.state, State.OVER
            member.end(signal.SIGKILL)
            for job in [*chain(*member.jobs.values())]:
                self.dispatch.take_back(job.number)
                job.fail(WorkerDied(f"the worker process that had the call ({member.pid}) died"))
            await member.gone(REAPED_WITHIN)
            del self._members[member]
        if before in STAFF:
            self._replace(before)

    def _replace(self, state: State) -> None:
        self._false_starts += state is State.STARTING
        if self._false_starts < FALSE_STARTS:
            self._employ()
        elif not self.dispatch.over:
            self._give_up(
                "its workers end before they begin; see what they print. Where a script is run "
                'directly, what starts the work belongs under `if __name__ == "__main__":`'
            )

    def _hear(self, member: Member, messages: tuple[Message, ...]) -> None:
        for message in messages:
            match message:
                case "done", number, *outcome:
                    self._finish(self.dispatch.take_back(number), parcels.Outcome(*outcome))
                case ("ready",):
                    member.state = State.READY
                    self._false_starts = 0
                case "progress", number, fraction:
                    if job := self.dispatch.given(number):  # it may be over
                        job.show(fraction)
                case "back", number:
                    self.dispatch.take([self.dispatch.take_back(number)])
                case ("leaving",) if member.state is State.LEAVING:
                    member.killing.cancel()
        self._dismiss_if_unneeded(member)
        self.dispatch.distribute()

    def _finish(self, job: Job, outcome: parcels.Outcome) -> None:
        try:
            job.succeed(parcels.opened(job.parcel.name, outcome))
        except Exception as error:  # what the app's function raised
            job.fail(error)

    # Ends -----------------------------------------------------------------------------------

    def _lose_patience(self, job: Job) -> None:
        """A call goes on though it was told to stop: replace its worker, to nobody's harm."""
        member = job.member
        if member is None or member.state not in STAFF or self.dispatch.over:
            return
        log.warning("%s does not stop; its worker is replaced", job.parcel.name)
        member.state = State.LEAVING
        member.send("leave")
        self._kill_after(ANSWERED_WITHIN, member)
        self._employ()
        self._dismiss_if_unneeded(member)

    def _dismiss_if_unneeded(self, member: Member) -> None:
        """End a worker that is leaving, when it has finished what others wait for."""
        if member.state is State.LEAVING and not member.needed:
            member.state = State.OVER
            member.end(signal.SIGTERM)
            self._kill_after(SIGTERM_WAITED_FOR, member)

    def _kill_after(self, seconds: float, member: Member) -> None:
        loop = asyncio.get_running_loop()
        member.killing = loop.call_later(seconds, member.end, signal.SIGKILL)

    def kill(self) -> None:
        """Kill all workers; from any thread."""
        for member in list(self._members):
            member.end(signal.SIGKILL)

    async def end(self) -> None:
        """Tell all workers to stop; then SIGTERM, and 2 s later SIGKILL."""
        self.dispatch.over = True
        for member in self._members:
            if member.state is State.STARTING:
                member.end(signal.SIGTERM)
            else:
                member.send("end")
        for patience, number in (
            (FAREWELL, signal.SIGTERM),
            (SIGTERM_WAITED_FOR, signal.SIGKILL),
        ):
            await self._gone(patience)
            for member in self._members:
                member.end(number)
        await self._gone(LAST_WORDS)
        for member in self._members:
            member.hang_up()
        await self._gone(REAPED_WITHIN)

    async def _gone(self, patience: float) -> None:
        if self._members:
            await asyncio.wait(self._members.values(), timeout=patience)
