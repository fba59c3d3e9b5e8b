"""The tracker: what an app's own code holds of its session."""

from collections.abc import Callable, Iterable, Iterator
from math import isnan
from operator import length_hint
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

from ..domain.ids import cleaned
from .link import Link
from .tracking import RunningTask, TrackedSession

T = TypeVar("T")
C = TypeVar("C", bound=Callable[[], Any])


class Task:
    """A task in progress, for `with` and for `async with`.

    An exception passes through unchanged. Setting `progress` reports it, from 0 to 1.
    """

    __slots__ = ("_link", "_name", "_running", "_session")

    def __init__(self, link: Link, session: TrackedSession, name: str) -> None:
        self._link = link
        self._session = session
        self._name = name
        self._running: list[RunningTask] = []

    @property
    def progress(self) -> float | None:
        """How far the task has come; None while it is not known."""
        return self._running[-1].progress if self._running else None

    @progress.setter
    def progress(self, value: float | None) -> None:
        if self._running:
            self._link.tracking.advance(self._session, self._running[-1], _fraction(value))

    def __enter__(self) -> Self:
        self._running.append(self._link.tracking.begin(self._session, self._name))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._link.tracking.finish(self._session, self._running.pop())

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)


class Tracker:
    """One session, tracked. Its methods may be called from any thread and never wait."""

    def __init__(self, link: Link, session: TrackedSession) -> None:
        self._link = link
        self._session = session

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
    def over(self) -> bool:
        """Whether the session has ended; tasks go on, and nobody is told of them."""
        return self._session.over

    def task(self, name: str) -> Task:
        """Return a task for `with` or `async with`: the session is running until the block ends.

        The innermost of nested tasks is shown, the outer one again after it. While several run
        at once, the session is running until the last of them has ended.
        """
        return Task(self._link, self._session, cleaned(name, "task"))

    def track(self, iterable: Iterable[T], name: str, total: int | None = None) -> Iterator[T]:
        """Yield the items and report the progress; `total` where `iterable` has no length."""
        count = length_hint(iterable) if total is None else total
        with self.task(name) as task:
            for done, item in enumerate(iterable, start=1):
                yield item
                if count:
                    task.progress = done / count

    def on_kill(self, callback: C) -> C:
        """Run `callback` exactly once: on a kill, or when the session ends by itself.

        Functions run in a thread of their own, never on the event loop; coroutine functions run
        on the session's event loop. After the end, `callback` runs at once.
        """
        if not self._link.tracking.subscribe(self._session, callback):
            self._link.run_late(self._session, callback)
        return callback

    def close(self) -> None:
        """End the tracking; in a Panel session this happens by itself."""
        self._link.end(self._session)


def _fraction(value: Any) -> float | None:
    """Return how far a task has come, from whatever kind of number the app has; None if unclear."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if isnan(number) else min(max(number, 0.0), 1.0)
