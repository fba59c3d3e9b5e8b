"""The one pool of a process: counted by the sessions that use it, and each session's share."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable, Iterable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, overload
from weakref import WeakSet

from .pool_ports import Call, WorkerPool

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
    """

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._waiting: set[Future[Any]] = set()
        self._over = False

    @overload
    async def apply(self, function: Callable[..., Awaitable[R]], *args: Any) -> R: ...
    @overload
    async def apply(self, function: Callable[..., R], *args: Any) -> R: ...
    async def apply(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what `function(*args, stop)` does in a worker (raises what it raises, PoolError).

        Coroutine functions run on the event loop of a worker, plain ones in a thread there.
        """
        return await asyncio.wrap_future(self._submit(Call(function=function, args=args)))

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

        The first call that fails stops the others. A `task` is shown how far they all have come.
        """
        given = list(items)
        meter = _Meter(task, len(given)) if task is not None else None
        calls: list[Future[Any]] = []
        try:
            for number, item in enumerate(given):
                seen = partial(meter.note, number) if meter else None
                calls.append(self._submit(Call(function=function, args=(item,), on_progress=seen)))
                if seen:
                    calls[-1].add_done_callback(partial(_note_done, seen))
            return await asyncio.gather(*map(asyncio.wrap_future, calls))
        finally:
            for call in calls:
                call.cancel()

    def cancel(self) -> None:
        """Stop all that runs, and let nothing begin any more; from any thread, never waits."""
        with self._lock:
            self._over = True
            waiting = list(self._waiting)
        for future in waiting:
            future.cancel()

    def _submit(self, call: Call) -> Future[Any]:
        with self._lock:
            if self._over:
                raise asyncio.CancelledError("the session or its block is over")
            future = self._pool.submit(call)
            self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future


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
            work = Work(self._open())
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


class Share:
    """For `async with`: a session's `Work`."""

    def __init__(
        self, shared: Callable[[], SharedPool[Any]], session: Hashable, on_end: Subscribe
    ) -> None:
        self._shared = shared
        self._session = session
        self._on_end = on_end
        self._work: list[Work] = []

    async def __aenter__(self) -> Work:
        # The first one imports the pool and reads the settings: the event loop cannot wait.
        work = await asyncio.to_thread(lambda: self._shared().share(self._session, self._on_end))
        self._work.append(work)
        return work

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shared().give_back(self._session, self._work.pop())


class _Meter:
    """How far several calls have come together."""

    def __init__(self, task: Progressing, count: int) -> None:
        self._task = task
        self._fractions = [0.0] * count
        self._sum = 0.0
        self._lock = threading.Lock()

    def note(self, number: int, fraction: float) -> None:
        """Note how far one of them is, and show the mean."""
        with self._lock:
            self._sum += fraction - self._fractions[number]
            self._fractions[number] = fraction
            self._task.progress = self._sum / len(self._fractions)


def _note_done(note: Callable[[float], None], future: Future[Any]) -> None:
    if not future.cancelled():
        note(1.0)
