"""The one pool of a process: counted by the sessions that use it, and each session's share."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any, Generic, Protocol, TypeVar, overload
from weakref import WeakSet

from .mailbox import Mailbox
from .pool_ports import Call, WorkerPool

log = logging.getLogger("panel_session_monitor")

AT_ONCE = 200
"""Most calls that a map makes before the event loop may do other things, some milliseconds."""

P = TypeVar("P", bound=WorkerPool)
R = TypeVar("R")
T = TypeVar("T")

Subscribe = Callable[[Callable[[], None]], object]
"""Has a function called once, when a session ends or is killed."""


class Progressing(Protocol):
    """Something that shows how far it has come, as a tracker's task does."""

    @property
    def progress(self) -> float | None:
        """How far it has come, from 0 to 1."""

    @progress.setter
    def progress(self, value: float | None) -> None: ...


class Work:
    """A session's share of the pool, while its block is open.

    Functions are called with a `Stop` as their last argument. When the session is killed or ends,
    and when the block is left, calls that wait raise CancelledError and their work is told to stop.
    A `task` is shown how far the calls have come.
    """

    def __init__(self, pool: WorkerPool, owner: Hashable = None) -> None:
        self._pool = pool
        self._owner = self if owner is None else owner
        self._turns: set[_Turn] = set()
        self._mailboxes: dict[asyncio.AbstractEventLoop, Mailbox] = {}
        self._over = False

    @overload
    async def apply(
        self, function: Callable[..., Awaitable[R]], *args: Any, task: Progressing | None = None
    ) -> R: ...
    @overload
    async def apply(
        self, function: Callable[..., R], *args: Any, task: Progressing | None = None
    ) -> R: ...
    async def apply(
        self, function: Callable[..., Any], *args: Any, task: Progressing | None = None
    ) -> Any:
        """Return what `function(*args, stop)` does in a worker (raises what it raises, PoolError).

        Coroutine functions run on the event loop of a worker, plain ones in a thread there.
        """
        [result] = await self._results(function, [args], task)
        return result

    @overload
    async def map(
        self,
        function: Callable[..., Awaitable[R]],
        items: Iterable[Any],
        *,
        task: Progressing | None = None,
    ) -> list[R]: ...
    @overload
    async def map(
        self, function: Callable[..., R], items: Iterable[Any], *, task: Progressing | None = None
    ) -> list[R]: ...
    async def map(
        self,
        function: Callable[..., Any],
        items: Iterable[Any],
        *,
        task: Progressing | None = None,
    ) -> list[Any]:
        """Return what `function(item, stop)` does for each item, in their order.

        The first call that fails stops the others.
        """
        return await self._results(function, [(item,) for item in items], task)

    def cancel(self) -> None:
        """Stop all that runs, and let nothing begin any more; from any thread, never waits."""
        self._over = True  # first: whatever is submitted from now on is seen to be late
        for turn in list(self._turns):
            turn.cancel()

    async def _results(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Sequence[Any]],
        task: Progressing | None,
    ) -> list[Any]:
        meter = _Meter(task, len(arguments)) if task is not None else None
        turn = _Turn(self._mailbox(), len(arguments))
        self._turns.add(turn)
        try:
            for number, args in enumerate(arguments):
                if number % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)
                seen = partial(meter.note, number) if meter else None
                call = Call(function=function, args=args, on_progress=seen, owner=self._owner)
                self._submit(call, turn).add_done_callback(partial(turn.note, seen))
            return await turn.results()
        except BaseException:
            turn.cancel()
            raise
        finally:
            self._turns.discard(turn)

    def _submit(self, call: Call, turn: "_Turn") -> Future[Any]:
        if self._over:
            raise asyncio.CancelledError("the session or its block is over")
        future = self._pool.submit(call)
        turn.calls.append(future)
        if self._over:  # meanwhile; whoever cancels may not have seen this one
            future.cancel()
        return future

    def _mailbox(self) -> Mailbox:
        """Return the way to the caller's event loop: results of one moment wake it once."""
        loop = asyncio.get_running_loop()
        if loop not in self._mailboxes:
            self._mailboxes[loop] = Mailbox(loop)
        return self._mailboxes[loop]


