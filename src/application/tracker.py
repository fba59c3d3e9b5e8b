"""The tracker: what an app's own code holds of its session."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from operator import length_hint
from typing import Any, TypeVar
from uuid import UUID

from ..domain.ids import cleaned
from .app_ports import Interruptions
from .draining import DrainNotice
from .link import Link
from .pool import SharedPool, Work, share
from .task import InterruptibleTask, Task
from .tracking import TrackedSession

T = TypeVar("T")
C = TypeVar("C", bound=Callable[[], Any])


class Tracker:
    """One session, tracked. Its methods may be called from any thread and never wait."""

    def __init__(
        self,
        link: Link,
        session: TrackedSession,
        interruptions: Interruptions,
        shared_pool: Callable[[], SharedPool[Any]] | None = None,
    ) -> None:
        self._link = link
        self._session = session
        self._interruptions = interruptions
        self._shared_pool = shared_pool

    def __repr__(self) -> str:
        return f"<Tracker of {self._session.app_name!r}, session {self.session_id}>"

    @property
    def session_id(self) -> UUID:
        """The session's id at the monitor; a new one if the monitor had given the session up."""
        return self._session.session_id

    @property
    def app_name(self) -> str:
        """The name under which the session is grouped."""
        return self._session.app_name

    @property
    def user_id(self) -> str | None:
        """Who uses the session, if that is known."""
        return self._session.user_id

    @property
    def online(self) -> bool:
        """Whether the monitor knows the session and took the last report."""
        return self._link.online and self._session.registered

    @property
    def kill_requested(self) -> bool:
        """Whether an operator has ordered the end of the session."""
        return self._session.order is not None

    @property
    def draining(self) -> DrainNotice | None:
        """The drain of the app, as far as the process has heard of it: `reason`, `seconds_left`."""
        return self._link.tracking.notices.standing(self._session.app_name)

    @property
    def over(self) -> bool:
        """Whether the session has ended; tasks go on, and nobody is told of them."""
        return self._session.over

    def task(self, name: str, *, interruptible: bool = False) -> Task:
        """Return a task for `with` or `async with`: the session is running until the block ends.

        The innermost of nested tasks is shown, the outer one again after it. While several run
        at once, the session is running until the last of them has ended.

        A kill ends an `interruptible` block at any point of its Python code: it raises
        SessionKilled in the thread, or cancels the asyncio task where the block stands in a
        coroutine. Such a block of a killed session does not begin: it raises SessionKilled.
        """
        kind = InterruptibleTask if interruptible else Task
        tracking = self._link.tracking
        return kind(tracking, self._session, cleaned(name, "task"), self._interruptions)

    def track(self, iterable: Iterable[T], name: str, total: int | None = None) -> Iterator[T]:
        """Yield the items and report the progress; `total` where `iterable` has no length."""
        count = length_hint(iterable) if total is None else total
        with self.task(name) as task:
            for done, item in enumerate(iterable, start=1):
                yield item
                if count:
                    task.progress = done / count

    def pool(self) -> AbstractAsyncContextManager[Work]:
        """Return the session's share of the process's worker pool, for `async with`.

        `await work.map(function, items)` and `await work.apply(function, *args)` call functions in
        worker processes, with a stop event as their last argument, which a kill sets; who waits
        for them then gets CancelledError, as at the end of the session and of the block.

        Needs `panel-session-monitor[pool]`. The first block counts the session in, its end out.
        """
        assert self._shared_pool, "this tracker was made without a pool"
        return share(self._shared_pool, self._session, partial(self._subscribe, first=True))

    def on_kill(self, callback: C) -> C:
        """Run `callback` exactly once: on a kill, or when the session ends by itself.

        Functions run in a thread of their own, never on the event loop; coroutine functions run
        on the session's event loop. After the end, `callback` runs at once.
        """
        self._subscribe(callback)
        return callback

    def close(self) -> None:
        """End the tracking; in a Panel session this happens by itself."""
        with self._interruptions.shelter():
            self._link.end(self._session)

    def _subscribe(self, callback: Callable[[], Any], *, first: bool = False) -> None:
        with self._interruptions.shelter():
            if not self._link.tracking.subscribe(self._session, callback, first=first):
                self._link.run_late(self._session, callback)