class SharedPool(Generic[P]):
    """One pool for all sessions: made when the first comes, closed when the last has gone.

    A session that comes after that gets a new one. Its methods may be called from any thread.
    """

    def __init__(self, make: Callable[[], P]) -> None:
        self._make = make
        self._lock = threading.RLock()
        self._pool: P | None = None
        self._shares: dict[Hashable, set[Work]] = {}
        self._guests: WeakSet[object] = WeakSet()
        self._count = 0

    def share(self, session: Hashable, on_end: Subscribe) -> Work:
        """Return a share for a session, which counts until its end and then loses its shares."""
        with self._lock:
            work = Work(self._open(), session)
            new = session not in self._shares
            self._shares.setdefault(session, set()).add(work)
        if new:
            on_end(partial(self._end, session))
        return work

    def give_back(self, session: Hashable, work: Work) -> None:
        """Stop what is left of a share; its session goes on to count."""
        work.cancel()
        with self._lock:
            self._shares.get(session, set()).discard(work)

    def enter(self, session: object | None) -> P:
        """Count a session in, at its first call, and return the pool.

        Nobody knows how many sessions the calls with None come from: they count as one, if need be.
        """
        with self._lock:
            pool = self._open()
            if session is None:
                self._count = self._count or 1
            elif session not in self._guests:
                self._guests.add(session)
                self._count += 1
            return pool

    def leave(self) -> None:
        """Count one of the sessions out that were counted by `enter`."""
        with self._lock:
            self._count = max(self._count - 1, 0)
            self._close_if_unused()

    def shut_down(self) -> P | None:
        """Forget all who were counted and close the pool; return it if there was one."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._shares, self._guests, self._count = {}, WeakSet(), 0
        if pool is not None:
            pool.close()
        return pool

    def abandon(self) -> None:
        """In a forked child: the pool is its parent's, and its lock may be held."""
        self._lock = threading.RLock()
        self._pool, self._shares, self._guests, self._count = None, {}, WeakSet(), 0

    @property
    def processes(self) -> int:
        """How many processes there are now; asking for it makes none."""
        with self._lock:
            return self._pool.processes if self._pool else 0

    def _open(self) -> P:
        if self._pool is None or self._pool.closed:
            self._pool = self._make()
        return self._pool

    def _end(self, session: Hashable) -> None:
        with self._lock:
            shares = self._shares.pop(session, set())
        for work in shares:
            work.cancel()
        with self._lock:
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        if not (self._shares or self._count):
            self.shut_down()


@asynccontextmanager
async def share(
    shared: Callable[[], SharedPool[Any]], session: Hashable, on_end: Subscribe
) -> AsyncIterator[Work]:
    """Give a session its `Work` for the time of a block."""
    # The first one imports the pool and reads the settings: the event loop cannot wait.
    work = await asyncio.to_thread(lambda: shared().share(session, on_end))
    try:
        yield work
    finally:
        shared().give_back(session, work)


class _Turn:
    """Calls that somebody waits for: until one of them fails, or all are done."""

    def __init__(self, mailbox: Mailbox, size: int) -> None:
        self.calls: list[Future[Any]] = []
        self._mailbox = mailbox
        self._size = size
        self._done = count(1)
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def results(self) -> list[Any]:
        """Wait for the calls' results, in their order (raises what one of them raises)."""
        if self._size:
            await self._over
        return [_result(each) for each in self.calls if each.done()]  # all, or one of them raises

    def cancel(self) -> None:
        """Stop those that are not done."""
        for each in list(self.calls):
            each.cancel()

    def note(self, seen: Callable[[float], None] | None, call: Future[Any]) -> None:
        """Note that a call is over, and show that to whoever sees how far it comes."""
        failed = call.cancelled() or call.exception() is not None
        if seen and not failed:
            seen(1.0)
        if failed or next(self._done) == self._size:
            self._mailbox.post(self._end)

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


class _Meter:
    """How far several calls have come together."""

    def __init__(self, task: Progressing, size: int) -> None:
        self._task = task
        self._fractions = [0.0] * size
        self._sum = 0.0
        self._lock = threading.Lock()

    def note(self, number: int, fraction: float) -> None:
        """Note how far one of them is, and show the mean."""
        with self._lock:
            self._sum += fraction - self._fractions[number]
            self._fractions[number] = fraction
            try:
                self._task.progress = self._sum / len(self._fractions)
            except BaseException:  # it may be the app's, and somebody waits for the call
                log.exception("The progress of a task could not be shown")


def _result(call: Future[Any]) -> Any:
    if call.cancelled():
        raise asyncio.CancelledError("the session or its block is over")
    return call.result()
